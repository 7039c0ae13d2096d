#include "gateway/app/output.h"

#include <spdlog/spdlog.h>

#include <cstdio>
#include <map>

#include "billing/decimal.h"
#include "gateway/catalog/texts.h"
#include "gateway/catalog/zones.h"
#include "gateway/engine/catalog.pb.h"

namespace fettle::app {

struct MeterTexts::Models {
  std::map<std::string, catalog::Model> models;
  std::map<std::string, std::string> model_of_asset;

  const catalog::Meter* meter(const std::string& asset, const std::string& id) const {
    const auto model = model_of_asset.find(asset);
    if (model == model_of_asset.end()) return nullptr;
    const auto found = models.find(model->second);
    if (found == models.end()) return nullptr;
    for (const catalog::Meter& meter : found->second.meters()) {
      if (meter.id() == id) return &meter;
    }
    return nullptr;
  }
};

int fail(const std::string& message) {
  std::fprintf(stderr, "fettle: %s\n", message.c_str());
  return 1;
}

void log_to_stderr(const std::string& message) {
  spdlog::info("{}", message);
}

std::unique_ptr<store::Reader> open_reader(const Config& config) {
  auto reader = store::Reader::open(config.store_file());
  if (!reader) {
    fail(reader.error().message);
    return nullptr;
  }
  return std::move(*reader);
}

std::string text_of(engine::Time time) {
  return catalog::to_text(time);
}

std::string text_in_zone(engine::Time time, const std::string& zone) {
  const auto loaded = catalog::load_zone(zone);
  if (!loaded) return text_of(time);
  const auto offset = loaded->offset_at(time);
  std::string text = text_of(time + offset);
  text.pop_back();  // the Z
  char sign[16];
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(offset).count();
  std::snprintf(sign, sizeof sign, "%c%02d:%02d", minutes < 0 ? '-' : '+', static_cast<int>(std::abs(minutes) / 60),
                static_cast<int>(std::abs(minutes) % 60));
  return text + sign;
}

std::string date_in_zone(engine::Time time, const std::string& zone) {
  return text_in_zone(time, zone).substr(0, 10);
}

std::string grouped(const std::string& decimal) {
  const std::size_t begin = decimal.starts_with('-') ? 1 : 0;
  const std::size_t point = std::min(decimal.find('.'), decimal.size());
  std::string text = decimal.substr(0, begin);
  for (std::size_t i = begin; i < point; ++i) {
    if (i > begin && (point - i) % 3 == 0) text += ',';
    text += decimal[i];
  }
  return text + decimal.substr(point);
}

std::string quantity_text(std::int64_t counts, std::uint8_t scale) {
  return billing::to_string(billing::Decimal{counts, scale});
}

std::string amount_text(std::int64_t minor, std::uint8_t exponent) {
  return grouped(quantity_text(minor, exponent));
}

std::optional<engine::Time> date_argument(const std::string& text, const std::string& option) {
  const catalog::DateReading reading = catalog::parse_date(text);
  if (!reading.date) {
    fail(option + " " + text + ": " + reading.fault + "; expected " + catalog::kDateForm);
    return std::nullopt;
  }
  if (const auto* time = std::get_if<catalog::Time>(&*reading.date)) return *time;
  return engine::Time(std::chrono::sys_days(std::get<std::chrono::year_month_day>(*reading.date)));
}

MeterTexts::MeterTexts(const std::vector<engine::CatalogRow>& catalog) : models_(std::make_unique<Models>()) {
  for (const engine::CatalogRow& row : catalog) {
    catalog::Entry entry;
    if (!entry.ParseFromString(row.body)) continue;
    if (entry.has_model()) models_->models[entry.model().id()] = entry.model();
    if (entry.has_asset()) models_->model_of_asset[entry.asset().id()] = entry.asset().model();
  }
}

MeterTexts::~MeterTexts() = default;

MeterText MeterTexts::of(const std::string& asset, const std::string& meter) const {
  const catalog::Meter* found = models_->meter(asset, meter);
  if (found == nullptr || found->kind() == catalog::COUNT) return {0, "count"};
  for (const catalog::Signal& signal : models_->models.at(models_->model_of_asset.at(asset)).signals()) {
    if (signal.name() != found->signal()) continue;
    const auto resolution = billing::Decimal::parse(signal.resolution());
    return {resolution ? resolution->scale : std::uint8_t{0}, signal.unit()};
  }
  return {};
}

std::string MeterTexts::signal_of(const std::string& asset, const std::string& meter) const {
  const catalog::Meter* found = models_->meter(asset, meter);
  return found == nullptr ? std::string() : found->signal();
}

}  // namespace fettle::app
