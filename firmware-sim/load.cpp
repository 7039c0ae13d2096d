#include "firmware-sim/load.h"

#include "firmware-sim/stamp.h"

namespace fettle::sim {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kEpoch = 1'577'836'800;  // 2020-01-01T00:00:00Z: keeps registers small

// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
std::uint64_t mixed(std::uint64_t z) {
  z += 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

std::string numbered(std::string_view name, std::uint64_t number, std::size_t digits) {
  std::string text = std::to_string(number);
  if (text.size() < digits) text.insert(0, digits - text.size(), '0');
  return std::string(name) + text;
}

}  // namespace

std::optional<Problem> check_load(const LoadPlan& plan) {
  if (plan.assets == 0 || plan.assets > kMostLoadAssets)
    return Problem{"--assets is " + std::to_string(plan.assets) + ", expected 1 to " + std::to_string(kMostLoadAssets)};
  if (plan.signals == 0 || plan.signals > kMostLoadSignals) {
    return Problem{"--signals is " + std::to_string(plan.signals) + ", expected 1 to " +
                   std::to_string(kMostLoadSignals)};
  }
  if (plan.start.time_since_epoch() < seconds(kEpoch) || plan.start.time_since_epoch() % kLoadStep != seconds(0))
    return Problem{"--start is " + iso8601_text(plan.start) + ", expected a whole second of 2020 or later"};
  if (plan.steps == 0) return Problem{"--for is shorter than a step of 1 s"};
  return std::nullopt;
}

LoadKind load_kind(std::uint64_t signal) {
  constexpr std::uint64_t kKinds = 3;
  switch (signal % kKinds) {
    case 0:
      return LoadKind::kGauge;
    case 1:
      return LoadKind::kRegister;
    default:
      return LoadKind::kEvent;
  }
}

std::string load_signal_name(std::uint64_t signal) {
  const std::string number = std::to_string(signal + 1);
  switch (load_kind(signal)) {
    case LoadKind::kGauge:
      return "gauge_" + number;
    case LoadKind::kRegister:
      return "register_" + number;
    case LoadKind::kEvent:
      break;
  }
  return "event_" + number;
}

std::string load_asset_name(std::uint64_t asset) {
  return numbered("load-", asset + 1, 5);
}

std::int64_t load_value(std::uint64_t seed, std::uint64_t asset, std::uint64_t signal, EventTime at) {
  const auto step = std::chrono::floor<seconds>(at).time_since_epoch().count() - kEpoch;
  const std::uint64_t series = mixed(mixed(mixed(seed) ^ asset) ^ signal);
  const std::uint64_t draw = mixed(series ^ static_cast<std::uint64_t>(step));
  switch (load_kind(signal)) {
    case LoadKind::kGauge:
      // The parity of the step in the last digit: so two following values always differ.
      return 2'000 + static_cast<std::int64_t>(draw % 2'000) * 2 + step % 2;
    case LoadKind::kRegister: {
      // A straight line of slope 1 to 9, and a wobble smaller than the slope on top: it always grows.
      const auto slope = static_cast<std::int64_t>(1 + series % 9);
      return slope * step + static_cast<std::int64_t>(draw % static_cast<std::uint64_t>(slope));
    }
    case LoadKind::kEvent:
      break;
  }
  return 1 + static_cast<std::int64_t>(draw % 100);
}

Load::Load(const LoadPlan& plan) : plan_(plan) {
  std::vector<Signal> signals;
  for (std::uint64_t i = 0; i < plan.signals; ++i) {
    const bool gauge = load_kind(i) == LoadKind::kGauge;
    signals.push_back({load_signal_name(i), gauge ? SignalType::kNumber : SignalType::kInteger, Report::kEvery});
  }
  for (std::uint64_t i = 0; i < plan.assets; ++i) assets_.push_back({load_asset_name(i), signals});
}

std::optional<Batch> Load::next() {
  if (sent_ == plan_.assets * plan_.steps) return std::nullopt;
  const std::uint64_t asset = sent_ % plan_.assets;
  const EventTime at = plan_.start + kLoadStep * static_cast<std::int64_t>(sent_ / plan_.assets);
  ++sent_;
  Batch batch{static_cast<std::uint32_t>(asset), at, {}};
  batch.readings.reserve(plan_.signals);
  for (std::uint64_t i = 0; i < plan_.signals; ++i) {
    const std::int64_t value = load_value(plan_.seed, asset, i, at);
    auto& reading = batch.readings.emplace_back();
    reading.signal = static_cast<std::uint32_t>(i);
    reading.at = at;
    if (load_kind(i) == LoadKind::kGauge) {
      reading.value = static_cast<double>(value) / 100;
    } else {
      reading.value = value;
    }
  }
  return batch;
}

double Load::fraction() const {
  return static_cast<double>(sent_) / static_cast<double>(plan_.assets * plan_.steps);
}

}  // namespace fettle::sim
