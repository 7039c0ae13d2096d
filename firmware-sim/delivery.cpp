#include "firmware-sim/delivery.h"

#include <algorithm>
#include <utility>

namespace fettle::sim {
namespace {

// A connected session has nothing to wait for but events; the caller looks again after this all the same.
constexpr std::chrono::seconds kIdleWait{1};

}  // namespace

Delivery::Delivery(const DeliveryLimits& limits, Instant now)
    : limits_(limits),
      disconnected_since_(now),
      connected_at_(now),
      retry_at_(now),
      backoff_(limits.first_backoff),
      last_failure_("no answer") {}

DeliveryStep Delivery::next(Instant now) {
  if (state_ == State::kRefused) return GaveUp{Refusal::kPermanent, last_failure_};
  if (exhausted_ && window_.empty()) return Finished{};
  if (state_ == State::kConnected) return next_connected(now);
  if (now >= deadline()) return GaveUp{Refusal::kTemporary, last_failure_};
  if (state_ == State::kConnecting) return Wait{deadline()};
  if (now < retry_at_) return Wait{std::min(retry_at_, deadline())};
  state_ = State::kConnecting;
  return Connect{};
}

DeliveryStep Delivery::next_connected(Instant now) {
  while (unpublished_ < window_.size() && window_[unpublished_].acknowledged) ++unpublished_;
  if (unpublished_ < window_.size()) {
    Entry& entry = window_[unpublished_];
    const Sequence sequence = first_ + unpublished_;
    ++unpublished_;
    if (std::exchange(entry.published, true)) {
      ++counts_.resent;
    } else {
      ++(entry.message.kind == MessageKind::kClock ? counts_.clock_sent : counts_.sent);
    }
    return Publish{sequence, &entry.message};
  }
  if (!exhausted_ && window_.size() < limits_.inflight) return NeedMessage{};
  return Wait{now + kIdleWait};
}

void Delivery::offer(Message message) {
  window_.push_back({std::move(message)});
}

void Delivery::no_more_messages() {
  exhausted_ = true;
}

void Delivery::on_connected(Instant now) {
  if (state_ != State::kConnecting) return;
  state_ = State::kConnected;
  connected_at_ = now;
  progressed_ = false;
  unpublished_ = 0;
  ++counts_.connections;
}

void Delivery::on_connect_failed(Instant now, Refusal refusal, std::string why) {
  if (state_ != State::kConnecting) return;
  last_failure_ = std::move(why);
  if (refusal == Refusal::kPermanent && !ever_connected()) {
    state_ = State::kRefused;
    return;
  }
  schedule_retry(now);
}

void Delivery::on_connection_lost(Instant now, std::string why) {
  if (state_ != State::kConnected) return;
  last_failure_ = std::move(why);
  // A broker that accepts and drops again and again gives no service: only a connection that served starts a new
  // patience.
  if (progressed_ || now - connected_at_ >= limits_.give_up) {
    disconnected_since_ = now;
    backoff_ = limits_.first_backoff;
  }
  schedule_retry(now);
}

void Delivery::on_acknowledged(Sequence sequence) {
  if (sequence < first_ || sequence - first_ >= window_.size()) return;
  Entry& entry = window_[sequence - first_];
  if (std::exchange(entry.acknowledged, true)) return;
  ++counts_.acknowledged;
  progressed_ = true;
  while (!window_.empty() && window_.front().acknowledged) {
    window_.pop_front();
    ++first_;
    if (unpublished_ > 0) --unpublished_;
  }
}

Instant Delivery::deadline() const {
  return disconnected_since_ + (ever_connected() ? limits_.give_up : limits_.connect_timeout);
}

void Delivery::schedule_retry(Instant now) {
  state_ = State::kDisconnected;
  retry_at_ = now + backoff_;
  backoff_ = std::min(backoff_ * 2, limits_.longest_backoff);
}

}  // namespace fettle::sim
