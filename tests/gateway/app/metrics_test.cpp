// What is recorded and how Prometheus reads it: checked by a parser that is not ours, and against the reference page.

#include "gateway/app/metrics.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fcntl.h>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <tuple>

#include "gateway/app/metrics_text.h"
#include "tests/gateway/temporary_folder.h"

namespace fettle::app {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using Instant = std::chrono::steady_clock::time_point;

engine::Counters counters(std::uint64_t messages, std::uint64_t readings) {
  engine::Counters out;
  out.messages = messages;
  out.readings = readings;
  return out;
}

// Everything there is, each number another one.
Snapshot full_snapshot() {
  Metrics metrics;
  metrics.begin(counters(1000, 5000));
  engine::Counters after{1101, 5202, 303, 404, 505, 606};
  metrics.committed(300, microseconds(700), after);
  metrics.committed(2, milliseconds(30), after);
  metrics.commit_failed();
  metrics.checkpointed(7007, milliseconds(8), Instant{});
  metrics.quarantined("unknown_asset", 600);
  metrics.quarantined("malformed", 6);
  Snapshot out;
  out.version = "1.2.3";
  out.ready = true;
  out.recorded = metrics.recorded(Instant{} + milliseconds(1500));
  out.journal = {90'000, 89'000, 12'345, 256U << 20U, 33'333'333'333, 21, 22};
  out.lag = milliseconds(2250);
  out.sessions = {{"direct", true, 3, ""}, {"plant \"a\\b\"\nnorth", false, 4, "no route"}};
  out.sparkplug = SparkplugState{50, 49, 48, 47, 46, 45, 44, 43, 42};
  out.store = {61, 62, 63, "the disk is full"};
  out.events = EventsState{71, 72};
  out.log = {81, 82, 83, 84, 85};
  out.http = {91, 92, 93, 94, 95, 96};
  out.process = {101, 102, 10.25, 104, 105, 1'700'000'000.5};
  return out;
}

// ---- recording
// -------------------------------------------------------------------------------------------------------

TEST(Histogram, HasInclusiveUpperBounds) {
  static constexpr std::array<double, 3> kBounds = {1, 10, 100};
  Histogram histogram(kBounds);
  for (const double value : {0.5, 1.0, 1.5, 10.0, 100.0, 100.5, 1e9}) histogram.record(value);
  EXPECT_EQ(histogram.in_range(0), 2U);
  EXPECT_EQ(histogram.in_range(1), 2U);
  EXPECT_EQ(histogram.in_range(2), 1U);
  EXPECT_EQ(histogram.in_range(3), 2U);
  EXPECT_EQ(histogram.count(), 7U);
  EXPECT_DOUBLE_EQ(histogram.sum(), 1e9 + 213.5);
}

TEST(Metrics, CountsWhatThisProcessFoldedAndNothingTwice) {
  Metrics metrics;
  metrics.begin(counters(1000, 10'000));
  metrics.committed(500, milliseconds(1), counters(1500, 15'000), Metrics::Phase::replay);
  EXPECT_EQ(metrics.recorded().fold.messages, 0U) << "an earlier life has counted these";
  EXPECT_EQ(metrics.recorded().commit_records.count(), 0U);
  metrics.committed(100, milliseconds(1), counters(1600, 16'000));
  metrics.committed(50, milliseconds(1), counters(1650, 16'001));
  const Recorded recorded = metrics.recorded();
  EXPECT_EQ(recorded.fold.messages, 150U);
  EXPECT_EQ(recorded.fold.readings, 1001U);
  EXPECT_EQ(recorded.commit_records.count(), 2U);
  EXPECT_EQ(recorded.commit_records.sum(), 150.0);
  EXPECT_EQ(recorded.commit_readings.sum(), 1001.0);
  EXPECT_DOUBLE_EQ(recorded.commit_seconds.sum(), 0.002);
}

TEST(Metrics, TellsTheAgeOfTheNewestCheckpoint) {
  Metrics metrics;
  EXPECT_EQ(metrics.recorded().checkpoint_age, std::nullopt);
  metrics.checkpointed(1, milliseconds(1), Instant{});
  metrics.checkpointed(2, milliseconds(1), Instant{} + milliseconds(500));
  const Recorded recorded = metrics.recorded(Instant{} + milliseconds(700));
  EXPECT_EQ(recorded.checkpoint_age, milliseconds(200));
  EXPECT_EQ(recorded.checkpoint_bytes, 2U);
  EXPECT_EQ(recorded.checkpoint_seconds.count(), 2U);
}

TEST(Metrics, BoundsTheReasonsItTellsApart) {
  Metrics metrics;
  for (std::size_t i = 0; i < Metrics::kMaxReasons + 10; ++i) metrics.quarantined("reason_" + std::to_string(i), 2);
  metrics.quarantined("reason_0", 1);
  const auto reasons = metrics.recorded().quarantined;
  EXPECT_EQ(reasons.size(), Metrics::kMaxReasons + 1);
  EXPECT_EQ(reasons.at("reason_0"), 3U);
  EXPECT_EQ(reasons.at("other"), 20U);
}

TEST(Process, IsReadFromTheSystem) {
  const ProcessState before = read_process();
  EXPECT_GT(before.resident_bytes, 100'000U);
  EXPECT_GE(before.virtual_bytes, before.resident_bytes);
  EXPECT_GE(before.open_files, 3U);
  EXPECT_GT(before.max_files, before.open_files);
  const double now = static_cast<double>(std::time(nullptr));
  EXPECT_LE(before.start_time, now + 1);
  EXPECT_GT(before.start_time, now - 600) << "this test has not run for ten minutes";
  const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  EXPECT_EQ(read_process().open_files, before.open_files + 1);
  ::close(file);
  while (read_process().cpu_seconds <= before.cpu_seconds) {
  }
}

// ---- the text
// --------------------------------------------------------------------------------------------------------

TEST(Exposition, ShowsAFamilyWithHelpTypeAndSamples) {
  const std::string text = exposition(full_snapshot());
  EXPECT_NE(text.find("# HELP fettle_session_up 1 while the MQTT session is connected.\n"
                      "# TYPE fettle_session_up gauge\n"
                      "fettle_session_up{session=\"direct\"} 1\n"
                      "fettle_session_up{session=\"plant \\\"a\\\\b\\\"\\nnorth\"} 0\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("fettle_commit_duration_seconds_bucket{le=\"0.0005\"} 0\n"
                      "fettle_commit_duration_seconds_bucket{le=\"0.001\"} 1\n"),
            std::string::npos)
      << text;
  EXPECT_TRUE(text.ends_with('\n'));
}

TEST(Exposition, LeavesOutWhatTheGatewayDoesNotHave) {
  const std::string text = exposition(Snapshot{});
  EXPECT_EQ(text.find("fettle_sparkplug"), std::string::npos);
  EXPECT_EQ(text.find("fettle_events"), std::string::npos);
  EXPECT_EQ(text.find("\nfettle_checkpoint_age_seconds "), std::string::npos) << "an age of 0 would say: just now";
}

TEST(Exposition, ShowsASessionOnceAndBoundsHowMany) {
  Snapshot snapshot;
  for (std::size_t i = 0; i < 2 * kMaxSessions; ++i)
    snapshot.sessions.push_back({"s" + std::to_string(i), true, 0, ""});
  snapshot.sessions.insert(snapshot.sessions.begin(), {"s0", false, 0, ""});
  const std::string text = exposition(snapshot);
  std::size_t shown = 0;
  for (std::size_t at = text.find("\nfettle_session_up{"); at != std::string::npos; ++shown) {
    at = text.find("\nfettle_session_up{", at + 1);
  }
  EXPECT_EQ(shown, kMaxSessions);
  EXPECT_NE(text.find("fettle_session_up{session=\"s0\"} 0\n"), std::string::npos);
  EXPECT_EQ(text.find("fettle_session_up{session=\"s0\"} 1\n"), std::string::npos);
}

TEST(Exposition, NeverShowsALagBelowZeroOrARecordCountThatWrapped) {
  Snapshot snapshot;
  snapshot.lag = milliseconds(-5);
  snapshot.journal.committed_sequence = 10;  // read a moment after `last`
  snapshot.journal.last_sequence = 9;
  const std::string text = exposition(snapshot);
  EXPECT_NE(text.find("\nfettle_lag_seconds 0\n"), std::string::npos);
  EXPECT_NE(text.find("\nfettle_lag_records 0\n"), std::string::npos);
}

// ---- the text, read by another program
// --------------------------------------------------------------------------------

// What prometheus_client's parser makes of the text; nothing where Python or the module is missing.
std::optional<boost::json::object> read_by_another(const std::string& text) {
  const test::TemporaryFolder folder;
  std::ofstream(folder.path() / "metrics.txt") << text;
  const std::string command = "/usr/bin/python3 -B '" FETTLE_SOURCE_DIR "/tests/gateway/app/read_exposition.py' < '" +
                              (folder.path() / "metrics.txt").string() + "' > '" +
                              (folder.path() / "read.json").string() + "'";
  const int status = std::system(command.c_str());  // NOLINT(cert-env33-c,concurrency-mt-unsafe): a test's own child
  if (!WIFEXITED(status) || WEXITSTATUS(status) == 3 || WEXITSTATUS(status) == 127) return std::nullopt;
  EXPECT_EQ(WEXITSTATUS(status), 0) << text;
  std::ifstream in(folder.path() / "read.json");
  return boost::json::parse(std::string(std::istreambuf_iterator<char>(in), {})).as_object();
}

TEST(Exposition, IsReadByAnotherParserAsItWasMeant) {
  const auto read = read_by_another(exposition(full_snapshot()));
  if (!read) GTEST_SKIP() << "skipped: needs python3-prometheus-client";
  // Each sample as "name{label=value}" -> value; histograms by their parts.
  const auto value = [&](const char* sample) {
    const auto* found = read->at("samples").as_object().if_contains(sample);
    EXPECT_NE(found, nullptr) << sample;
    return found == nullptr ? std::numeric_limits<double>::quiet_NaN() : found->to_number<double>();
  };
  const std::vector<std::pair<const char*, double>> expected = {
      {"fettle_build_info{compiler=gcc " __VERSION__ ",version=1.2.3}", 1},
      {"fettle_ready{}", 1},
      {"fettle_messages_total{}", 101},
      {"fettle_readings_total{}", 202},
      {"fettle_duplicate_readings_total{}", 303},
      {"fettle_conflicting_readings_total{}", 404},
      {"fettle_late_readings_total{}", 505},
      {"fettle_quarantined_total{}", 606},
      {"fettle_quarantined_by_reason_total{reason=unknown_asset}", 600},
      {"fettle_quarantined_by_reason_total{reason=malformed}", 6},
      {"fettle_commit_duration_seconds_count{}", 2},
      {"fettle_commit_duration_seconds_bucket{le=0.025}", 1},
      {"fettle_commit_duration_seconds_bucket{le=+Inf}", 2},
      {"fettle_commit_duration_seconds_sum{}", 0.0307},
      {"fettle_commit_records_sum{}", 302},
      {"fettle_commit_readings_sum{}", 202},
      {"fettle_commit_failures_total{}", 1},
      {"fettle_checkpoint_duration_seconds_sum{}", 0.008},
      {"fettle_checkpoint_bytes{}", 7007},
      {"fettle_checkpoint_age_seconds{}", 1.5},
      {"fettle_journal_last_sequence{}", 90'000},
      {"fettle_journal_committed_sequence{}", 89'000},
      {"fettle_journal_backlog_bytes{}", 12'345},
      {"fettle_journal_backlog_limit_bytes{}", 268'435'456},
      {"fettle_journal_disk_bytes{}", 33'333'333'333},
      {"fettle_journal_refusals_total{refusal=full}", 21},
      {"fettle_journal_refusals_total{refusal=disk}", 22},
      {"fettle_lag_seconds{}", 2.25},
      {"fettle_lag_records{}", 1000},
      {"fettle_session_up{session=direct}", 1},
      {"fettle_session_up{session=plant \"a\\b\"\nnorth}", 0},
      {"fettle_session_reconnects_total{session=plant \"a\\b\"\nnorth}", 4},
      {"fettle_sparkplug_nodes{}", 50},
      {"fettle_sparkplug_nodes_online{}", 49},
      {"fettle_sparkplug_devices{}", 48},
      {"fettle_sparkplug_devices_online{}", 47},
      {"fettle_sparkplug_gaps_opened_total{}", 46},
      {"fettle_sparkplug_gaps_healed_total{}", 45},
      {"fettle_sparkplug_gaps_lost_total{}", 44},
      {"fettle_sparkplug_rebirths_requested_total{}", 43},
      {"fettle_sparkplug_held_readings{}", 42},
      {"fettle_store_file_bytes{}", 61},
      {"fettle_store_level0_blocks{}", 62},
      {"fettle_store_merges_total{}", 63},
      {"fettle_store_merge_failing{}", 1},
      {"fettle_events_waiting{}", 71},
      {"fettle_events_delivered_total{}", 72},
      {"fettle_log_messages_total{level=warn}", 83},
      {"fettle_log_suppressed_total{}", 85},
      {"fettle_http_responses_total{class=4xx}", 92},
      {"fettle_http_refused_connections_total{}", 94},
      {"fettle_http_timeouts_total{}", 95},
      {"fettle_http_connections{}", 96},
      {"process_resident_memory_bytes{}", 101},
      {"process_virtual_memory_bytes{}", 102},
      {"process_cpu_seconds_total{}", 10.25},
      {"process_open_fds{}", 104},
      {"process_max_fds{}", 105},
      {"process_start_time_seconds{}", 1'700'000'000.5},
  };
  for (const auto& [sample, number] : expected) EXPECT_DOUBLE_EQ(value(sample), number) << sample;
}

TEST(Exposition, IsReadByAnotherParserAlsoWhenThereIsNothingToTell) {
  const auto read = read_by_another(exposition(Snapshot{}));
  if (!read) GTEST_SKIP() << "skipped: needs python3-prometheus-client";
  EXPECT_EQ(read->at("samples").as_object().at("fettle_messages_total{}").to_number<double>(), 0);
}

// ---- the reference page
// ------------------------------------------------------------------------------------------------

using Family = std::tuple<std::string, std::string, std::string>;  // name, type, labels

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(" `"));
  text.erase(text.find_last_not_of(" `") + 1);
  return text;
}

std::set<Family> families_in(const std::string& text) {
  std::map<std::string, std::string> types;
  std::map<std::string, std::set<std::string>> labels;
  std::istringstream in(text);
  std::string family;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# TYPE ")) {
      std::istringstream words(line.substr(7));
      words >> family;
      words >> types[family];
    } else if (!line.starts_with('#') && line.find('{') != std::string::npos) {
      // Names of labels stand before `="`.
      for (std::size_t at = line.find("=\""); at != std::string::npos; at = line.find("=\"", at + 1)) {
        const std::size_t begin = line.find_last_of("{,", at) + 1;
        const std::string label = line.substr(begin, at - begin);
        if (label != "le") labels[family].insert(label);
      }
    }
  }
  std::set<Family> out;
  for (const auto& [name, type] : types) {
    std::string listed;
    for (const std::string& label : labels[name]) listed += (listed.empty() ? "" : ", ") + label;
    out.insert({name, type, listed});
  }
  return out;
}

std::set<Family> families_of_the_page() {
  std::ifstream in(FETTLE_SOURCE_DIR "/docs/reference/metrics.md");
  std::set<Family> out;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("| `fettle_") && !line.starts_with("| `process_")) continue;
    std::istringstream cells(line.substr(1));
    std::string name;
    std::string type;
    std::string labels;
    std::getline(cells, name, '|');
    std::getline(cells, type, '|');
    std::getline(cells, labels, '|');
    labels.erase(std::remove(labels.begin(), labels.end(), '`'), labels.end());
    out.insert({trimmed(name), trimmed(type), trimmed(labels)});
  }
  return out;
}

TEST(ReferencePage, NamesEachFamilyWithItsTypeAndLabelsAndNoOther) {
  const std::set<Family> shown = families_in(exposition(full_snapshot()));
  const std::set<Family> documented = families_of_the_page();
  for (const Family& family : shown) {
    EXPECT_TRUE(documented.contains(family)) << "not in docs/reference/metrics.md: " << std::get<0>(family) << " | "
                                             << std::get<1>(family) << " | " << std::get<2>(family);
  }
  for (const Family& family : documented) {
    EXPECT_TRUE(shown.contains(family)) << "in docs/reference/metrics.md and not shown so: " << std::get<0>(family)
                                        << " | " << std::get<1>(family) << " | " << std::get<2>(family);
  }
}

TEST(ReferencePage, GuideAndPageNameOnlyMetricsThatExist) {
  const std::string text = exposition(full_snapshot());
  for (const char* page : {"/docs/reference/metrics.md", "/docs/how-to/monitor.md"}) {
    std::ifstream in(std::string(FETTLE_SOURCE_DIR) + page);
    const std::string words{std::istreambuf_iterator<char>(in), {}};
    ASSERT_FALSE(words.empty()) << page;
    for (std::size_t at = words.find("fettle_"); at != std::string::npos; at = words.find("fettle_", at + 1)) {
      const std::size_t end = words.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_", at);
      const std::string name = words.substr(at, end - at);
      EXPECT_TRUE(text.find('\n' + name + ' ') != std::string::npos ||
                  text.find('\n' + name + '{') != std::string::npos || text.find(" " + name + " ") != std::string::npos)
          << page << " names " << name;
    }
  }
}

}  // namespace
}  // namespace fettle::app
