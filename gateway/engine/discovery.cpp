#include "gateway/engine/discovery.h"

#include <algorithm>
#include <cstdio>

#include "gateway/engine/discovery.pb.h"

namespace fettle::engine {
namespace {

Time time_of(std::int64_t milliseconds) {
  return Time(std::chrono::milliseconds(milliseconds));
}
std::int64_t ms(Time time) {
  return time.time_since_epoch().count();
}

std::string sample_of(const Discovery::Reading& reading) {
  if (reading.text) return std::string(reading.text->substr(0, Discovery::kMaxText));
  char text[32];
  std::snprintf(text, sizeof text, "%.12g", reading.number);
  return text;
}

}  // namespace

bool Discovery::add(std::string_view source, std::string_view asset, const Message& message,
                    std::span<const Reading> readings) {
  auto found = sources_.find(source);
  if (found == sources_.end()) {
    if (sources_.size() >= kMaxSources) return false;
    found = sources_.emplace(std::string(source), Source()).first;
    found->second.first = message.received;
  }
  Source& into = found->second;
  into.asset = asset;
  into.last = std::max(into.last, message.received);
  ++into.count;
  KeptMessage kept{message.arrived,
                   message.received,
                   std::string(message.topic),
                   message.hash,
                   message.session,
                   std::string(message.payload),
                   {}};
  if (!message.payload.empty()) into.sample = message.payload.substr(0, kMaxText);
  for (const Reading& reading : readings) {
    Signal* signal = signal_of(into, reading, message.received);
    if (signal == nullptr) continue;  // too many names: it is neither listed nor kept
    ++signal->kept;
    kept.readings.push_back({static_cast<std::uint32_t>(signal - into.signals.data()), reading.time, reading.flags,
                             reading.number, reading.text ? std::optional<std::string>(*reading.text) : std::nullopt,
                             reading.birth});
  }
  into.kept += kept.weight();
  kept_ += kept.weight();
  if (kept.weight() > 0) into.messages.push_back(std::move(kept));
  into.changed = true;
  touch(found->first);
  make_room(found->first, into);
  return true;
}

// The signal with its numbers brought up to date; null where the source has too many names already.
Discovery::Signal* Discovery::signal_of(Source& source, const Reading& reading, Time received) {
  auto found = source.index.find(reading.name);
  if (found == source.index.end()) {
    if (source.signals.size() >= kMaxSignals) return nullptr;
    found = source.index.emplace(std::string(reading.name), static_cast<std::uint32_t>(source.signals.size())).first;
    Signal& made = source.signals.emplace_back();
    made.name = reading.name;
    made.first = received;
  }
  Signal& signal = source.signals[found->second];
  signal.type = reading.type;
  signal.sample = sample_of(reading);
  signal.last = std::max(signal.last, received);
  ++signal.count;
  signal.changed = true;
  return &signal;
}

void Discovery::drop_oldest(const std::string& name, Source& source) {
  const KeptMessage& oldest = source.messages.front();
  for (const Kept& reading : oldest.readings) {
    Signal& signal = source.signals[reading.signal];
    --signal.kept;
    ++signal.dropped;
    signal.changed = true;
  }
  ++source.dropped;
  source.kept -= oldest.weight();
  kept_ -= oldest.weight();
  source.messages.pop_front();
  source.changed = true;
  touch(name);
}

void Discovery::make_room(const std::string& name, Source& source) {
  while (source.kept > kMaxKeptOfSource) drop_oldest(name, source);
  // Too much in all: it comes from whoever holds most, the first of equals.
  while (kept_ > kMaxKept) {
    auto most = sources_.begin();
    for (auto it = sources_.begin(); it != sources_.end(); ++it) {
      if (it->second.kept > most->second.kept) most = it;
    }
    // Down to half of it at once, so that the search for it stays rare.
    const std::size_t half = most->second.kept / 2;
    while (most->second.kept > half) drop_oldest(most->first, most->second);
  }
}

void Discovery::forget_if_empty(const std::string& name) {
  const auto found = sources_.find(name);
  if (found == sources_.end() || found->second.asset.empty() || !found->second.index.empty()) return;
  sources_.erase(found);
}

void Discovery::touch(const std::string& name) {
  touched_.insert(name);
  changed_.insert(name);
}

std::vector<std::string> Discovery::sources() const {
  std::vector<std::string> names;
  names.reserve(sources_.size());
  for (const auto& [name, source] : sources_) names.push_back(name);
  return names;
}

void Discovery::rows(std::vector<DiscoveredRow>& changed, std::vector<std::pair<std::string, std::string>>& gone) {
  std::move(gone_.begin(), gone_.end(), std::back_inserter(gone));
  gone_.clear();
  for (const std::string& name : changed_) {
    const auto found = sources_.find(name);
    if (found == sources_.end()) continue;
    Source& source = found->second;
    if (source.asset.empty() && source.changed) {
      changed.push_back({name, "", "", "", source.sample, source.first, source.last, source.count,
                         source.messages.size(), source.dropped});
    }
    source.changed = false;
    for (Signal& signal : source.signals) {
      if (!signal.changed) continue;
      signal.changed = false;
      changed.push_back({name, signal.name, source.asset, signal.type, signal.sample, signal.first, signal.last,
                         signal.count, signal.kept, signal.dropped});
    }
  }
  changed_.clear();
}

std::string Discovery::save(const std::string& name) const {
  const auto found = sources_.find(name);
  if (found == sources_.end()) return {};
  const Source& source = found->second;
  DiscoveredSource out;
  out.set_asset(source.asset);
  out.set_sample(source.sample);
  out.set_first_ms(ms(source.first));
  out.set_last_ms(ms(source.last));
  out.set_count(source.count);
  out.set_dropped(source.dropped);
  for (const Signal& signal : source.signals) {
    DiscoveredSignal& saved = *out.add_signals();
    saved.set_name(signal.name);
    saved.set_type(signal.type);
    saved.set_sample(signal.sample);
    saved.set_first_ms(ms(signal.first));
    saved.set_last_ms(ms(signal.last));
    saved.set_count(signal.count);
    saved.set_kept(signal.kept);
    saved.set_dropped(signal.dropped);
  }
  for (const KeptMessage& message : source.messages) {
    engine::KeptMessage& saved = *out.add_messages();
    saved.set_arrived(message.arrived);
    saved.set_received_ms(ms(message.received));
    saved.set_topic(message.topic);
    saved.set_hash(message.hash);
    saved.set_session(message.session);
    saved.set_payload(message.payload);
    for (const Kept& reading : message.readings) {
      KeptReading& kept = *saved.add_readings();
      kept.set_name(reading.signal);
      kept.set_time_ms(ms(reading.time));
      kept.set_flags(reading.flags);
      kept.set_birth(reading.birth);
      if (reading.text) {
        kept.set_text(*reading.text);
      } else {
        kept.set_number(reading.number);
      }
    }
  }
  return out.SerializeAsString();
}

bool Discovery::load(const std::string& name, const std::string& state) {
  DiscoveredSource in;
  if (!in.ParseFromString(state)) return false;
  Source source;
  source.asset = in.asset();
  source.sample = in.sample();
  source.first = time_of(in.first_ms());
  source.last = time_of(in.last_ms());
  source.count = in.count();
  source.dropped = in.dropped();
  for (const DiscoveredSignal& saved : in.signals()) {
    if (!saved.name().empty()) source.index.emplace(saved.name(), static_cast<std::uint32_t>(source.signals.size()));
    Signal& signal = source.signals.emplace_back();
    signal.name = saved.name();
    signal.type = saved.type();
    signal.sample = saved.sample();
    signal.first = time_of(saved.first_ms());
    signal.last = time_of(saved.last_ms());
    signal.count = saved.count();
    signal.kept = saved.kept();
    signal.dropped = saved.dropped();
  }
  for (const engine::KeptMessage& saved : in.messages()) {
    KeptMessage& message = source.messages.emplace_back();
    message = {saved.arrived(),
               time_of(saved.received_ms()),
               saved.topic(),
               saved.hash(),
               saved.session(),
               saved.payload(),
               {}};
    for (const KeptReading& kept : saved.readings()) {
      if (kept.name() >= source.signals.size()) return false;
      message.readings.push_back(
          {kept.name(), time_of(kept.time_ms()), static_cast<std::uint8_t>(kept.flags()), kept.number(),
           kept.value_case() == KeptReading::kText ? std::optional<std::string>(kept.text()) : std::nullopt,
           kept.birth()});
    }
    source.kept += message.weight();
  }
  kept_ += source.kept;
  sources_.insert_or_assign(name, std::move(source));
  return true;
}

std::vector<std::string> Discovery::take_touched() {
  std::vector<std::string> names(touched_.begin(), touched_.end());
  touched_.clear();
  return names;
}

}  // namespace fettle::engine
