#include "gateway/engine/mapping_entries.h"

#include <array>
#include <memory>
#include <optional>
#include <utility>

#include "billing/decimal.h"

namespace fettle::engine {
namespace {

// Every unit that some model's signal has, by its text: the columns of SignalMapping::conversions.
class Units {
 public:
  explicit Units(const rules::UnitParser& parser) : parser_(parser) {}

  std::uint32_t index(const std::string& text) {
    const auto [at, added] = indexes_.try_emplace(text, static_cast<std::uint32_t>(units_.size()));
    if (added) units_.push_back(parser_(text));
    return at->second;
  }

  // How a value in `text` becomes one in each of the units.
  std::optional<std::vector<direct::UnitConversion>> conversions_from(const std::string& text) const {
    const auto from = parser_(text);
    if (!from) return std::nullopt;
    std::vector<direct::UnitConversion> out;
    for (const auto& to : units_) {
      direct::UnitConversion& conversion = out.emplace_back();
      if (!to || !rules::commensurable(*from, *to)) {
        conversion.kind = direct::UnitConversion::Kind::none;
      } else if (*from != *to) {
        conversion = {direct::UnitConversion::Kind::linear, from->scale, from->offset, to->offset, to->scale};
      }
    }
    return out;
  }

 private:
  const rules::UnitParser& parser_;
  std::map<std::string, std::uint32_t> indexes_;
  std::vector<std::optional<rules::Unit>> units_;
};

constexpr std::array kFormats = {
    std::pair{catalog::MappedTime::UNIX_S, direct::StampFormat::unix_s},
    std::pair{catalog::MappedTime::UNIX_MS, direct::StampFormat::unix_ms},
    std::pair{catalog::MappedTime::UNIX_US, direct::StampFormat::unix_us},
    std::pair{catalog::MappedTime::UNIX_NS, direct::StampFormat::unix_ns},
    std::pair{catalog::MappedTime::ISO8601, direct::StampFormat::iso8601},
};

direct::MappedValue value_of(const catalog::MappedText& text) {
  return {text.from(), direct::number_of(text.from()), text.to(), direct::number_of(text.to()), text.leave_out()};
}

// What is wrong is a text; it ends up in `problems`.
using Fault = std::optional<std::string>;

Fault read_path(const std::string& text, direct::Pointer& out) {
  auto path = direct::parse_pointer(text);
  if (path.has_error()) return "the path \"" + text + "\" " + path.error().message;
  out = std::move(*path);
  return std::nullopt;
}

Fault read_template(const std::string& text, const direct::TopicFilter& topic, direct::Template& out) {
  auto read = direct::parse_template(text, topic);
  if (read.has_error()) return "\"" + text + "\" " + read.error().message;
  out = std::move(*read);
  return std::nullopt;
}

// scale = units / 10^scale, so that the division is one rounding.
Fault read_scale(const catalog::MappedSignal& signal, direct::SignalMapping& out) {
  if (!signal.scale().empty()) {
    const auto scale = billing::Decimal::parse(signal.scale());
    if (!scale) return "the scale \"" + signal.scale() + "\" is no decimal number";
    out.multiply = static_cast<double>(scale->units);
    for (int i = 0; i < scale->scale; ++i) out.divide *= 10;
  }
  if (!signal.offset().empty()) {
    const auto offset = direct::number_of(signal.offset());
    if (!offset) return "the offset \"" + signal.offset() + "\" is no number";
    out.add = *offset;
  }
  return std::nullopt;
}

Fault read_signal(const catalog::MappedSignal& signal, const direct::TopicFilter& topic, const Units& units,
                  direct::SignalMapping& out) {
  if (auto fault = read_template(signal.signal(), topic, out.signal)) return fault;
  if (auto fault = read_path(signal.path(), out.path)) return fault;
  if (auto fault = read_scale(signal, out)) return fault;
  if (!signal.unit().empty()) {
    auto conversions = units.conversions_from(signal.unit());
    if (!conversions) return "there is no unit \"" + signal.unit() + "\"";
    out.unit = signal.unit();
    out.conversions = std::move(*conversions);
  }
  for (const catalog::MappedText& value : signal.values()) out.values.push_back(value_of(value));
  out.optional = signal.optional();
  return std::nullopt;
}

Fault read_time(const catalog::MappedTime& time, const Lookups& lookups, direct::Mapping& out) {
  if (auto fault = read_path(time.path(), out.time.emplace())) return fault;
  for (const int format : time.formats()) {
    for (const auto& [wire, read] : kFormats) {
      if (wire == format) out.formats.push_back(read);
    }
  }
  out.time_optional = time.optional();
  if (time.zone().empty()) return std::nullopt;
  auto zone = lookups.zones(time.zone());
  if (!zone) return "there is no time zone \"" + time.zone() + "\"";
  out.zone = zone_clock(std::move(*zone));
  out.zone_name = time.zone();
  return std::nullopt;
}

direct::PayloadKind payload_of(catalog::Mapping::Payload payload) {
  switch (payload) {
    case catalog::Mapping::NUMBER:
      return direct::PayloadKind::number;
    case catalog::Mapping::TEXT:
      return direct::PayloadKind::text;
    default:
      return direct::PayloadKind::json;
  }
}

Fault read_mapping(const catalog::Mapping& entry, const Units& units, const Lookups& lookups, direct::Mapping& out) {
  out.id = entry.id();
  auto topic = direct::parse_topic_filter(entry.topic());
  if (topic.has_error()) return "the topic \"" + entry.topic() + "\" " + topic.error().message;
  out.topic = std::move(*topic);
  if (auto fault = read_template(entry.asset(), out.topic, out.asset)) return fault;
  for (const catalog::MappedText& asset : entry.assets()) out.assets.emplace(asset.from(), asset.to());
  out.payload = payload_of(entry.payload());
  if (entry.has_each()) {
    if (auto fault = read_path(entry.each(), out.each.emplace())) return fault;
  }
  for (const catalog::MappedText& condition : entry.when()) {
    auto& [path, value] = out.when.emplace_back();
    if (auto fault = read_path(condition.from(), path)) return fault;
    value.from = condition.to();
    value.from_number = direct::number_of(condition.to());
  }
  if (entry.has_time()) {
    if (auto fault = read_time(entry.time(), lookups, out)) return fault;
  }
  for (const catalog::MappedSignal& signal : entry.signals()) {
    if (auto fault = read_signal(signal, out.topic, units, out.signals.emplace_back())) return fault;
  }
  out.ignore_empty = entry.ignore_empty();
  return std::nullopt;
}

}  // namespace

direct::Mappings make_mappings(const std::map<std::string, catalog::Mapping>& entries,
                               const std::map<std::string, catalog::Model>& models, const Lookups& lookups,
                               std::vector<std::string>& problems) {
  if (entries.empty()) return {};
  Units units(lookups.units);
  std::vector<direct::ModelSignals> forms;
  for (const auto& [id, model] : models) {
    direct::ModelSignals& form = forms.emplace_back();
    form.model = id;
    for (const catalog::Signal& signal : model.signals()) {
      form.signals[signal.name()] = {signal.kind() == catalog::STATE, units.index(signal.unit()), signal.unit()};
    }
  }
  std::vector<direct::Mapping> made;
  for (const auto& [id, entry] : entries) {
    if (auto fault = read_mapping(entry, units, lookups, made.emplace_back())) {
      problems.push_back("mapping " + id + ": " + *fault);
      made.pop_back();
    }
  }
  return {std::move(made), std::move(forms)};
}

direct::ZoneClock zone_clock(billing::Zone zone) {
  // Shared by the copies of the function: std::function copies what it holds.
  auto shared = std::make_shared<const billing::Zone>(std::move(zone));
  return [shared](direct::LocalTime local) {
    // Offsets change at most once within two days, so these two are all that can be in force.
    const Time near(local.time_since_epoch());
    const auto before = shared->offset_at(near - std::chrono::hours(24));
    const auto after = shared->offset_at(near + std::chrono::hours(24));
    direct::Instants out;
    const Time early = near - before;
    const Time late = near - after;
    const bool early_fits = shared->offset_at(early) == before;
    const bool late_fits = shared->offset_at(late) == after;
    if (early_fits) out.first = early;
    if (late_fits && (!early_fits || late != early)) {
      if (early_fits) {
        out.second = late;
      } else {
        out.first = late;
      }
    }
    return out;
  };
}

}  // namespace fettle::engine
