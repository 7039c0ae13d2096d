#include "firmware-sim/paho_link.h"

#include <mqtt/async_client.h>

#include <condition_variable>
#include <iterator>
#include <mutex>

namespace fettle::sim {
namespace {

constexpr int kAtLeastOnce = 1;

}  // namespace

// Written by Paho's threads, read by the publisher's.
class PahoLink::EventQueue {
 public:
  // Out of memory is the only failure there is; the process could not go on anyway, and must not throw into C code.
  void add(LinkEvent event) noexcept {
    const std::lock_guard lock(mutex_);
    events_.push_back(std::move(event));
    if (waiting_) wake_.notify_one();
  }

  std::vector<LinkEvent> take(Instant until) {
    std::unique_lock lock(mutex_);
    waiting_ = true;
    wake_.wait_until(lock, until, [this] { return !events_.empty(); });
    waiting_ = false;
    std::vector<LinkEvent> taken;
    taken.reserve(events_.capacity());
    std::swap(taken, events_);
    return taken;
  }

  // What an ended session said about itself no longer matters; what the broker acknowledged to it still does.
  void keep_only_acknowledgements() {
    const std::lock_guard lock(mutex_);
    std::erase_if(events_, [](const LinkEvent& event) { return !std::holds_alternative<Acknowledged>(event); });
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<LinkEvent> events_;
  bool waiting_ = false;
};

class PahoLink::Session {
 public:
  Session(const BrokerAddress& address, std::size_t inflight, EventQueue& events)
      : connecting_(events), publishing_(events), client_(address.uri, address.client_id, create_options(inflight)) {
    client_.set_connection_lost_handler([&events](const std::string& cause) {
      events.add(ConnectionLost{cause.empty() ? "the connection was lost" : "the connection was lost: " + cause});
    });
    mqtt::connect_options options = connect_options(address);
    options.set_max_inflight(static_cast<int>(inflight));
    client_.connect(options, nullptr, connecting_);
  }

  void publish(Sequence sequence, const Message& message) {
    // The sequence travels as the context pointer, so that an acknowledgement needs no look-up.
    client_.publish(mqtt::make_message(message.topic, message.payload, kAtLeastOnce, false),
                    reinterpret_cast<void*>(static_cast<std::uintptr_t>(sequence)), publishing_);
  }

  void leave(std::chrono::milliseconds patience) { client_.disconnect(patience)->wait_for(patience); }

 private:
  class ConnectListener : public mqtt::iaction_listener {
   public:
    explicit ConnectListener(EventQueue& events) : events_(events) {}
    void on_success(const mqtt::token&) override { events_.add(Connected{}); }
    void on_failure(const mqtt::token& token) override {
      try {
        auto failure = connect_failure(token);
        events_.add(
            ConnectFailed{failure.permanent ? Refusal::kPermanent : Refusal::kTemporary, std::move(failure.why)});
      } catch (...) {
        events_.add(ConnectFailed{Refusal::kTemporary, {}});
      }
    }

   private:
    EventQueue& events_;
  };

  class PublishListener : public mqtt::iaction_listener {
   public:
    explicit PublishListener(EventQueue& events) : events_(events) {}
    void on_success(const mqtt::token& token) override {
      events_.add(Acknowledged{static_cast<Sequence>(reinterpret_cast<std::uintptr_t>(token.get_user_context()))});
    }
    void on_failure(const mqtt::token&) override { events_.add(ConnectionLost{"a message was not taken"}); }

   private:
    EventQueue& events_;
  };

  static mqtt::create_options create_options(std::size_t inflight) {
    mqtt::create_options options;
    options.set_max_buffered_messages(static_cast<int>(inflight) + 1);
    return options;
  }

  ConnectListener connecting_;
  PublishListener publishing_;
  mqtt::async_client client_;  // last, so that it goes first: then nobody calls the listeners any more
};

PahoLink::PahoLink(BrokerAddress address, std::size_t inflight)
    : address_(std::move(address)), inflight_(inflight), events_(std::make_unique<EventQueue>()) {}

PahoLink::~PahoLink() = default;

void PahoLink::open() {
  drop();
  try {
    session_ = std::make_unique<Session>(address_, inflight_, *events_);
  } catch (const std::exception& failure) {
    events_->add(ConnectFailed{Refusal::kTemporary, failure.what()});
  }
}

bool PahoLink::publish(Sequence sequence, const Message& message) {
  if (!session_) return false;
  try {
    session_->publish(sequence, message);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void PahoLink::drop() {
  session_.reset();
  events_->keep_only_acknowledgements();
}

void PahoLink::leave(std::chrono::milliseconds patience) {
  if (!session_) return;
  try {
    session_->leave(patience);
  } catch (const std::exception&) {
    // There was no connection to take leave of.
  }
  drop();
}

std::vector<LinkEvent> PahoLink::take(Instant until) {
  return events_->take(until);
}

}  // namespace fettle::sim
