#include "gateway/app/metrics_text.h"

#include <charconv>
#include <cmath>
#include <concepts>
#include <initializer_list>
#include <set>

namespace fettle::app {
namespace {

struct Label {
  std::string_view name;
  std::string_view value;
};
using Labels = std::initializer_list<Label>;

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char text[32];
  // The shortest text that reads back as the same number; as people write it where that is short.
  const bool plain = value == 0 || (std::abs(value) >= 1e-6 && std::abs(value) < 1e15);
  const auto form = plain ? std::chars_format::fixed : std::chars_format::general;
  return {text, std::to_chars(text, text + sizeof text, value, form).ptr};
}
template <std::integral Integer>
std::string number(Integer value) {
  return std::to_string(value);
}

// Families one after the other, the samples of each together, as the format asks.
class Exposition {
 public:
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    out_ += "# HELP ";
    out_ += name;
    out_ += ' ';
    append_escaped(help, "\\\n");
    out_ += "\n# TYPE ";
    out_ += name;
    out_ += ' ';
    out_ += type;
    out_ += '\n';
  }

  template <typename Number>
  void sample(Number value, Labels labels = {}, std::string_view suffix = {}) {
    out_ += name_;
    out_ += suffix;
    const char* before = "{";
    for (const Label& label : labels) {
      out_ += before;
      out_ += label.name;
      out_ += "=\"";
      append_escaped(label.value, "\\\n\"");
      out_ += '"';
      before = ",";
    }
    if (labels.size() > 0) out_ += '}';
    out_ += ' ';
    out_ += number(value);
    out_ += '\n';
  }

  template <typename Number>
  void counter(std::string_view name, std::string_view help, Number value) {
    family(name, "counter", help);
    sample(value);
  }
  template <typename Number>
  void gauge(std::string_view name, std::string_view help, Number value) {
    family(name, "gauge", help);
    sample(value);
  }
  void histogram(std::string_view name, std::string_view help, const Histogram& values) {
    family(name, "histogram", help);
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < values.bounds().size(); ++i) {
      below += values.in_range(i);
      sample(below, {{"le", number(values.bounds()[i])}}, "_bucket");
    }
    sample(values.count(), {{"le", "+Inf"}}, "_bucket");
    sample(values.sum(), {}, "_sum");
    sample(values.count(), {}, "_count");
  }

  std::string take() { return std::move(out_); }

 private:
  void append_escaped(std::string_view text, std::string_view special) {
    for (const char c : text) {
      if (special.find(c) != std::string_view::npos) {
        out_ += '\\';
        out_ += c == '\n' ? 'n' : c;
      } else {
        out_ += c;
      }
    }
  }

  std::string out_;
  std::string name_;
};

double seconds(std::chrono::milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

void add_fold(Exposition& out, const Recorded& recorded) {
  const engine::Counters& fold = recorded.fold;
  out.counter("fettle_messages_total", "Messages of devices that were folded.", fold.messages);
  out.counter("fettle_readings_total", "Readings that were admitted, the late ones included.", fold.readings);
  out.counter("fettle_duplicate_readings_total", "Readings that were known already.", fold.duplicates);
  out.counter("fettle_conflicting_readings_total", "Readings with another value for a time that has one.",
              fold.conflicts);
  out.counter("fettle_late_readings_total", "Readings that came too late for rules; they are stored and metered.",
              fold.late);
  out.counter("fettle_quarantined_total", "Messages and readings that were refused.", fold.quarantined);
  out.family("fettle_quarantined_by_reason_total", "counter", "The same by reason.");
  for (const auto& [reason, count] : recorded.quarantined) out.sample(count, {{"reason", reason}});
}

void add_commits(Exposition& out, const Recorded& recorded) {
  out.histogram("fettle_commit_duration_seconds", "Time of a commit to the store.", recorded.commit_seconds);
  out.histogram("fettle_commit_records", "Journal records of a commit.", recorded.commit_records);
  out.histogram("fettle_commit_readings", "Readings admitted by a commit.", recorded.commit_readings);
  out.counter("fettle_commit_failures_total", "Commits and checkpoints that the store refused; they are tried again.",
              recorded.commit_failures);
  out.histogram("fettle_checkpoint_duration_seconds", "Time that the fold spent on a checkpoint.",
                recorded.checkpoint_seconds);
  out.gauge("fettle_checkpoint_bytes", "Size of the newest checkpoint.", recorded.checkpoint_bytes);
  out.family("fettle_checkpoint_age_seconds", "gauge", "Time since the newest checkpoint of this process.");
  if (recorded.checkpoint_age) out.sample(seconds(*recorded.checkpoint_age));
}

void add_journal(Exposition& out, const Snapshot& snapshot) {
  const JournalState& journal = snapshot.journal;
  out.gauge("fettle_journal_last_sequence", "Sequence of the newest record.", journal.last_sequence);
  out.gauge("fettle_journal_committed_sequence", "Sequence of the newest committed record.",
            journal.committed_sequence);
  out.gauge("fettle_journal_backlog_bytes", "Journaled and not yet committed.", journal.backlog_bytes);
  out.gauge("fettle_journal_backlog_limit_bytes", "Backlog at which messages are held back.",
            journal.backlog_limit_bytes);
  out.gauge("fettle_journal_disk_bytes", "Size of the journal's files.", journal.disk_bytes);
  out.family("fettle_journal_refusals_total", "counter", "Records that the journal refused; their senders try again.");
  out.sample(journal.refused_full, {{"refusal", "full"}});
  out.sample(journal.refused_disk, {{"refusal", "disk"}});
  out.gauge("fettle_lag_seconds", "Gateway's time less the received time of the newest folded record.",
            seconds(std::max(snapshot.lag, std::chrono::milliseconds(0))));
  out.gauge("fettle_lag_records", "Records in the journal that are not committed yet.",
            journal.last_sequence - std::min(journal.last_sequence, journal.committed_sequence));
}

void add_sessions(Exposition& out, const std::vector<SessionState>& sessions) {
  // Each name once: two samples with the same labels would cost the whole scrape.
  std::vector<const SessionState*> shown;
  std::set<std::string_view> names;
  for (const SessionState& session : sessions) {
    if (shown.size() < kMaxSessions && names.insert(session.name).second) shown.push_back(&session);
  }
  out.family("fettle_session_up", "gauge", "1 while the MQTT session is connected.");
  for (const SessionState* session : shown) out.sample(session->up ? 1 : 0, {{"session", session->name}});
  out.family("fettle_session_reconnects_total", "counter", "Connections made after the first one.");
  for (const SessionState* session : shown) out.sample(session->reconnects, {{"session", session->name}});
}

void add_sparkplug(Exposition& out, const SparkplugState& state) {
  out.gauge("fettle_sparkplug_nodes", "Edge nodes known.", state.nodes);
  out.gauge("fettle_sparkplug_nodes_online", "Edge nodes online.", state.nodes_online);
  out.gauge("fettle_sparkplug_devices", "Devices known.", state.devices);
  out.gauge("fettle_sparkplug_devices_online", "Devices online.", state.devices_online);
  out.counter("fettle_sparkplug_gaps_opened_total", "Gaps in sequence numbers.", state.gaps_opened);
  out.counter("fettle_sparkplug_gaps_healed_total", "Gaps whose messages came out of order, in time.",
              state.gaps_healed);
  out.counter("fettle_sparkplug_gaps_lost_total", "Gaps whose messages did not come.", state.gaps_lost);
  out.counter("fettle_sparkplug_rebirths_requested_total", "Rebirth requests to edge nodes.", state.rebirths_requested);
  out.gauge("fettle_sparkplug_held_readings", "Readings held after a rejoin until the past has come.",
            state.held_readings);
}

void add_store(Exposition& out, const StoreState& store) {
  out.gauge("fettle_store_file_bytes", "Size of the store's files.", store.file_bytes);
  out.gauge("fettle_store_level0_blocks", "Blocks of readings that wait to be merged.", store.level0_blocks);
  out.counter("fettle_store_merges_total", "Merges of blocks.", store.merges);
  out.gauge("fettle_store_merge_failing", "1 while merging fails; /readyz says why.",
            store.merge_problem.empty() ? 0 : 1);
}

void add_server(Exposition& out, const Snapshot& snapshot) {
  out.family("fettle_log_messages_total", "counter", "Log messages, repetitions that were not written included.");
  out.sample(snapshot.log.debug, {{"level", "debug"}});
  out.sample(snapshot.log.info, {{"level", "info"}});
  out.sample(snapshot.log.warn, {{"level", "warn"}});
  out.sample(snapshot.log.error, {{"level", "error"}});
  out.counter("fettle_log_suppressed_total", "Log messages that were counted and not written.",
              snapshot.log.suppressed);
  out.family("fettle_http_responses_total", "counter", "HTTP responses by the first digit of their status.");
  out.sample(snapshot.http.answered, {{"class", "2xx"}});
  out.sample(snapshot.http.client_errors, {{"class", "4xx"}});
  out.sample(snapshot.http.server_errors, {{"class", "5xx"}});
  out.counter("fettle_http_refused_connections_total", "HTTP connections beyond the limit.", snapshot.http.refused);
  out.counter("fettle_http_timeouts_total", "HTTP connections closed because the client was too slow.",
              snapshot.http.timeouts);
  out.gauge("fettle_http_connections", "HTTP connections open.", snapshot.http.open);
}

// Names as every Prometheus client library gives them.
void add_process(Exposition& out, const ProcessState& process) {
  out.gauge("process_resident_memory_bytes", "Resident memory size.", process.resident_bytes);
  out.gauge("process_virtual_memory_bytes", "Virtual memory size.", process.virtual_bytes);
  out.counter("process_cpu_seconds_total", "User and system CPU time.", process.cpu_seconds);
  out.gauge("process_open_fds", "Open file descriptors.", process.open_files);
  out.gauge("process_max_fds", "Limit of open file descriptors.", process.max_files);
  out.gauge("process_start_time_seconds", "Start of the process, since 1970-01-01T00:00Z.", process.start_time);
}

}  // namespace

std::string exposition(const Snapshot& snapshot) {
  Exposition out;
  out.family("fettle_build_info", "gauge", "Always 1; the labels say what runs.");
  out.sample(1, {{"version", snapshot.version}, {"compiler", "gcc " __VERSION__}});
  out.gauge("fettle_ready", "1 while /readyz answers 200.", snapshot.ready ? 1 : 0);
  add_fold(out, snapshot.recorded);
  add_commits(out, snapshot.recorded);
  add_journal(out, snapshot);
  add_sessions(out, snapshot.sessions);
  if (snapshot.sparkplug) add_sparkplug(out, *snapshot.sparkplug);
  add_store(out, snapshot.store);
  if (snapshot.events) {
    out.gauge("fettle_events_waiting", "Work-order events that no broker has acknowledged yet.",
              snapshot.events->waiting);
    out.counter("fettle_events_delivered_total", "Work-order events that were acknowledged.",
                snapshot.events->delivered);
  }
  add_server(out, snapshot);
  add_process(out, snapshot.process);
  return out.take();
}

}  // namespace fettle::app
