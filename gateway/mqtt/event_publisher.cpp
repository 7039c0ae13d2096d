#include "gateway/mqtt/event_publisher.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/mqtt/paho.h"

namespace fettle::mqtt_adapter {
namespace {

constexpr std::chrono::milliseconds kGoodbye{200};  // for the DISCONNECT to be sent

}  // namespace

// Paho's word on each event. Its context is the event's serial, which no other event ever has: an acknowledgement
// counts whichever connection it belongs to.
class EventPublisher::Acknowledgements : public ::mqtt::iaction_listener {
 public:
  explicit Acknowledgements(EventPublisher& publisher) : publisher_(publisher) {}
  void on_success(const ::mqtt::token& token) override {
    publisher_.acknowledged(reinterpret_cast<std::uintptr_t>(token.get_user_context()));
  }
  // It is published again in the next connection.
  void on_failure(const ::mqtt::token&) override { publisher_.lost(); }

 private:
  EventPublisher& publisher_;
};

EventPublisher::EventPublisher(EventOptions options, Delivered delivered, SessionLog log)
    : options_(std::move(options)),
      delivered_(std::move(delivered)),
      log_(std::move(log)),
      acknowledgements_(std::make_unique<Acknowledgements>(*this)) {}

EventPublisher::~EventPublisher() {
  stop();
}

void EventPublisher::start() {
  thread_ = std::thread([this] { run(); });
}

void EventPublisher::begin_stop() {
  const std::scoped_lock lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

void EventPublisher::stop() {
  if (!thread_.joinable()) return;
  begin_stop();
  thread_.join();
}

bool EventPublisher::offer(std::uint64_t id, std::string topic, std::string payload) {
  if (payload.size() > kMaxPayload) return false;
  const std::scoped_lock lock(mutex_);
  if (events_.size() >= options_.max_queued) return false;
  events_.push_back({id, std::move(topic), std::move(payload)});
  changed_.notify_all();
  return true;
}

EventPublisher::Counts EventPublisher::counts() const {
  const std::scoped_lock lock(mutex_);
  const auto waiting = std::count_if(events_.begin(), events_.end(), [](const Event& e) { return !e.acknowledged; });
  return {connections_, published_, told_, static_cast<std::uint64_t>(waiting)};
}

// ---- the thread ----------------------------------------------------------------------------------------------------

void EventPublisher::run() {
  std::chrono::milliseconds retry = kFirstRetry;
  while (!stopping_) {
    const bool up = connect();
    if (up) {
      retry = kFirstRetry;
      serve();
      if (!stopping_) log_("lost the broker " + options_.broker + "; events wait until the session is back");
    }
    connected_ = false;
    try {
      client_->disconnect(0)->wait_for(kGoodbye);
    } catch (const ::mqtt::exception&) {
      // It was not connected.
    }
    client_.reset();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, retry, [this] { return stopping_.load(); });
    retry = std::min(retry * 2, kLastRetry);
  }
}

bool EventPublisher::connect() {
  lost_ = false;
  // A client for each connection: nothing that Paho kept of the last one comes between what is published again. (Paho C
  // 1.3 does not free messages that were unacknowledged at a lost connection: about 150 bytes each, at most a window.)
  client_ = client_for(options_, options_.client_id);
  client_->set_connection_lost_handler([this](const std::string&) { lost(); });
  ::mqtt::connect_options how = options_for(options_, SessionKind::clean, options_.keep_alive);
  how.set_max_inflight(static_cast<int>(options_.window));
  try {
    const auto token = client_->connect(how);
    const auto deadline = std::chrono::steady_clock::now() + kConnectTimeout;
    while (!token->wait_for(kAnswerSlice)) {
      if (stopping_) return false;
      if (std::chrono::steady_clock::now() > deadline) throw ::mqtt::exception(MQTTASYNC_FAILURE, "no answer in 10 s");
    }
  } catch (const ::mqtt::exception& error) {
    if (!stopping_) {
      log_("cannot connect to " + options_.broker + ": " + why_not_connected(error, options_, options_.client_id) +
           "; trying again");
    }
    return false;
  }
  {
    const std::scoped_lock lock(mutex_);
    next_ = first_;
    in_flight_ = 0;
  }
  ++connections_;
  connected_ = true;
  log_("publishing events to " + options_.broker + " as " + options_.client_id);
  return true;
}

// Until the connection is lost, or stop() was called.
void EventPublisher::serve() {
  std::vector<std::uint64_t> to_tell;
  while (true) {
    std::optional<Event> event;
    std::uint64_t serial = 0;
    {
      std::unique_lock lock(mutex_);
      const auto can_publish = [this] { return next_ < first_ + events_.size() && in_flight_ < options_.window; };
      changed_.wait(lock, [&] { return stopping_ || lost_ || !to_tell_.empty() || can_publish(); });
      to_tell.swap(to_tell_);
      if (!stopping_ && !lost_ && can_publish()) {
        serial = next_++;
        const Event& next = events_[serial - first_];
        if (!next.acknowledged) {
          event = next;
          ++in_flight_;
        }
      }
    }
    for (const std::uint64_t id : to_tell) {
      ++told_;
      delivered_(id);
    }
    to_tell.clear();
    if (stopping_ || lost_) return;
    if (event) publish(serial, *event);
  }
}

void EventPublisher::publish(std::uint64_t serial, const Event& event) {
  try {
    // A number as the context of a C callback, never followed as a pointer.
    auto* context = reinterpret_cast<void*>(static_cast<std::uintptr_t>(serial));  // NOLINT(performance-no-int-to-ptr)
    client_->publish(event.topic, event.payload.data(), event.payload.size(), 1, false, context, *acknowledgements_);
    ++published_;
  } catch (const ::mqtt::exception& error) {
    log_("cannot publish " + event.topic + ": " + error.to_string());
    lost();
  }
}

// ---- Paho's thread -------------------------------------------------------------------------------------------------

void EventPublisher::acknowledged(std::uint64_t serial) {
  const std::scoped_lock lock(mutex_);
  if (serial < first_ || serial >= first_ + events_.size()) return;
  Event& event = events_[serial - first_];
  if (event.acknowledged) return;
  event.acknowledged = true;
  if (serial < next_ && in_flight_ > 0) --in_flight_;
  to_tell_.push_back(event.id);
  while (!events_.empty() && events_.front().acknowledged) {
    events_.pop_front();
    ++first_;
  }
  next_ = std::max(next_, first_);
  changed_.notify_all();
}

void EventPublisher::lost() {
  const std::scoped_lock lock(mutex_);
  lost_ = true;
  connected_ = false;
  changed_.notify_all();
}

}  // namespace fettle::mqtt_adapter
