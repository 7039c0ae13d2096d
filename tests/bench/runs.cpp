#include "tests/bench/runs.h"

#include <sqlite3.h>

#include <exception>
#include <memory>
#include <stdexcept>
#include <thread>

#include "tests/bench/child.h"
#include "tests/bench/empty_subscriber.h"
#include "tests/bench/machine.h"
#include "tests/bench/wait.h"
#include "tests/e2e/harness/process.h"

namespace fettle::bench {
namespace {

namespace fs = std::filesystem;
using std::chrono::steady_clock;

constexpr const char* kGatewayId = "bench-gateway";
constexpr const char* kYardstickId = "bench-yardstick";
// Often enough for a run of a second, seldom enough to take nothing from it.
constexpr std::chrono::milliseconds kLook{2};
constexpr std::chrono::seconds kStart{60};
constexpr std::chrono::seconds kArrival{300};

fs::path own_program() {
  return fs::read_symlink("/proc/self/exe");
}

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
  Publishing(Publisher& publisher, const Packets& packets)
      : publisher_(publisher), thread_([this, &packets] {
          try {
            publisher_.publish(packets);
          } catch (...) {
            problem_ = std::current_exception();
            failed_ = true;
          }
        }) {}
  Publishing(const Publishing&) = delete;
  Publishing& operator=(const Publishing&) = delete;
  ~Publishing() {
    publisher_.cancel();
    if (thread_.joinable()) thread_.join();
  }
  bool failed() const { return failed_; }
  void finish() {
    thread_.join();
    if (problem_) std::rethrow_exception(problem_);
  }

 private:
  Publisher& publisher_;
  std::exception_ptr problem_;
  std::atomic<bool> failed_{false};
  std::thread thread_;  // last: it uses what stands above
};

void wait_until_says(Child& child, const std::string& text, const std::string& who) {
  wait_for([&] { return !child.running() || child.output().find(text) != std::string::npos; }, kLook, kStart,
           who + " did not subscribe");
  if (!child.running()) throw std::runtime_error(who + " ended at once; it said: " + child.output());
}

// From the first publish until `arrived`.
Measured measure(const Load& load, Child& child, const std::string& who, const std::function<bool()>& arrived) {
  Publisher publisher(load.broker.port(), "bench-publisher");
  const auto processor_before = child.processor_time();
  const ForeignShare foreign;
  const auto begin = steady_clock::now();
  Publishing publishing(publisher, load.packets);
  wait_for([&] { return arrived() || publishing.failed() || !child.running(); }, kLook, kArrival,
           who + " has not got all " + std::to_string(load.packets.count()) + " messages");
  const auto took = steady_clock::now() - begin;
  const double foreign_share = foreign.read();
  if (!child.running()) throw std::runtime_error(who + " ended while it was measured; it said: " + child.output());
  const auto processor = child.processor_time() - processor_before;
  publishing.finish();
  const auto messages = static_cast<double>(load.packets.count());
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

void check_work(const fs::path& store, const Workload& workload) {
  expect(store, "messages", "SELECT messages FROM counters", workload.messages.size());
  expect(store, "readings", "SELECT readings FROM counters", workload.readings);
  expect(store, "quarantined, late or duplicate", "SELECT quarantined + late + duplicates FROM counters", 0);
  expect(store, "episodes", "SELECT count(*) FROM episode", workload.episodes);
  expect(store, "metered hundredths", "SELECT coalesce(sum(quantity), 0) FROM usage_record",
         static_cast<std::uint64_t>(workload.metered));
}

}  // namespace

GatewayMeasured run_gateway(const Load& load, const fs::path& folder) {
  fs::create_directories(folder);
  const fs::path config = folder / "gateway.yaml";
  const fs::path catalog = folder / "catalog.yaml";
  const fs::path data = folder / "data";
  const fs::path store = data / "fettle.db";
  const std::string fettle = own_program().replace_filename("fettle").string();
  e2e::write_text(config, "data: " + data.string() + "\nmqtt: {broker: \"" + load.broker.uri() +
                              "\", client_id: " + kGatewayId + "}\n");
  e2e::write_text(catalog, load.workload.catalog);
  const e2e::Ran applied = e2e::run_command({fettle, "apply", "--config", config.string(), catalog.string()});
  if (applied.code != 0) {
    throw std::runtime_error("fettle apply failed: " + applied.err + applied.out +
                             "(the catalog is made by tests/bench/workload.cpp; build fettle and bench_ingest from the "
                             "same source)");
  }
  const auto size_before = fs::file_size(store);

  Child gateway({fettle, "serve", "--config", config.string()}, folder / "serve.log");
  wait_until_says(gateway, "connected to tcp://", "the gateway");
  GatewayMeasured measured;
  {
    StoreNumber committed(store, "SELECT messages FROM counters");
    const auto all = static_cast<std::int64_t>(load.packets.count());
    static_cast<Measured&>(measured) = measure(load, gateway, "the gateway", [&] { return committed.read() >= all; });
  }
  if (const int code = gateway.stop(); code != 0) {
    throw std::runtime_error("the gateway ended with code " + std::to_string(code) + ": " + gateway.output());
  }
  forget_session(load.broker.port(), kGatewayId);
  const auto grown = static_cast<double>(fs::file_size(store)) - static_cast<double>(size_before);
  measured.bytes_per_reading = grown / static_cast<double>(load.workload.readings);
  check_work(store, load.workload);
  return measured;
}

Measured run_yardstick(const Load& load, const fs::path& folder) {
  fs::create_directories(folder);
  Child subscriber({own_program().string(), "empty-subscriber", "--broker", load.broker.uri(), "--client-id",
                    kYardstickId, "--messages", std::to_string(load.packets.count())},
                   folder / "subscriber.log");
  wait_until_says(subscriber, kSubscribed, "the empty subscriber");
  const Measured measured = measure(load, subscriber, "the empty subscriber",
                                    [&] { return subscriber.output().find(kSeenAll) != std::string::npos; });
  subscriber.stop();
  forget_session(load.broker.port(), kYardstickId);
  return measured;
}

}  // namespace fettle::bench
