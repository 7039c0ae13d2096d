#include "firmware-sim/edge_link.h"

#include <mqtt/async_client.h>

namespace fettle::sim {
namespace {

// How long a connection may take to say goodbye before it is cut.
constexpr std::chrono::milliseconds kLeavePatience{2'000};

// More than any caller leaves unsent; Paho refuses beyond it.
constexpr int kMostBuffered = 100'000;

// Those who wait are told of room at every so many publications and at the last one, not at each.
constexpr std::size_t kStirEvery = 64;

}  // namespace

void EdgeInbox::add(EdgeEvent event) noexcept {
  const std::lock_guard lock(mutex_);
  events_.push_back(std::move(event));
  wake_.notify_one();
}

void EdgeInbox::stir() noexcept {
  if (!waiting_) return;
  const std::lock_guard lock(mutex_);
  stirred_ = true;
  wake_.notify_one();
}

std::vector<EdgeEvent> EdgeInbox::take(Instant until) {
  std::unique_lock lock(mutex_);
  waiting_ = true;
  wake_.wait_until(lock, until, [this] { return !events_.empty() || stirred_; });
  waiting_ = false;
  stirred_ = false;
  return std::exchange(events_, {});
}

class EdgeLink::Session {
 public:
  Session(const BrokerAddress& address, const sparkplug::edge::Publish& will, std::size_t number,
          std::uint64_t connection, EdgeInbox& inbox)
      : notes_{number, connection, inbox},
        connecting_(notes_),
        publishing_(*this),
        subscribing_(notes_),
        client_(address.uri, address.client_id, create_options()) {
    // Before connect, or Paho queues and acknowledges what nobody has seen.
    client_.set_message_callback([this](const mqtt::const_message_ptr& message) {
      try {
        notes_.add(EdgeMessage{message->get_topic(), message->to_string()});
      } catch (...) {
        notes_.add(EdgeLost{"out of memory"});
      }
    });
    client_.set_connection_lost_handler([this](const std::string& cause) {
      notes_.add(EdgeLost{cause.empty() ? "the connection was lost" : "the connection was lost: " + cause});
    });
    mqtt::connect_options options = connect_options(address);
    options.set_max_inflight(kMostBuffered);
    options.set_will(mqtt::will_options(will.topic, will.payload.data(), will.payload.size(), will.qos, will.retain));
    client_.connect(options, nullptr, connecting_);
  }

  ~Session() {
    if (!leaving_) return;
    try {
      leaving_->wait_for(kLeavePatience);
    } catch (const std::exception&) {
      // There was no connection to take leave of.
    }
  }

  void publish(const sparkplug::edge::Publish& message) {
    ++handed_in_;
    client_.publish(mqtt::make_message(message.topic, message.payload, message.qos, message.retain), nullptr,
                    publishing_);
  }

  void subscribe(const std::vector<sparkplug::edge::Filter>& filters) {
    const auto topics = std::make_shared<mqtt::string_collection>();
    mqtt::iasync_client::qos_collection qos;
    for (const auto& filter : filters) {
      topics->push_back(filter.topic);
      qos.push_back(filter.qos);
    }
    client_.subscribe(topics, qos, nullptr, subscribing_);
  }

  // Paho works through what it was handed in order, so the DISCONNECT goes behind every publication. Given time to wait
  // for acknowledgements instead, Paho C 1.3.12 looks whether it may go on only every few seconds.
  void leave() { leaving_ = client_.disconnect(0); }

  std::size_t unsent() const { return handed_in_ - gone_; }

 private:
  struct Notes {
    std::size_t number;
    std::uint64_t connection;
    EdgeInbox& inbox;
    template <class What>
    void add(What what) noexcept {
      inbox.add({number, connection, std::move(what)});
    }
  };

  class ConnectListener : public mqtt::iaction_listener {
   public:
    explicit ConnectListener(Notes& notes) : notes_(notes) {}
    void on_success(const mqtt::token&) override { notes_.add(EdgeConnected{}); }
    void on_failure(const mqtt::token& token) override {
      try {
        notes_.add(EdgeConnectFailed{connect_failure(token)});
      } catch (...) {
        notes_.add(EdgeConnectFailed{});
      }
    }

   private:
    Notes& notes_;
  };

  class PublishListener : public mqtt::iaction_listener {
   public:
    explicit PublishListener(Session& session) : session_(session) {}
    void on_success(const mqtt::token&) override { session_.went_out(); }
    void on_failure(const mqtt::token&) override { session_.went_out(); }  // the lost connection is reported as such

   private:
    Session& session_;
  };

  class SubscribeListener : public mqtt::iaction_listener {
   public:
    explicit SubscribeListener(Notes& notes) : notes_(notes) {}
    void on_success(const mqtt::token&) override {}
    void on_failure(const mqtt::token&) override {
      notes_.add(EdgeLost{"the broker refuses the subscription to commands; see its access control"});
    }

   private:
    Notes& notes_;
  };

  static mqtt::create_options create_options() {
    mqtt::create_options options;
    options.set_max_buffered_messages(kMostBuffered);
    return options;
  }

  void went_out() noexcept {
    const std::size_t gone = ++gone_;
    if (gone % kStirEvery == 0 || gone == handed_in_) notes_.inbox.stir();
  }

  Notes notes_;
  ConnectListener connecting_;
  PublishListener publishing_;
  SubscribeListener subscribing_;
  std::atomic<std::size_t> handed_in_{0};
  std::atomic<std::size_t> gone_{0};
  mqtt::async_client client_;  // goes before what its callbacks touch
  mqtt::token_ptr leaving_;
};

EdgeLink::EdgeLink(std::size_t number, EdgeInbox& inbox) : number_(number), inbox_(inbox) {}

EdgeLink::~EdgeLink() = default;

void EdgeLink::open(const BrokerAddress& address, const sparkplug::edge::Publish& will) {
  session_.reset();
  ++connection_;
  try {
    session_ = std::make_unique<Session>(address, will, number_, connection_, inbox_);
  } catch (const std::exception& failure) {
    inbox_.add({number_, connection_, EdgeConnectFailed{{false, failure.what()}}});
  }
}

bool EdgeLink::publish(const sparkplug::edge::Publish& message) {
  if (!session_) return false;
  try {
    session_->publish(message);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

bool EdgeLink::subscribe(const std::vector<sparkplug::edge::Filter>& filters) {
  if (!session_) return false;
  try {
    session_->subscribe(filters);
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

void EdgeLink::leave() {
  if (!session_) return;
  ++connection_;  // nothing it still has to say matters
  try {
    session_->leave();
  } catch (const std::exception&) {
    session_.reset();
  }
}

void EdgeLink::drop() {
  ++connection_;
  session_.reset();
}

std::size_t EdgeLink::unsent() const {
  return session_ ? session_->unsent() : 0;
}

}  // namespace fettle::sim
