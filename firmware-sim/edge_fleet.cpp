#include "firmware-sim/edge_fleet.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "firmware-sim/clocked_source.h"
#include "firmware-sim/json_text.h"
#include "firmware-sim/simulated_node.h"

namespace fettle::sim {
namespace {

constexpr std::chrono::milliseconds kLookAtStop{100};
constexpr std::size_t kFedAtOnce = 256;               // batches between two looks at the world
constexpr std::chrono::seconds kPatienceWithHost{3};  // before a person is told that the nodes wait

Instant now() {
  return std::chrono::steady_clock::now();
}

class Run {
 public:
  Run(ReadingSource& source, const EdgeRun& run, Progress progress)
      : source_(source), run_(run), pace_(run.pace), progress_(progress), began_(now()), last_connected_(began_) {}

  std::optional<Problem> prepare() {
    const auto configs = edge_configs(source_.assets(), run_.plan, run_.brokers.size());
    if (auto wrong = sparkplug::edge::problem_of(configs)) return Problem{*wrong};
    for (std::size_t i = 0; i < configs.size(); ++i) {
      auto file = run_.plan.buffer;
      if (file && run_.plan.nodes > 1) *file += "." + configs[i].node;
      auto outbox = Outbox::open(file, run_.identity, run_.plan.limits);
      if (!outbox) return outbox.error();
      report_torn(configs[i].node, *outbox);
      auto brokers = run_.brokers;
      for (auto& broker : brokers) broker.client_id += "-" + std::to_string(i + 1);
      nodes_.push_back(
          std::make_unique<SimulatedNode>(i, configs[i], std::move(*outbox), std::move(brokers), run_.plan, inbox_));
    }
    return std::nullopt;
  }

  EdgeReport until_done(const std::atomic<bool>& stop) {
    begin_clock();
    for (auto& node : nodes_) check(node->start());
    while (!outcome_) {
      const Instant idle_until = feed();
      for (auto& node : nodes_) check(node->tick());
      for (const auto& event : inbox_.take(idle_until)) check(nodes_[event.link]->take(event));
      look_at_connections();
      if (exhausted_ && std::ranges::all_of(nodes_, &SimulatedNode::settled, &Run::node_of)) settle();
      if (stop) end(Outcome::kStopped, {});
      show();
    }
    progress_.clear();
    return leave();
  }

 private:
  static const SimulatedNode& node_of(const std::unique_ptr<SimulatedNode>& node) { return *node; }

  void check(const std::optional<Problem>& problem) {
    if (problem) end(Outcome::kFailed, problem->text);
  }

  void end(Outcome outcome, std::string why) {
    if (outcome_) return;
    outcome_ = outcome;
    why_ = std::move(why);
  }

  void report_torn(const std::string& node, const Outbox& outbox) const {
    if (outbox.counts().torn_bytes > 0) {
      run_.say(node + ": the last " + std::to_string(outbox.counts().torn_bytes) +
               " bytes of the buffer were cut off in the middle of a record and are left out");
    }
    if (outbox.pending() > 0)
      run_.say(node + ": " + std::to_string(outbox.pending()) + " readings of an earlier run are sent as history");
  }

  // Takes batches that are due to their nodes; when to look again.
  Instant feed() {
    Instant idle_until = now() + kLookAtStop;
    for (const auto& node : nodes_) idle_until = std::min(idle_until, node->next_due());
    std::size_t fed = 0;
    for (; fed < kFedAtOnce && next_batch(); ++fed) {
      SimulatedNode& node = *nodes_[node_of_asset(pending_->asset, source_.assets().size(), run_.plan)];
      // A full broker stirs the inbox when it takes more, and a host that comes back is an event.
      if (!node.has_room() || (pace_.is_unlimited() && !node.online())) break;
      const Instant due = pace_.due(pending_->at, now());
      if (due > now()) {
        idle_until = std::min(idle_until, due);
        break;
      }
      pace_.pass();
      advance_clock(node);
      hand_over(node);
    }
    for (auto& node : nodes_) check(node->publish_kept());
    return fed == kFedAtOnce ? now() : idle_until;
  }

  // Makes the next batch that no earlier run has taken the pending one.
  bool next_batch() {
    while (!pending_ && !exhausted_) {
      pending_ = source_.next();
      if (!pending_) {
        exhausted_ = true;
        break;
      }
      ++position_;
      const auto node = node_of_asset(pending_->asset, source_.assets().size(), run_.plan);
      if (position_ <= nodes_[node]->position()) {
        taken_ = std::max(taken_.value_or(pending_->at), pending_->at);
        pending_.reset();
      }
    }
    return pending_.has_value();
  }

  // Every node's first births say when it all begins, or how far earlier runs had come.
  void begin_clock() {
    if (run_.plan.clock == ClockMessages::kNone) return;
    next_batch();
    if (taken_) {
      clock_ = taken_;
    } else if (pending_) {
      clock_ = pending_->at;
    }
    if (clock_) set_clocks();
  }

  void set_clocks() {
    for (auto& node : nodes_) node->set_clock(*clock_);
  }

  void advance_clock(SimulatedNode& node) {
    if (run_.plan.clock == ClockMessages::kNone) return;
    if (!clock_ || pending_->at - *clock_ >= kClockStep) {
      clock_ = pending_->at;
      set_clocks();
    }
    if (!node.clock_is_behind()) return;
    check(node.publish_kept());
    check(node.publish_clock());
  }

  void hand_over(SimulatedNode& node) {
    ++batches_;
    simulated_ = std::max(simulated_.value_or(pending_->at), pending_->at);
    const auto device = device_of_asset(pending_->asset, source_.assets().size(), run_.plan);
    node.keep(static_cast<std::uint32_t>(device), *std::exchange(pending_, std::nullopt), position_);
    if (!dropping_ && node.outbox_counts().dropped > 0) {
      dropping_ = true;
      run_.say(node.name() + ": the buffer of " + std::to_string(run_.plan.limits.bytes) +
               " bytes is full, the oldest readings are dropped; give it more with --buffer-size");
    }
  }

  void look_at_connections() {
    for (const auto& node : nodes_) {
      if (node->failure().permanent && node->edge_counts().sessions == 0) end(Outcome::kRefused, node->failure().why);
      if (node->connected()) last_connected_ = now();
      ever_connected_ = ever_connected_ || node->connected();
      if (!node->failure().why.empty()) last_failure_ = node->failure().why;
    }
    const auto patience = ever_connected_ ? run_.limits.give_up : run_.limits.connect_timeout;
    if (now() - last_connected_ > patience) end(Outcome::kUnreachable, last_failure_);
  }

  void settle() {
    if (complete_) return;
    complete_ = true;
    if (run_.plan.at_the_end == AtTheEnd::kLeave) {
      end(Outcome::kDone, {});
    } else {
      run_.say("everything is sent; the nodes stay connected until they are stopped");
    }
  }

  void show() {
    const bool any_online = std::ranges::any_of(nodes_, &SimulatedNode::online, &Run::node_of);
    if (any_online) {
      waiting_since_.reset();
      std::uint64_t publications = 0;
      for (const auto& node : nodes_) publications += node->publications();
      if (simulated_) progress_.update(now(), source_.fraction(), publications, *simulated_);
      return;
    }
    progress_.waiting(now(), "waiting for the broker or the host, keeping what is measured");
    if (!waiting_since_) {
      waiting_since_ = now();
      told_ = false;
    }
    if (told_ || now() - *waiting_since_ < kPatienceWithHost || !run_.plan.primary_host) return;
    told_ = true;
    run_.say("no node is online: each waits for the broker and for STATE of host '" + *run_.plan.primary_host + "'");
  }

  EdgeReport leave() {
    EdgeReport report;
    report.duration = now() - began_;
    // All nodes begin anew, or none: what a signal cut off goes on where it was.
    const bool nothing_kept = complete_ && std::ranges::all_of(nodes_, &SimulatedNode::keeps_nothing, &Run::node_of);
    for (auto& node : nodes_) {
      if (auto problem = node->stop(); problem && why_.empty()) why_ = problem->text;
      if (nothing_kept) {
        if (auto problem = node->finish(); problem && why_.empty()) why_ = problem->text;
      }
      add(report, *node);
    }
    nodes_.clear();  // waits for the deaths to go out
    report.outcome = *outcome_;
    if (report.outcome == Outcome::kStopped && complete_ && run_.plan.at_the_end == AtTheEnd::kHoldOpen)
      report.outcome = Outcome::kDone;
    report.why = why_;
    report.complete = complete_;
    report.batches = batches_;
    return report;
  }

  static void add(EdgeReport& report, const SimulatedNode& node) {
    ++report.nodes;
    report.live += node.edge_counts().live;
    report.historical += node.edge_counts().historical;
    report.unchanged += node.edge_counts().unchanged;
    report.pending += node.pending();
    report.dropped += node.outbox_counts().dropped;
    report.publications += node.publications();
    report.connections += node.edge_counts().sessions;
    report.births += node.edge_counts().births;
    report.rebirths += node.edge_counts().rebirths;
    report.host_absences += node.edge_counts().host_absences;
  }

  ReadingSource& source_;
  const EdgeRun& run_;
  Pace pace_;
  Progress progress_;
  EdgeInbox inbox_;
  std::vector<std::unique_ptr<SimulatedNode>> nodes_;
  std::optional<Batch> pending_;  // taken from the source, not yet due
  std::uint64_t position_ = 0;    // of pending_ in the source, from 1
  bool exhausted_ = false;
  bool complete_ = false;
  std::optional<EventTime> clock_;
  std::optional<EventTime> taken_;      // newest event time that an earlier run had handed over
  std::optional<EventTime> simulated_;  // newest event time handed over
  std::uint64_t batches_ = 0;
  bool dropping_ = false;
  Instant began_;
  Instant last_connected_;
  bool ever_connected_ = false;
  std::string last_failure_;
  std::optional<Instant> waiting_since_;
  bool told_ = false;
  std::optional<Outcome> outcome_;
  std::string why_;
};

double rate_of(const EdgeReport& report) {
  const double seconds = report.duration.count();
  return seconds > 0 ? static_cast<double>(report.publications) / seconds : 0.0;
}

}  // namespace

std::string report_json(const EdgeReport& report) {
  JsonObject object;
  object.text("outcome", outcome_name(report.outcome));
  const auto count = [&object](std::string_view name, std::uint64_t value) {
    object.number(name, std::to_string(value));
  };
  count("nodes", report.nodes);
  count("batches", report.batches);
  count("live", report.live);
  count("historical", report.historical);
  count("unchanged", report.unchanged);
  count("pending", report.pending);
  count("dropped", report.dropped);
  count("publications", report.publications);
  count("connections", report.connections);
  count("births", report.births);
  count("rebirths", report.rebirths);
  count("host_absences", report.host_absences);
  object.number("seconds", fixed_text(report.duration.count(), 3))
      .number("messages_per_second", fixed_text(rate_of(report), 0));
  return std::move(object).finish();
}

std::string report_line(const EdgeReport& report) {
  const auto text = [](std::uint64_t value) { return std::to_string(value); };
  return std::string(outcome_name(report.outcome)) + ": " + text(report.live) + " readings sent live and " +
         text(report.historical) + " as history in " + text(report.publications) + " messages of " +
         text(report.nodes) + " edge nodes, " + text(report.unchanged) + " unchanged and left out, " +
         text(report.pending) + " kept for later, " + text(report.dropped) + " dropped; " + text(report.births) +
         " births, " + text(report.rebirths) + " asked for, host away " + text(report.host_absences) + " times, in " +
         fixed_text(report.duration.count(), 1) + " s (" + fixed_text(rate_of(report), 0) + " messages/s)";
}

Result<EdgeReport> run_edge_nodes(ReadingSource& source, const EdgeRun& run, Progress progress,
                                  const std::atomic<bool>& stop) {
  Run running(source, run, progress);
  if (auto problem = running.prepare()) return *problem;
  return running.until_done(stop);
}

}  // namespace fettle::sim
