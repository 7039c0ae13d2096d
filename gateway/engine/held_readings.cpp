#include "gateway/engine/held_readings.h"

#include <tuple>

namespace fettle::engine {
namespace {

constexpr std::uint32_t kTransient = 256;  // beside the flags of ReadingFlag, in HeldState

Time time_of(std::int64_t milliseconds) {
  return Time(std::chrono::milliseconds(milliseconds));
}
std::int64_t ms(Time time) {
  return time.time_since_epoch().count();
}

}  // namespace

void HeldReadings::begin_message(Sequence arrived, Time received, std::string_view topic, std::uint64_t hash,
                                 std::uint32_t session) {
  auto found = topic_index_.find(topic);
  if (found == topic_index_.end()) {
    found = topic_index_.emplace(std::string(topic), static_cast<std::uint32_t>(topics_.size())).first;
    topics_.emplace_back(topic);
  }
  messages_.push_back({arrived, received, found->second, hash, session});
}

void HeldReadings::add(std::uint32_t asset, std::uint32_t signal, Time time, double value, std::uint8_t flags,
                       bool transient, Time now) {
  readings_.push_back({time, value, asset, static_cast<std::uint32_t>(messages_.size() - 1),
                       static_cast<std::uint16_t>(signal), flags, transient});
  if ((flags & kHistorical) == 0) return;
  historical_ = std::max(historical_, now);
  newest_past_ = std::max(newest_past_, time);
}

std::vector<HeldReadings::Reading> HeldReadings::take(Which which) {
  std::vector<Reading> taken;
  if (which == Which::all) {
    taken = std::move(readings_);
    readings_.clear();
  } else {
    auto past = std::stable_partition(readings_.begin(), readings_.end(),
                                      [this](const Reading& reading) { return reading.time > newest_past_; });
    if (past == readings_.end()) {
      // Nothing historical, only too much: the older half. A device's own order is that of arrival.
      std::stable_sort(readings_.begin(), readings_.end(),
                       [](const Reading& a, const Reading& b) { return a.time > b.time; });
      past = readings_.begin() + static_cast<std::ptrdiff_t>(readings_.size() / 2);
    }
    taken.assign(past, readings_.end());
    readings_.erase(past, readings_.end());
    std::stable_sort(readings_.begin(), readings_.end(),
                     [](const Reading& a, const Reading& b) { return a.message < b.message; });
  }
  std::stable_sort(taken.begin(), taken.end(), [](const Reading& a, const Reading& b) {
    return std::tie(a.asset, a.time, a.message) < std::tie(b.asset, b.time, b.message);
  });
  return taken;
}

void HeldReadings::forget_taken() {
  std::vector<Message> kept;
  std::uint32_t last = 0;
  bool any = false;
  for (Reading& reading : readings_) {  // ascending by message
    if (!any || reading.message != last) {
      last = reading.message;
      any = true;
      kept.push_back(messages_[last]);
    }
    reading.message = static_cast<std::uint32_t>(kept.size() - 1);
  }
  messages_ = std::move(kept);
}

std::size_t HeldReadings::drop_repeats() {
  const auto what = [](const Reading& r) { return std::tie(r.asset, r.signal, r.time, r.value, r.transient); };
  std::stable_sort(readings_.begin(), readings_.end(),
                   [&](const Reading& a, const Reading& b) { return what(a) < what(b); });
  const auto repeats = std::unique(readings_.begin(), readings_.end(),
                                   [&](const Reading& a, const Reading& b) { return what(a) == what(b); });
  const auto dropped = static_cast<std::size_t>(readings_.end() - repeats);
  readings_.erase(repeats, readings_.end());
  std::stable_sort(readings_.begin(), readings_.end(),
                   [](const Reading& a, const Reading& b) { return a.message < b.message; });
  forget_taken();
  return dropped;
}

void HeldReadings::to_proto(HeldState& out) const {
  out.set_since_ms(ms(since_));
  out.set_historical_ms(ms(historical_));
  out.set_newest_past_ms(ms(newest_past_));
  for (const std::string& topic : topics_) out.add_topics(topic);
  for (const Message& message : messages_) {
    HeldMessage& saved = *out.add_messages();
    saved.set_arrived(message.arrived);
    saved.set_received_ms(ms(message.received));
    saved.set_topic(message.topic);
    saved.set_hash(message.hash);
    saved.set_session(message.session);
  }
  std::int64_t time = 0;
  std::int64_t message = 0;
  for (const Reading& reading : readings_) {
    out.add_time_ms(ms(reading.time) - time);
    time = ms(reading.time);
    out.add_value(reading.value);
    out.add_asset(reading.asset);
    out.add_signal(reading.signal);
    out.add_flags(reading.flags | (reading.transient ? kTransient : 0U));
    out.add_message(static_cast<std::int64_t>(reading.message) - message);
    message = reading.message;
  }
}

std::optional<HeldReadings> HeldReadings::from_proto(const HeldState& in) {
  HeldReadings held(time_of(in.since_ms()));
  held.historical_ = time_of(in.historical_ms());
  held.newest_past_ = time_of(in.newest_past_ms());
  held.topics_.assign(in.topics().begin(), in.topics().end());
  for (std::size_t i = 0; i < held.topics_.size(); ++i) {
    held.topic_index_.emplace(held.topics_[i], static_cast<std::uint32_t>(i));
  }
  for (const HeldMessage& saved : in.messages()) {
    if (saved.topic() >= held.topics_.size()) return std::nullopt;
    held.messages_.push_back(
        {saved.arrived(), time_of(saved.received_ms()), saved.topic(), saved.hash(), saved.session()});
  }
  const int count = in.time_ms_size();
  if (in.value_size() != count || in.asset_size() != count || in.signal_size() != count || in.flags_size() != count ||
      in.message_size() != count) {
    return std::nullopt;
  }
  std::int64_t time = 0;
  std::int64_t message = 0;
  for (int i = 0; i < count; ++i) {
    time += in.time_ms(i);
    message += in.message(i);
    if (message < 0 || static_cast<std::size_t>(message) >= held.messages_.size()) return std::nullopt;
    held.readings_.push_back({time_of(time), in.value(i), in.asset(i), static_cast<std::uint32_t>(message),
                              static_cast<std::uint16_t>(in.signal(i)), static_cast<std::uint8_t>(in.flags(i)),
                              (in.flags(i) & kTransient) != 0});
  }
  return held;
}

}  // namespace fettle::engine
