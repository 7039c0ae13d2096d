#include "tests/bench/runs.h"

#include <sqlite3.h>

#include <exception>
#include <limits>
#include <memory>
#include <stdexcept>
#include <thread>

#include "gateway/engine/sessions.h"
#include "gateway/journal/journal.h"
#include "gateway/store/sqlite/sqlite_store.h"
#include "tests/bench/child.h"
#include "tests/bench/empty_subscriber.h"
#include "tests/bench/machine.h"
#include "tests/bench/publisher.h"
#include "tests/bench/setting.h"
#include "tests/bench/wait.h"

namespace fettle::bench {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr const char* kYardstickId = "bench-yardstick";
// Often enough for a run of a second, seldom enough to take nothing from it.
constexpr std::chrono::milliseconds kLook{2};
constexpr std::chrono::seconds kArrival{60};    // without a single message
constexpr std::size_t kJournaledRate = 10'000;  // messages a second
constexpr double kToldAfter = 3;                // seconds: a restart that takes longer says how far it is
constexpr const char* kMessages = "SELECT messages FROM counters";

// One number of a store that a gateway may be writing to: reading never waits for it, nor it for the reader.
class StoreNumber {
 public:
  StoreNumber(const fs::path& store, const char* sql) {
    const int opened = sqlite3_open_v2(store.c_str(), &database_, SQLITE_OPEN_READONLY, nullptr);
    sqlite3_busy_timeout(database_, 1000);
    if (opened != SQLITE_OK || sqlite3_prepare_v2(database_, sql, -1, &statement_, nullptr) != SQLITE_OK) {
      const std::string why = sqlite3_errmsg(database_);
      sqlite3_close(database_);
      throw std::runtime_error("cannot read " + store.string() + ": " + why +
                               "; was fettle built from the same source as this program?");
    }
  }
  StoreNumber(const StoreNumber&) = delete;
  StoreNumber& operator=(const StoreNumber&) = delete;
  ~StoreNumber() {
    sqlite3_finalize(statement_);
    sqlite3_close(database_);
  }
  std::int64_t read() {
    std::int64_t value = 0;
    if (sqlite3_step(statement_) == SQLITE_ROW) value = sqlite3_column_int64(statement_, 0);
    sqlite3_reset(statement_);
    return value;
  }

 private:
  sqlite3* database_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
};

// The publisher's thread. What it throws is thrown again by finish().
class Publishing {
 public:
  explicit Publishing(Feed& feed)
      : thread_([this, &feed] {
          try {
            feed.publish(progress_);
          } catch (...) {
            problem_ = std::current_exception();
            failed_ = true;
          }
        }) {}
  Publishing(const Publishing&) = delete;
  Publishing& operator=(const Publishing&) = delete;
  ~Publishing() {
    progress_.cancel();
    if (thread_.joinable()) thread_.join();
  }
  bool failed() const { return failed_; }
  void reach(std::uint64_t arrived) { progress_.reach(arrived); }
  void finish() {
    thread_.join();
    if (problem_) std::rethrow_exception(problem_);
  }

 private:
  Progress progress_;
  std::exception_ptr problem_;
  std::atomic<bool> failed_{false};
  std::thread thread_;  // last: it uses what stands above
};

// Waits until `read` says `all` and tells how far it is; throws where it stands still for kArrival.
void wait_for_arrival(const std::function<std::uint64_t()>& read, std::uint64_t all, const std::string& who,
                      const std::function<bool(std::uint64_t)>& give_up) {
  std::uint64_t arrived = read();
  while (arrived < all) {
    std::uint64_t now = arrived;
    wait_for([&] { return (now = read()) != arrived || give_up(now); }, kLook, kArrival,
             who + " has got " + std::to_string(arrived) + " of " + std::to_string(all) + ", and no more,");
    arrived = now;
    if (give_up(arrived)) return;
  }
}

// From the first publish until as many more messages have arrived as the feed publishes.
Measured measure(Feed& feed, Child& child, const std::string& who, const std::function<std::uint64_t()>& read) {
  const std::uint64_t before = read();
  const auto processor_before = child.processor_time();
  const ForeignShare foreign;
  const auto begin = steady_clock::now();
  Publishing publishing(feed);
  wait_for_arrival([&] { return read() - before; }, feed.messages(), who + " (messages)",
                   [&](std::uint64_t arrived) {
                     publishing.reach(arrived);
                     return publishing.failed() || !child.running();
                   });
  const auto took = steady_clock::now() - begin;
  const double foreign_share = foreign.read();
  if (!child.running()) throw std::runtime_error(who + " ended while it was measured; it said: " + child.output());
  const auto processor = child.processor_time() - processor_before;
  publishing.finish();
  const auto messages = static_cast<double>(feed.messages());
  Measured measured;
  measured.foreign_share = foreign_share;
  measured.messages_per_second = messages / std::chrono::duration<double>(took).count();
  measured.processor_per_message = std::chrono::duration<double, std::micro>(processor).count() / messages;
  measured.peak_memory = static_cast<double>(child.peak_memory()) / 1e6;
  return measured;
}

void expect(const fs::path& store, const char* what, const char* sql, std::uint64_t expected) {
  const std::int64_t found = StoreNumber(store, sql).read();
  if (found == static_cast<std::int64_t>(expected)) return;
  throw std::runtime_error("the gateway got its sums wrong, so its speed means nothing: " + std::string(what) + " " +
                           std::to_string(found) + ", expected " + std::to_string(expected) + " in " + store.string() +
                           "; run again with --keep and look there (fettle status, fettle quarantine)");
}

void check_work(const fs::path& store, const Expected& expected, std::uint64_t messages) {
  expect(store, "messages", kMessages, messages);
  expect(store, "readings", "SELECT readings FROM counters", expected.readings);
  expect(store, "quarantined, late or duplicate", "SELECT quarantined + late + duplicates FROM counters", 0);
  expect(store, "episodes", "SELECT count(*) FROM episode", expected.episodes);
  expect(store, "metered hundredths", "SELECT coalesce(sum(quantity), 0) FROM usage_record",
         static_cast<std::uint64_t>(expected.metered));
  expect(store, "gaps in sequence numbers", "SELECT count(*) FROM loss WHERE kind = 'gap'", 0);
}

// Behind what the store has committed: the direct session comes up, and the messages come, a tick among them each
// second of kJournaledRate.
void journal_messages(const fs::path& data, const std::vector<Outgoing>& messages) {
  journal::Sequence committed = 0;
  {
    const auto store = store::SqliteStore::open(data / "fettle.db", store::Durability::process).value();
    committed = store->committed();
  }
  journal::Options options;
  options.folder = data / "journal";
  options.max_backlog = std::numeric_limits<std::size_t>::max();
  const auto journal = journal::Journal::open(options, committed).value();
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  std::string body;
  const auto append = [&](journal::Kind kind) {
    if (!journal->append(kind, now, body)) throw std::runtime_error("cannot journal: " + journal->disk_error());
    body.clear();
  };
  encode(journal::Session{true, std::string(engine::Sessions::kDirectName)}, body);
  append(journal::Kind::session);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::string& payload = messages[i].payload;
    encode(journal::Message{static_cast<std::uint32_t>(payload.size()), messages[i].topic, payload}, body);
    append(journal::Kind::message);
    if (i % kJournaledRate == 0) append(journal::Kind::tick);
  }
}

}  // namespace

GatewayMeasured run_gateway(const Scenario& scenario, const fs::path& folder) {
  fs::create_directories(folder);
  const fs::path config = apply_catalog(folder, scenario.configuration, scenario.catalog);
  const fs::path store = folder / "data" / "fettle.db";
  const auto size_before = fs::file_size(store);
  Child gateway({program("fettle").string(), "serve", "--config", config.string()}, folder / "serve.log");
  wait_until_says(gateway, scenario.session_up, "the gateway");
  const std::unique_ptr<Feed> feed = scenario.connect();
  GatewayMeasured measured;
  {
    StoreNumber messages(store, kMessages);
    StoreNumber readings(store, "SELECT readings FROM counters");
    feed->prepare();
    // What a node sends after its birth may be held for a while.
    wait_for_arrival([&] { return static_cast<std::uint64_t>(readings.read()); }, feed->prepared_readings(),
                     "the gateway (readings before the clock)", [&](std::uint64_t) { return !gateway.running(); });
    static_cast<Measured&>(measured) =
        measure(*feed, gateway, "the gateway", [&] { return static_cast<std::uint64_t>(messages.read()); });
  }
  if (const int code = gateway.stop(); code != 0) {
    throw std::runtime_error("the gateway ended with code " + std::to_string(code) + ": " + gateway.output());
  }
  if (!scenario.client_id.empty()) forget_session(scenario.broker.port(), scenario.client_id);
  const auto grown = static_cast<double>(fs::file_size(store)) - static_cast<double>(size_before);
  measured.bytes_per_reading = grown / static_cast<double>(scenario.expected.readings);
  check_work(store, scenario.expected, feed->prepared_messages() + feed->messages());
  return measured;
}

RestartMeasured run_restart(const Workload& workload, const fs::path& folder) {
  fs::create_directories(folder);
  const fs::path config = apply_catalog(folder, "", workload.catalog);
  journal_messages(folder / "data", workload.messages);
  const fs::path store = folder / "data" / "fettle.db";
  const ForeignShare foreign;
  const auto begin = steady_clock::now();
  Child gateway({program("fettle").string(), "serve", "--config", config.string()}, folder / "serve.log");
  {
    StoreNumber committed(store, kMessages);
    wait_for_arrival([&] { return static_cast<std::uint64_t>(committed.read()); }, workload.messages.size(),
                     "the gateway (journaled messages)", [&](std::uint64_t) { return !gateway.running(); });
  }
  RestartMeasured measured;
  measured.seconds = std::chrono::duration<double>(steady_clock::now() - begin).count();
  const auto messages = static_cast<double>(workload.messages.size());
  measured.messages_per_second = messages / measured.seconds;
  measured.foreign_share = foreign.read();
  measured.processor_per_message =
      std::chrono::duration<double, std::micro>(gateway.processor_time()).count() / messages;
  measured.peak_memory = static_cast<double>(gateway.peak_memory()) / 1e6;
  if (measured.seconds > kToldAfter && gateway.output().find("replaying the journal: ") == std::string::npos) {
    throw std::runtime_error("the gateway did not say how far it was: " + gateway.output());
  }
  if (const int code = gateway.stop(); code != 0) {
    throw std::runtime_error("the gateway ended with code " + std::to_string(code) + ": " + gateway.output());
  }
  check_work(store, workload.expected, workload.messages.size());
  return measured;
}

Measured run_yardstick(const Scenario& scenario, const fs::path& folder) {
  fs::create_directories(folder);
  const fs::path counter = folder / "counter";
  const SharedCounter seen(counter);
  std::vector<std::string> words{program("bench_ingest").string(),
                                 "empty-subscriber",
                                 "--broker",
                                 scenario.broker.uri(),
                                 "--client-id",
                                 kYardstickId,
                                 "--qos",
                                 std::to_string(scenario.qos),
                                 "--counter",
                                 counter.string()};
  for (const std::string& topic : scenario.topics) words.insert(words.end(), {"--topic", topic});
  Child subscriber(words, folder / "subscriber.log");
  wait_until_says(subscriber, kSubscribed, "the empty subscriber");
  const std::unique_ptr<Feed> feed = scenario.connect();
  feed->prepare();
  wait_for_arrival([&] { return seen.read(); }, feed->prepared_messages(), "the empty subscriber (before the clock)",
                   [&](std::uint64_t) { return !subscriber.running(); });
  const Measured measured = measure(*feed, subscriber, "the empty subscriber", [&] { return seen.read(); });
  subscriber.stop();
  if (scenario.qos > 0) forget_session(scenario.broker.port(), kYardstickId);
  return measured;
}

}  // namespace fettle::bench
