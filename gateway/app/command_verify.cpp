// `fettle verify`: can every number be derived again? The storage's own checks, then all usage anew from the stored
// readings by the plainest possible code (sort, walk, add up), and every final line from its usage.

#include <cmath>
#include <cstdio>
#include <map>

#include "billing/register.h"
#include "gateway/app/commands.h"
#include "gateway/app/core.h"
#include "gateway/app/output.h"
#include "gateway/engine/metering.h"
#include "gateway/engine/registry.h"
#include "gateway/store/sqlite/verify.h"

namespace fettle::app {
namespace {

using engine::Time;

constexpr std::size_t kMaxFindings = 100;

struct Sample {
  Time time;
  double value = 0;
};

// The series as it was committed: (time, value) ascending.
std::optional<std::vector<Sample>> samples(store::Reader& reader, const std::string& asset, const std::string& signal,
                                           engine::Sequence until) {
  const auto found = value_or_fail(reader.find_readings(asset, signal, Time::min(), Time::max()));
  if (!found) return std::nullopt;
  std::vector<Sample> all;
  for (const store::FoundReading& reading : *found) {
    if ((reading.reading.flags & engine::kBad) != 0) continue;  // never metered
    if (reading.message.sequence <= until) all.push_back({reading.reading.time, reading.reading.value});
  }
  std::sort(all.begin(), all.end(),
            [](const Sample& a, const Sample& b) { return std::pair(a.time, a.value) < std::pair(b.time, b.value); });
  return all;
}

using Usage = std::map<std::pair<Time, std::string>, std::int64_t>;  // cell start, band

class Recount {
 public:
  // `open`: usage of the hour that is still open may stand behind its readings, until the next checkpoint.
  enum class OpenHour : std::uint8_t { exact, behind };
  Recount(store::Reader& reader, const engine::Registry& registry, engine::Sequence until, OpenHour open)
      : reader_(reader), registry_(registry), until_(until), open_hour_(open) {}

  bool run() {
    for (const engine::AssetInfo& asset : registry_.assets()) {
      for (const engine::MeterInfo& meter : asset.model->meters) {
        if (!compare(asset, meter)) return false;
      }
    }
    return true;
  }
  const std::vector<std::string>& findings() const { return findings_; }
  std::size_t records() const { return records_; }

 private:
  bool compare(const engine::AssetInfo& asset, const engine::MeterInfo& meter) {
    const auto derived = derive(asset, meter);
    const auto stored = value_or_fail(reader_.usage(asset.id, meter.id, Time::min(), Time::max()));
    if (!derived || !stored) return false;
    Usage kept;
    Time open = Time::max();
    if (open_hour_ == OpenHour::behind && newest_) open = engine::cell_of(asset, *newest_).start;
    for (const engine::UsageRow& row : *stored) {
      if (row.quantity != 0 && row.key.start < open) kept[{row.key.start, row.key.band}] = row.quantity;
    }
    records_ += kept.size();
    for (const auto& [cell, quantity] : *derived) {
      if (cell.first >= open) continue;
      const auto found = kept.find(cell);
      report(asset, meter, cell, found == kept.end() ? 0 : found->second, quantity);
      if (found != kept.end()) kept.erase(found);
    }
    for (const auto& [cell, quantity] : kept) report(asset, meter, cell, quantity, 0);
    return true;
  }

  void report(const engine::AssetInfo& asset, const engine::MeterInfo& meter, const Usage::key_type& cell,
              std::int64_t stored, std::int64_t derived) {
    if (stored == derived || findings_.size() >= kMaxFindings) return;
    findings_.push_back("usage of " + asset.id + " meter " + meter.id +
                        (cell.second.empty() ? "" : " [" + cell.second + ']') + " at " + text_of(cell.first) +
                        ": stored " + std::to_string(stored) + ", from the readings " + std::to_string(derived));
  }

  std::optional<Usage> derive(const engine::AssetInfo& asset, const engine::MeterInfo& meter) {
    const engine::SignalInfo& signal = asset.model->signals[meter.signal];
    const auto read = samples(reader_, asset.id, signal.name, until_);
    if (!read) return std::nullopt;
    newest_ = read->empty() ? std::nullopt : std::optional<Time>(read->back().time);
    Usage usage;
    if (meter.kind == catalog::DIFFERENCE) {
      differences(asset, signal, *read, usage);
      return usage;
    }
    std::vector<Sample> bands;
    if (meter.dimension) {
      auto states = samples(reader_, asset.id, asset.model->signals[*meter.dimension].name, until_);
      if (!states) return std::nullopt;
      bands = std::move(*states);
    }
    std::size_t next = 0;
    std::string band;
    for (const Sample& sample : *read) {
      for (; next < bands.size() && bands[next].time <= sample.time; ++next) {
        band = asset.model->signals[*meter.dimension].state_texts[static_cast<std::size_t>(bands[next].value)];
      }
      const std::int64_t counts =
          meter.kind == catalog::COUNT ? 1 : engine::Metering::counts(signal, sample.value).value_or(0);
      if (counts != 0) usage[{engine::cell_of(asset, sample.time).start, band}] += counts;
    }
    return usage;
  }

  static void differences(const engine::AssetInfo& asset, const engine::SignalInfo& signal,
                          const std::vector<Sample>& samples, Usage& usage) {
    std::optional<Sample> older;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      if (i + 1 < samples.size() && samples[i + 1].time == samples[i].time) continue;  // a conflict: the larger stands
      if (older) {
        const billing::Step step =
            billing::step_between(signal.reg, older->time, engine::Metering::counts(signal, older->value).value_or(0),
                                  samples[i].time, engine::Metering::counts(signal, samples[i].value).value_or(0));
        for (const billing::Share& share :
             billing::spread(older->time, samples[i].time, step.increment, *asset.zone, asset.cuts)) {
          usage[{share.cell.start, std::string()}] += share.quantity;
        }
      }
      older = samples[i];
    }
  }

  store::Reader& reader_;
  const engine::Registry& registry_;
  engine::Sequence until_;
  OpenHour open_hour_;
  std::optional<Time> newest_;  // of the meter derived last
  std::vector<std::string> findings_;
  std::size_t records_ = 0;
};

}  // namespace

int verify(const std::filesystem::path& what) {
  const std::filesystem::path file = std::filesystem::is_directory(what) ? what / "fettle.db" : what;
  const auto storage = value_or_fail(store::verify(file));
  if (!storage) return 1;
  std::vector<std::string> findings = *storage;
  auto reader = store::Reader::open(file);
  if (!reader) return fail(reader.error().message);
  const auto rows = value_or_fail((*reader)->catalog());
  const auto position = value_or_fail((*reader)->position());
  if (!rows || !position) return 1;
  std::vector<catalog::Entry> entries;
  for (const engine::CatalogRow& row : *rows) entries.emplace_back().ParseFromString(row.body);
  engine::Registry registry(system_lookups());
  for (std::string& problem : registry.apply(entries)) findings.push_back("catalog: " + std::move(problem));

  Recount recount(**reader, registry, position->committed,
                  position->checkpoint < position->committed ? Recount::OpenHour::behind : Recount::OpenHour::exact);
  if (!recount.run()) return 1;
  findings.insert(findings.end(), recount.findings().begin(), recount.findings().end());
  for (const std::string& finding : findings) std::printf("%s\n", finding.c_str());
  std::printf("%s: %zu usage records derived again from the readings, %zu findings\n", file.c_str(), recount.records(),
              findings.size());
  return findings.empty() ? 0 : 1;
}

}  // namespace fettle::app
