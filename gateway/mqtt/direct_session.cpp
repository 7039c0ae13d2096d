#include "gateway/mqtt/direct_session.h"

#include <mqtt/async_client.h>

#include <boost/json.hpp>

namespace fettle::mqtt_adapter {
namespace {

constexpr std::chrono::seconds kConnectTimeout{10};
constexpr std::chrono::milliseconds kFirstRetry{250};
constexpr std::chrono::milliseconds kLastRetry{15'000};
constexpr std::chrono::milliseconds kHoldSlice{200};
constexpr std::chrono::milliseconds kAnswerSlice{200};
constexpr std::size_t kKeptOfCut = 1024;  // bytes of an over-long payload that are journaled
constexpr std::string_view kClockTopic = "fettle/v1/clock";

}  // namespace

DirectSession::DirectSession(DirectOptions options, journal::Journal& journal, journal::Clock& clock, SessionLog log)
    : options_(std::move(options)), journal_(journal), clock_(clock), log_(std::move(log)) {}

DirectSession::~DirectSession() {
  stop();
}

void DirectSession::start() {
  // Without client-side persistence: what this session receives is persisted by the journal alone.
  client_ =
      std::make_unique<::mqtt::async_client>(options_.broker, options_.client_id, ::mqtt::create_options(), nullptr);
  // Set before connect: Paho acknowledges unseen whatever arrives without a handler.
  client_->set_message_callback([this](const ::mqtt::const_message_ptr& message) {
    if (message) receive(*message);
  });
  client_->set_connection_lost_handler([this](const std::string&) {
    connected_ = false;
    lost_ = true;
    const std::scoped_lock lock(mutex_);
    changed_.notify_all();
  });
  thread_ = std::thread([this] { run(); });
}

bool DirectSession::stop() {
  if (!thread_.joinable()) return !holding_;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
  try {
    // Waits for a running callback: one that only waits for room ends as soon as the engine has made some.
    client_->disconnect(1000)->wait_for(std::chrono::seconds(5));
  } catch (const ::mqtt::exception&) {
    // Not connected: nothing to end.
  }
  if (holding_) return false;
  record_session(false);
  client_.reset();
  return true;
}

void DirectSession::wait(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most, [this] { return stopping_.load() || lost_.load(); });
}

void DirectSession::run() {
  std::chrono::milliseconds retry = kFirstRetry;
  while (!stopping_) {
    lost_ = false;
    if (connect()) {
      retry = kFirstRetry;
      while (!stopping_ && !lost_) wait(std::chrono::hours(1));
      if (stopping_) return;
      record_session(false);
      log_("lost the broker " + options_.broker + "; it keeps what devices send until the session is back");
    }
    lost_ = false;
    wait(retry);
    retry = std::min(retry * 2, kLastRetry);
  }
}

bool DirectSession::connect() {
  ::mqtt::connect_options how;
  how.set_mqtt_version(MQTTVERSION_3_1_1);
  how.set_clean_session(false);
  how.set_keep_alive_interval(options_.keep_alive);
  how.set_connect_timeout(kConnectTimeout);
  if (!options_.username.empty()) {
    how.set_user_name(options_.username);
    how.set_password(options_.password);
  }
  bool up = false;
  try {
    const auto token = client_->connect(how);
    if (!token->wait_for(kConnectTimeout)) throw ::mqtt::exception(MQTTASYNC_FAILURE, "no answer in 10 s");
    up = true;
    record_session(true);
    std::vector<std::string> topics = options_.topics;
    if (clock_.kind() == journal::ClockKind::recording) topics.emplace_back(kClockTopic);
    for (const std::string& topic : topics) {
      // While a backlog comes in, Paho's receive thread may keep its sender from the mutex for longer than any sensible
      // timeout. So the answer is awaited as long as the connection lasts; the keep-alive ends a dead one.
      const auto answer = client_->subscribe(topic, 1);
      while (!answer->wait_for(kAnswerSlice)) {
        if (lost_ || stopping_) throw ::mqtt::exception(MQTTASYNC_DISCONNECTED, "it went before the subscription");
      }
    }
    connected_ = true;
    log_("connected to " + options_.broker + " as " + options_.client_id);
    return true;
  } catch (const ::mqtt::exception& error) {
    log_("cannot connect to " + options_.broker + ": " + error.to_string() + "; trying again");
    try {
      client_->disconnect(0);
    } catch (const ::mqtt::exception&) {
      // It was not connected.
    }
    if (up) record_session(false);
    return false;
  }
}

void DirectSession::record_session(bool up) {
  std::string body;
  encode(journal::Session{up, options_.name}, body);
  append(journal::Kind::session, body);
}

// Does not return before the record is in the journal, except while stopping without a message in hand.
void DirectSession::append(journal::Kind kind, std::string_view body) {
  bool told = false;
  for (;;) {
    const auto appended = journal_.append(kind, clock_.now(), body);
    if (appended) break;
    if (kind == journal::Kind::session && stopping_) return;  // the next start records the outage
    holding_ = appended.error() != journal::Refusal::full;
    if (!told && appended.error() == journal::Refusal::disk) {
      log_(journal_.disk_error() + "; holding messages back until there is room (the broker keeps them)");
      told = true;
    }
    if (appended.error() == journal::Refusal::full) {
      journal_.wait_for_space(kHoldSlice);
    } else {
      std::this_thread::sleep_for(kHoldSlice);
    }
  }
  holding_ = false;
}

void DirectSession::receive(const ::mqtt::message& message) {
  try {
    const std::string_view topic = message.get_topic();
    const std::string& payload = message.get_payload_ref().str();
    if (topic == kClockTopic) {
      receive_clock(payload);
      return;
    }
    std::string_view kept = payload;
    if (kept.size() > options_.max_payload) kept = kept.substr(0, kKeptOfCut);
    body_.clear();
    encode(journal::Message{static_cast<std::uint32_t>(payload.size()), topic, kept}, body_);
    append(journal::Kind::message, body_);
  } catch (const std::exception& error) {
    // Only memory can be short here. Returning would acknowledge what was not kept.
    log_(std::string("cannot take a message in: ") + error.what() + "; ending, so that the broker keeps it");
    std::abort();
  }
}

// {"now": ms}. The record that follows carries the new time; a redelivered, older one is no news.
void DirectSession::receive_clock(std::string_view payload) {
  boost::json::error_code error;
  const boost::json::value value = boost::json::parse(payload, error);
  const auto* object = error ? nullptr : value.if_object();
  const auto* now = object == nullptr ? nullptr : object->if_contains("now");
  if (now == nullptr || !now->is_int64()) {
    log_("ignored a message on fettle/v1/clock: expected {\"now\": <ms since 1970>}");
    return;
  }
  if (clock_.advance(journal::Time(std::chrono::milliseconds(now->get_int64())))) append(journal::Kind::tick, {});
}

}  // namespace fettle::mqtt_adapter
