#include "gateway/sparkplug/host_session.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "gateway/sparkplug/topic.h"

namespace fettle::sparkplug {
namespace {

constexpr std::size_t kLongestState = 4'096;  // bytes; a certificate has about 50

// A JSON object of scalars, member by member, as far as a certificate needs it. RFC 8259.
class FlatObject {
 public:
  explicit FlatObject(std::string_view text) : text_(text) {}

  // Calls f(name, value as written) for each member; false where the text is no such object.
  template <typename F>
  bool each(F f) {
    if (!take('{')) return false;
    if (take('}')) return at_end();
    do {
      std::string_view name;
      std::string_view value;
      if (!string(name) || !take(':') || !scalar(value)) return false;
      f(name, value);
    } while (take(','));
    return take('}') && at_end();
  }

 private:
  void skip_space() {
    while (!text_.empty() && std::string_view(" \t\r\n").find(text_.front()) != std::string_view::npos) {
      text_.remove_prefix(1);
    }
  }
  bool take(char wanted) {
    skip_space();
    if (!text_.starts_with(wanted)) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool at_end() {
    skip_space();
    return text_.empty();
  }
  // Without its quotes, escapes as they stand.
  bool string(std::string_view& out) {
    if (!take('"')) return false;
    std::size_t end = 0;
    while (end < text_.size() && text_[end] != '"') end += text_[end] == '\\' ? 2 : 1;
    if (end >= text_.size()) return false;
    out = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return true;
  }
  // As written: a text with its quotes.
  bool scalar(std::string_view& out) {
    skip_space();
    const std::string_view begin = text_;
    if (text_.starts_with('"')) {
      if (!string(out)) return false;
      out = begin.substr(0, begin.size() - text_.size());
      return true;
    }
    out = text_.substr(0, std::min(text_.find_first_of(",}{[]: \t\r\n"), text_.size()));
    text_.remove_prefix(out.size());
    return !out.empty();
  }

  std::string_view text_;
};

}  // namespace

std::optional<StateCertificate> parse_state(std::string_view payload) {
  if (payload.size() > kLongestState) return std::nullopt;
  std::optional<bool> online;
  std::optional<std::int64_t> timestamp;
  const bool object = FlatObject(payload).each([&](std::string_view name, std::string_view value) {
    if (name == "online" && (value == "true" || value == "false")) online = value == "true";
    if (name != "timestamp") return;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error == std::errc() && end == value.data() + value.size()) timestamp = number;
  });
  if (!object || !online || !timestamp) return std::nullopt;
  return StateCertificate{*online, *timestamp};
}

Result<HostSession> HostSession::make(HostSessionOptions options) {
  if (const auto problem = problem_of_id(options.host_id)) {
    return Malformed{"bad_topic", "the host id \"" + options.host_id + "\" " + *problem};
  }
  for (const std::string& group : options.groups) {
    if (const auto problem = problem_of_id(group)) {
      return Malformed{"bad_topic", "the group id \"" + group + "\" " + *problem};
    }
  }
  std::string topic = state_topic(options.host_id);
  return HostSession(std::move(options), std::move(topic));
}

HostSession::HostSession(HostSessionOptions options, std::string own_topic)
    : options_(std::move(options)), own_topic_(std::move(own_topic)), wait_(options_.first_retry) {}

Certificate HostSession::certificate(bool online, Time time) const {
  return {own_topic_, std::string("{\"online\":") + (online ? "true" : "false") +
                          ",\"timestamp\":" + std::to_string(time.time_since_epoch().count()) + '}'};
}

HostSession::Time HostSession::stamp(Time now) {
  stamp_ = std::max(stamp_, now);
  return stamp_;
}

SessionActions HostSession::start(Time now) {
  if (phase_ != Phase::idle) return {};
  phase_ = Phase::connecting;
  return {Connect{certificate(false, stamp(now))}};
}

SessionActions HostSession::connected() {
  if (phase_ != Phase::connecting) return {};
  phase_ = Phase::subscribing;
  Subscribe subscribe;
  subscribe.subscriptions.push_back({own_topic_});
  for (const std::string& group : options_.groups) {
    subscribe.subscriptions.push_back({std::string(kNamespace) + '/' + group + "/#"});
  }
  if (options_.groups.empty()) subscribe.subscriptions.push_back({std::string(kNamespace) + "/#"});
  return {std::move(subscribe)};
}

SessionActions HostSession::subscribed(Granted granted) {
  if (phase_ != Phase::subscribing) return {};
  if (granted == Granted::not_all) {
    SessionActions actions{Warning{"the broker refuses a subscription to " + std::string(kNamespace) +
                                   " topics; allow this user to read " + own_topic_ + " and its groups"},
                           Disconnect{}};
    for (SessionAction& action : retry()) actions.push_back(std::move(action));
    return actions;
  }
  phase_ = Phase::online;
  wait_ = options_.first_retry;
  return {Publish{certificate(true, stamp_)}};
}

SessionActions HostSession::retry() {
  phase_ = Phase::idle;
  const auto wait = wait_;
  wait_ = std::min(wait_ * 2, options_.last_retry);
  return {RetryAfter{wait}};
}

SessionActions HostSession::lost() {
  if (phase_ == Phase::idle || phase_ == Phase::stopped) return {};
  return retry();
}

SessionActions HostSession::state_message(std::string_view payload, Retained retained) {
  // Before the birth: what is there is about to be replaced by it.
  if (phase_ != Phase::online) return {};
  const auto state = parse_state(payload);
  if (!state || !state->online) return {Publish{certificate(true, stamp_)}};
  if (state->timestamp == stamp_.time_since_epoch().count() || retained == Retained::yes) return {};
  return {Warning{"somebody else says on " + own_topic_ +
                  " that this host is online; a host id must be unique: give one of the two another host_id"}};
}

SessionActions HostSession::stop(Time now) {
  const Phase before = std::exchange(phase_, Phase::stopped);
  switch (before) {
    case Phase::idle:
    case Phase::stopped:
      return {};
    case Phase::connecting:
    case Phase::subscribing:
      // Without a birth there is nothing to end, and no death may come before it.
      return {Disconnect{}};
    case Phase::online:
      break;
  }
  return {Publish{certificate(false, stamp(now))}, Disconnect{}};
}

}  // namespace fettle::sparkplug
