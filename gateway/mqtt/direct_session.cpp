#include "gateway/mqtt/direct_session.h"

#include "gateway/mqtt/paho.h"

namespace fettle::mqtt_adapter {
namespace {

constexpr std::chrono::seconds kLastAnswer{5};  // for what is on its way to be acknowledged

}  // namespace

DirectSession::DirectSession(DirectOptions options, journal::Journal& journal, journal::Clock& clock, SessionLog log)
    : options_(std::move(options)), log_(std::move(log)), intake_(journal, clock, log_, "the broker keeps them") {}

DirectSession::~DirectSession() {
  stop();
}

void DirectSession::start() {
  client_ = client_for(options_, options_.client_id);
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
  if (disconnecting_.joinable()) return false;  // it was tried before
  if (!thread_.joinable()) return true;
  intake_.stop();
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
  // Paho's disconnect waits for a running callback: one that only waits for room ends as soon as the engine has made
  // some; one that the disk refuses may never end, and then neither does this thread.
  disconnecting_ = std::thread([this] {
    try {
      client_->disconnect(1000)->wait_for(kLastAnswer);
    } catch (const ::mqtt::exception&) {
      // Not connected: nothing to end.
    }
    disconnected_ = true;
    const std::scoped_lock lock(mutex_);
    changed_.notify_all();
  });
  while (!disconnected_ && !intake_.refused_by_disk()) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, Intake::kSlice, [this] { return disconnected_.load(); });
  }
  if (!disconnected_) return false;
  disconnecting_.join();
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
      while (!stopping_ && !lost_) {
        {
          std::unique_lock lock(mutex_);
          changed_.wait(lock, [this] { return stopping_.load() || lost_.load() || further_changed_; });
        }
        if (!stopping_ && !lost_) subscribe_further();
      }
      connected_ = false;
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
  const ::mqtt::connect_options how = options_for(options_, SessionKind::durable, options_.keep_alive);
  bool up = false;
  try {
    const auto token = client_->connect(how);
    if (!token->wait_for(kConnectTimeout)) throw ::mqtt::exception(MQTTASYNC_FAILURE, "no answer in 10 s");
    up = true;
    record_session(true);
    std::vector<std::string> topics = options_.topics;
    if (intake_.follows_clock()) topics.emplace_back(Intake::kClockTopic);
    for (const std::string& topic : topics) subscribe(topic);
    {
      const std::scoped_lock lock(mutex_);
      further_changed_ = !further_.empty();
    }
    connected_ = true;
    ++connections_;
    log_("connected to " + options_.broker + " as " + options_.client_id);
    return true;
  } catch (const ::mqtt::exception& error) {
    if (!stopping_) {
      log_("cannot connect to " + options_.broker + ": " +
           (up ? error.to_string() : why_not_connected(error, options_, options_.client_id)) + "; trying again");
    }
    try {
      client_->disconnect(0);
    } catch (const ::mqtt::exception&) {
      // It was not connected.
    }
    if (up) record_session(false);
    return false;
  }
}

// While a backlog comes in, Paho's receive thread may keep its sender from the mutex for longer than any sensible
// timeout. So the answer is awaited as long as the connection lasts; the keep-alive ends a dead one.
void DirectSession::subscribe(const std::string& filter) {
  const auto answer = client_->subscribe(filter, 1);
  while (!answer->wait_for(kAnswerSlice)) {
    if (lost_ || stopping_) throw ::mqtt::exception(MQTTASYNC_DISCONNECTED, "it went before the subscription");
  }
}

void DirectSession::subscribe_to(std::vector<std::string> filters) {
  const std::scoped_lock lock(mutex_);
  if (filters == further_) return;
  further_ = std::move(filters);
  further_changed_ = true;
  changed_.notify_all();
}

// A filter that is no longer wanted stays subscribed until the next connection: what comes by it is told to nobody.
void DirectSession::subscribe_further() {
  std::vector<std::string> filters;
  {
    const std::scoped_lock lock(mutex_);
    if (!further_changed_) return;
    further_changed_ = false;
    filters = further_;
  }
  for (const std::string& filter : filters) {
    try {
      subscribe(filter);
      log_("listens to " + filter + " too, as a mapping of the catalog asks for");
    } catch (const ::mqtt::exception& error) {
      if (!lost_) log_("the broker refuses the subscription to " + filter + ": " + error.to_string());
    }
  }
}

void DirectSession::record_session(bool up) {
  std::string body;
  encode(journal::Session{up, options_.name}, body);
  // While stopping it may be missed: the next start records the outage.
  intake_.append(journal::Kind::session, body, Intake::AtStop::give_up);
}

void DirectSession::receive(const ::mqtt::message& message) {
  try {
    const std::string_view topic = message.get_topic();
    const std::string& payload = message.get_payload_ref().str();
    if (topic == Intake::kClockTopic) {
      intake_.clock(payload, Intake::AtStop::hold);
      return;
    }
    std::string_view kept = payload;
    if (kept.size() > options_.max_payload) kept = kept.substr(0, kKeptOfCut);
    body_.clear();
    encode(journal::Message{static_cast<std::uint32_t>(payload.size()), topic, kept}, body_);
    intake_.append(journal::Kind::message, body_, Intake::AtStop::hold, Intake::keep_of(message.get_qos()));
  } catch (const std::exception& error) {
    // Only memory can be short here. Returning would acknowledge what was not kept.
    log_(std::string("cannot take a message in: ") + error.what() + "; ending, so that the broker keeps it");
    std::abort();
  } catch (...) {
    std::abort();  // Paho's C code cannot be thrown through
  }
}

}  // namespace fettle::mqtt_adapter
