#include "gateway/mqtt/sparkplug_session.h"

#include <optional>
#include <utility>

#include "gateway/mqtt/paho.h"

namespace fettle::mqtt_adapter {
namespace {

constexpr std::size_t kMaxStates = 64;  // own STATE messages not looked at yet; any of them leads to the same answer
constexpr std::chrono::seconds kLastDelivery{5};  // for the death certificate to be acknowledged
constexpr std::chrono::hours kUntilWoken{1};
constexpr std::string_view kStatePrefix = "spBv1.0/STATE/";

// STATE certificates carry the machine's UTC, whatever clock the journal follows.
sparkplug::HostSession::Time utc_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

template <typename... Fs>
struct Overloaded : Fs... {
  using Fs::operator()...;
};
template <typename... Fs>
Overloaded(Fs...) -> Overloaded<Fs...>;

}  // namespace

class SparkplugSession::Published {
 public:
  explicit Published(::mqtt::delivery_token_ptr token) : token_(std::move(token)) {}
  void wait(std::chrono::milliseconds at_most) { token_->wait_for(at_most); }

 private:
  ::mqtt::delivery_token_ptr token_;
};

// ---- beginning and end ---------------------------------------------------------------------------------------------

AccessResult<std::unique_ptr<SparkplugSession>> SparkplugSession::make(SparkplugOptions options,
                                                                       journal::Journal& journal, journal::Clock& clock,
                                                                       SessionLog log) {
  auto host = sparkplug::HostSession::make({options.host_id, options.groups, kFirstRetry, kLastRetry});
  if (!host) return AccessError{host.error().detail};
  std::unique_ptr<SparkplugSession> session(
      new SparkplugSession(std::move(options), std::move(*host), journal, clock, std::move(log)));
  return session;
}

SparkplugSession::SparkplugSession(SparkplugOptions options, sparkplug::HostSession host, journal::Journal& journal,
                                   journal::Clock& clock, SessionLog log)
    : options_(std::move(options)),
      host_(std::move(host)),
      own_topic_(host_.own_topic()),
      log_(std::move(log)),
      intake_(journal, clock, log_, "edge nodes keep them once this host is seen offline") {}

SparkplugSession::~SparkplugSession() {
  stop();
}

void SparkplugSession::start() {
  thread_ = std::thread([this] { run(); });
}

void SparkplugSession::begin_stop() {
  intake_.stop();  // a held callback returns: Paho's mutex is needed for the death certificate
  stopping_ = true;
  wake();
}

void SparkplugSession::stop() {
  if (!thread_.joinable()) return;
  begin_stop();
  thread_.join();
}

void SparkplugSession::wake() {
  const std::scoped_lock lock(mutex_);
  changed_.notify_all();
}

SparkplugSession::Counts SparkplugSession::counts() const {
  return {connections_, intake_.held(), given_up_, foreign_states_, requests_sent_, requests_failed_};
}

// ---- the thread ----------------------------------------------------------------------------------------------------

void SparkplugSession::run() {
  perform(host_.start(utc_now()));
  while (!stopping_) {
    std::deque<StateMessage> states;
    std::optional<Request> request;
    {
      std::unique_lock lock(mutex_);
      const auto until = client_ ? std::chrono::steady_clock::now() + kUntilWoken : retry_at_;
      changed_.wait_until(lock, until, [this] { return stopping_ || lost_ || !states_.empty() || !requests_.empty(); });
      states.swap(states_);
      if (!requests_.empty()) {
        request = std::move(requests_.front());
        requests_.pop_front();
      }
    }
    if (stopping_) break;
    if (lost_) {
      log_("lost the broker " + options_.broker + "; it tells the edge nodes, which keep what they have");
      if (request) ++requests_failed_;
      perform(host_.lost());
      continue;
    }
    for (const StateMessage& state : states) perform(host_.state_message(state.payload, state.retained));
    if (request) send(*request);
    if (!client_ && std::chrono::steady_clock::now() >= retry_at_) perform(host_.start(utc_now()));
  }
  perform(host_.stop(utc_now()));
  drop_client();
}

// Each action may lead to others: a connection to a subscription, that one to the birth certificate.
void SparkplugSession::perform(sparkplug::SessionActions actions) {
  std::deque<sparkplug::SessionAction> left(std::make_move_iterator(actions.begin()),
                                            std::make_move_iterator(actions.end()));
  while (!left.empty()) {
    const sparkplug::SessionAction action = std::move(left.front());
    left.pop_front();
    for (sparkplug::SessionAction& next : perform_one(action)) left.push_back(std::move(next));
  }
  if (host_.online() && !online_.exchange(true)) {
    log_("online at " + options_.broker + " as Sparkplug host " + options_.host_id);
  }
  if (!host_.online()) online_ = false;
}

sparkplug::SessionActions SparkplugSession::perform_one(const sparkplug::SessionAction& action) {
  using Actions = sparkplug::SessionActions;
  return std::visit(Overloaded{[&](const sparkplug::Connect& connect_how) { return connect(connect_how); },
                               [&](const sparkplug::Subscribe& what) { return subscribe(what); },
                               [&](const sparkplug::Publish& what) {
                                 publish(what.certificate);
                                 return Actions{};
                               },
                               [&](const sparkplug::Disconnect&) {
                                 disconnect();
                                 return Actions{};
                               },
                               [&](const sparkplug::RetryAfter& retry) {
                                 drop_client();
                                 retry_at_ = std::chrono::steady_clock::now() + retry.wait;
                                 return Actions{};
                               },
                               [&](const sparkplug::Warning& warning) {
                                 log_(options_.broker + ": " + warning.text);
                                 return Actions{};
                               }},
                    action);
}

sparkplug::SessionActions SparkplugSession::connect(const sparkplug::Connect& how) {
  lost_ = false;
  try {
    client_ = client_for(options_, options_.client_id);
    client_->set_message_callback([this](const ::mqtt::const_message_ptr& message) {
      if (message) receive(*message);
    });
    client_->set_connection_lost_handler([this](const std::string&) {
      online_ = false;
      lost_ = true;
      wake();
    });
    ::mqtt::connect_options options =
        options_for(options_, how.clean_start ? SessionKind::clean : SessionKind::durable, options_.keep_alive);
    options.set_will(::mqtt::will_options(how.will.topic, how.will.payload, how.will.qos, how.will.retain));
    const auto token = client_->connect(options);
    const auto deadline = std::chrono::steady_clock::now() + kConnectTimeout;
    while (!token->wait_for(kAnswerSlice)) {
      if (stopping_) return host_.lost();
      if (std::chrono::steady_clock::now() > deadline) throw ::mqtt::exception(MQTTASYNC_FAILURE, "no answer in 10 s");
    }
  } catch (const ::mqtt::exception& error) {
    if (!stopping_) {
      log_("cannot connect to " + options_.broker + ": " + why_not_connected(error, options_, options_.client_id) +
           "; trying again");
    }
    return host_.lost();
  }
  ++connections_;
  record_session(true);
  return host_.connected();
}

sparkplug::SessionActions SparkplugSession::subscribe(const sparkplug::Subscribe& what) {
  std::vector<std::string> filters;
  ::mqtt::iasync_client::qos_collection qos;
  for (const sparkplug::Subscription& subscription : what.subscriptions) {
    filters.push_back(subscription.filter);
    qos.push_back(subscription.qos);
  }
  // QoS 0 as the data, so that it comes in order with it.
  if (intake_.follows_clock()) {
    filters.emplace_back(Intake::kClockTopic);
    qos.push_back(0);
  }
  bool all = true;
  try {
    const auto token = client_->subscribe(::mqtt::string_collection::create(filters), qos);
    while (!token->wait_for(kAnswerSlice)) {
      if (lost_ || stopping_) return host_.lost();
    }
    const auto response = token->get_subscribe_response();
    for (const auto code : response.get_reason_codes()) {
      if (code > ::mqtt::ReasonCode::GRANTED_QOS_2) all = false;
    }
  } catch (const ::mqtt::exception&) {
    if (lost_) return host_.lost();
    all = false;
  }
  return host_.subscribed(all ? sparkplug::Granted::all : sparkplug::Granted::not_all);
}

void SparkplugSession::publish(const sparkplug::Certificate& certificate) {
  try {
    published_ =
        std::make_unique<Published>(client_->publish(certificate.topic, certificate.payload.data(),
                                                     certificate.payload.size(), certificate.qos, certificate.retain));
  } catch (const ::mqtt::exception& error) {
    log_("cannot publish " + certificate.topic + ": " + error.to_string());  // lost: the Will speaks
  }
}

void SparkplugSession::disconnect() {
  if (!client_) return;
  try {
    if (published_) published_->wait(kLastDelivery);
  } catch (const ::mqtt::exception& error) {
    log_("the death certificate was not delivered to " + options_.broker + ": " + error.to_string());
  }
  try {
    client_->disconnect(0)->wait_for(kLastDelivery);
  } catch (const ::mqtt::exception&) {
    // No longer connected: the Will speaks.
  }
}

// Pre: the connection was lost, ended or never came to be.
void SparkplugSession::drop_client() {
  if (client_) {
    try {
      client_->disconnect(0)->wait_for(kAnswerSlice);  // an attempt that may still be under way
    } catch (const ::mqtt::exception&) {
      // There was none.
    }
  }
  published_.reset();
  client_.reset();
  lost_ = false;
  forget_requests();
  record_session(false);
}

// ---- to the nodes --------------------------------------------------------------------------------------------------

bool SparkplugSession::request(std::string topic, std::string payload) {
  const std::scoped_lock lock(mutex_);
  if (!online_ || stopping_ || requests_.size() >= kMaxRequests) return false;
  requests_.push_back({std::move(topic), std::move(payload)});
  changed_.notify_all();
  return true;
}

void SparkplugSession::send(const Request& request) {
  try {
    client_->publish(request.topic, request.payload.data(), request.payload.size(), 0, false);
    ++requests_sent_;
  } catch (const ::mqtt::exception& error) {
    ++requests_failed_;
    log_("cannot publish " + request.topic + ": " + error.to_string());
  }
}

// What waited for a session that is gone: the next birth makes it needless, and if not, the engine asks again.
void SparkplugSession::forget_requests() {
  const std::scoped_lock lock(mutex_);
  requests_failed_ += requests_.size();
  requests_.clear();
  states_.clear();
}

// ---- from the nodes ------------------------------------------------------------------------------------------------

void SparkplugSession::record_session(bool up) {
  if (session_recorded_ == up) return;
  std::string body;
  encode(journal::Session{up, options_.name}, body);
  // While stopping it may be missed: the next start records the outage.
  intake_.append(journal::Kind::session, body, Intake::AtStop::give_up);
  session_recorded_ = up;
}

void SparkplugSession::receive(const ::mqtt::message& message) {
  try {
    const std::string_view topic = message.get_topic();
    const std::string& payload = message.get_payload_ref().str();
    if (topic.starts_with(kStatePrefix)) {
      receive_state(topic, payload, message.is_retained() ? sparkplug::Retained::yes : sparkplug::Retained::no);
      return;
    }
    if (topic == Intake::kClockTopic) {
      intake_.clock(payload, Intake::AtStop::give_up);
      return;
    }
    std::string_view kept = payload;
    if (kept.size() > options_.max_payload) kept = kept.substr(0, kKeptOfCut);
    body_.clear();
    encode(journal::SparkplugMessage{options_.name, {static_cast<std::uint32_t>(payload.size()), topic, kept}}, body_);
    const journal::Keep keep = Intake::keep_of(message.get_qos());
    if (!intake_.append(journal::Kind::sparkplug, body_, Intake::AtStop::give_up, keep)) ++given_up_;
  } catch (const std::exception& error) {
    // Only memory can be short here. The gap in the sequence numbers tells the engine.
    ++given_up_;
    log_(std::string("cannot take a message in: ") + error.what());
  } catch (...) {
    ++given_up_;  // Paho's C code cannot be thrown through
  }
}

void SparkplugSession::receive_state(std::string_view topic, const std::string& payload, sparkplug::Retained retained) {
  if (topic != own_topic_) {
    ++foreign_states_;
    return;
  }
  const std::scoped_lock lock(mutex_);
  if (states_.size() >= kMaxStates) states_.pop_front();
  states_.push_back({payload, retained});
  changed_.notify_all();
}

}  // namespace fettle::mqtt_adapter
