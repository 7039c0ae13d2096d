#include "firmware-sim/publisher.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "firmware-sim/json_text.h"

namespace fettle::sim {
namespace {

constexpr std::chrono::milliseconds kLookAtStop{100};
constexpr std::chrono::milliseconds kLeavePatience{1000};

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

Instant now() {
  return std::chrono::steady_clock::now();
}

class Run {
 public:
  Run(MessageSource& source, const BrokerAddress& broker, const DeliveryLimits& limits, Pace pace, Progress progress)
      : source_(source), link_(broker, limits.inflight), delivery_(limits, now()), pace_(pace), progress_(progress) {}

  PublishReport until_done(const std::atomic<bool>& stop) {
    while (!report_) {
      if (stop) {
        finish(Outcome::kStopped, {});
        break;
      }
      std::visit(Overloaded{[&](const Connect&) { link_.open(); }, [&](const Publish& step) { publish(step); },
                            [&](const NeedMessage&) { feed(); }, [&](const Wait& step) { wait(step.until); },
                            [&](const Finished&) { finish(Outcome::kDone, {}); },
                            [&](const GaveUp& step) {
                              finish(step.refusal == Refusal::kPermanent ? Outcome::kRefused : Outcome::kUnreachable,
                                     step.why);
                            }},
                 delivery_.next(now()));
    }
    progress_.clear();
    link_.leave(kLeavePatience);
    return *std::move(report_);
  }

 private:
  void publish(const Publish& step) {
    if (!link_.publish(step.sequence, *step.message)) lose("the connection was lost");
  }

  void feed() {
    if (!pending_) pending_ = source_.next();
    if (!pending_) {
      delivery_.no_more_messages();
      return;
    }
    const Instant due = pace_.due(pending_->at, now());
    if (due > now()) {
      wait(due);
      return;
    }
    simulated_ = std::max(simulated_.value_or(pending_->at), pending_->at);
    pace_.pass();
    delivery_.offer(*std::exchange(pending_, std::nullopt));
  }

  void wait(Instant until) {
    for (auto& event : link_.take(std::min(until, now() + kLookAtStop))) {
      std::visit(Overloaded{[&](const Connected&) { connected(); },
                            [&](ConnectFailed& failed) {
                              delivery_.on_connect_failed(now(), failed.refusal, std::move(failed.why));
                            },
                            [&](ConnectionLost& lost) { lose(std::move(lost.why)); },
                            [&](const Acknowledged& ack) { delivery_.on_acknowledged(ack.sequence); }},
                 event);
    }
    if (!delivery_.connected()) {
      progress_.waiting(now(), "no connection to the broker, trying again");
    } else if (simulated_) {
      progress_.update(now(), source_.fraction(), delivery_.counts().acknowledged, *simulated_);
    }
  }

  void connected() {
    if (!delivery_.ever_connected()) began_ = now();
    delivery_.on_connected(now());
  }

  void lose(std::string why) {
    if (!delivery_.connected()) return;
    delivery_.on_connection_lost(now(), std::move(why));
    link_.drop();
  }

  void finish(Outcome outcome, std::string why) {
    report_ = PublishReport{outcome, std::move(why), delivery_.counts(), {}};
    if (delivery_.ever_connected()) report_->duration = now() - began_;
  }

  MessageSource& source_;
  PahoLink link_;
  Delivery delivery_;
  Pace pace_;
  Progress progress_;
  std::optional<Message> pending_;      // taken from the source, not yet due
  std::optional<EventTime> simulated_;  // newest event time published
  Instant began_;
  std::optional<PublishReport> report_;
};

double rate_of(const PublishReport& report) {
  const double seconds = report.duration.count();
  return seconds > 0 ? static_cast<double>(report.counts.acknowledged) / seconds : 0.0;
}

}  // namespace

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kUnreachable:
      return "unreachable";
    case Outcome::kRefused:
      return "refused";
    case Outcome::kStopped:
      return "stopped";
    case Outcome::kFailed:
      return "failed";
    case Outcome::kDone:
      break;
  }
  return "done";
}

std::string report_json(const PublishReport& report) {
  const auto& counts = report.counts;
  JsonObject object;
  object.text("outcome", outcome_name(report.outcome))
      .number("messages", std::to_string(counts.sent))
      .number("clock_messages", std::to_string(counts.clock_sent))
      .number("acknowledged", std::to_string(counts.acknowledged))
      .number("resent", std::to_string(counts.resent))
      .number("connections", std::to_string(counts.connections))
      .number("seconds", fixed_text(report.duration.count(), 3))
      .number("messages_per_second", fixed_text(rate_of(report), 0));
  return std::move(object).finish();
}

std::string report_line(const PublishReport& report) {
  const auto& counts = report.counts;
  return std::string(outcome_name(report.outcome)) + ": " + std::to_string(counts.sent) + " messages and " +
         std::to_string(counts.clock_sent) + " clock messages sent, " + std::to_string(counts.acknowledged) +
         " acknowledged, " + std::to_string(counts.resent) + " sent again, in " +
         fixed_text(report.duration.count(), 1) + " s (" + fixed_text(rate_of(report), 0) + " messages/s)";
}

PublishReport publish_all(MessageSource& source, const BrokerAddress& broker, const DeliveryLimits& limits, Pace pace,
                          Progress progress, const std::atomic<bool>& stop) {
  return Run(source, broker, limits, pace, progress).until_done(stop);
}

}  // namespace fettle::sim
