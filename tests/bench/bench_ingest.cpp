// bench_ingest: what a message costs the gateway, as ratios to a Paho subscriber that does nothing with it.
// docs/reference/benchmarks.md says what each line means.

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include "tests/bench/empty_subscriber.h"
#include "tests/bench/machine.h"
#include "tests/bench/publisher.h"
#include "tests/bench/result.h"
#include "tests/bench/runs.h"
#include "tests/bench/wait.h"
#include "tests/bench/workload.h"
#include "tests/e2e/harness/broker.h"
#include "tests/gateway/temporary_folder.h"

namespace {

using namespace fettle::bench;

constexpr int kMisuse = 2;
constexpr int kInterrupted = 130;
constexpr double kRawReading = 16;  // bytes: a time and a value of eight each

struct Options {
  std::size_t pairs = 9;
  std::size_t messages = 50'000;
  std::size_t payload = 100;
  bool keep = false;
};

// The kind of file system that holds a path, as the kernel calls it.
std::string file_system_of(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "unknown";
  const std::string device = std::to_string(major(info.st_dev)) + ':' + std::to_string(minor(info.st_dev));
  std::ifstream mounts("/proc/self/mountinfo");  // proc(5)
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string skipped;
    std::string number;
    std::string kind;
    fields >> skipped >> skipped >> number;
    const std::size_t dash = line.find(" - ");
    if (number != device || dash == std::string::npos) continue;
    std::istringstream(line.substr(dash + 3)) >> kind;
    return kind;
  }
  return "unknown";
}

double load_average() {
  double load = 0;
  return ::getloadavg(&load, 1) == 1 ? load : 0;
}

// Values of one metric, pair by pair.
class Series {
 public:
  Series(std::string metric, std::string unit) : metric_(std::move(metric)), unit_(std::move(unit)) {}

  void add(double value, double yardstick) {
    values_.push_back(value);
    yardsticks_.push_back(yardstick);
    ratios_.push_back(value / yardstick);
  }
  // The medians; that of the ratios is of the pairs', so that what slows the machine for a while slows both sides.
  void print(double foreign) const {
    const Result result{"ingest", metric_, median(values_), unit_, median(yardsticks_), median(ratios_), foreign};
    std::printf("%s\n", to_json(result).c_str());
    const auto [low, high] = std::minmax_element(ratios_.begin(), ratios_.end());
    std::fprintf(stderr, "%s: ratio %.3f, lowest %.3f, highest %.3f\n", metric_.c_str(), result.ratio, *low, *high);
  }

 private:
  std::string metric_;
  std::string unit_;
  std::vector<double> values_;
  std::vector<double> yardsticks_;
  std::vector<double> ratios_;
};

std::string to_text(const Measured& run) {
  char text[128];
  std::snprintf(text, sizeof text, "%.0f messages/s, %.1f us, others %.0f %%", run.messages_per_second,
                run.processor_per_message, run.foreign_share * 100);
  return text;
}

void run_pairs(const Options& options, const Load& load, const std::filesystem::path& folder) {
  Series rate("messages_per_second", "messages/s");
  Series processor("cpu_per_message", "us");
  Series memory("peak_memory", "MB");
  Series disk("disk_per_reading", "bytes");
  std::vector<double> foreign;  // by pair, the worse of its two runs
  for (std::size_t pair = 1; pair <= options.pairs; ++pair) {
    const auto place = [&](const char* name) { return folder / (name + std::to_string(pair)); };
    GatewayMeasured gateway;
    Measured yardstick;
    // Every second pair the other way round, so that neither side is always the one that comes after the other.
    if (pair % 2 == 1) {
      gateway = run_gateway(load, place("gateway-"));
      yardstick = run_yardstick(load, place("yardstick-"));
    } else {
      yardstick = run_yardstick(load, place("yardstick-"));
      gateway = run_gateway(load, place("gateway-"));
    }
    foreign.push_back(std::max(gateway.foreign_share, yardstick.foreign_share));
    std::fprintf(stderr, "pair %zu of %zu: gateway %s; empty %s; load %.1f\n", pair, options.pairs,
                 to_text(gateway).c_str(), to_text(yardstick).c_str(), load_average());
    rate.add(gateway.messages_per_second, yardstick.messages_per_second);
    processor.add(gateway.processor_per_message, yardstick.processor_per_message);
    memory.add(gateway.peak_memory, yardstick.peak_memory);
    disk.add(gateway.bytes_per_reading, kRawReading);
    if (!options.keep) std::filesystem::remove_all(place("gateway-"));
  }
  for (const Series* series : {&rate, &processor, &memory, &disk}) series->print(median(foreign));
  const auto disturbed = std::count_if(foreign.begin(), foreign.end(), [](double s) { return s > kTooMuchForeign; });
  if (disturbed > 0) {
    std::fprintf(stderr,
                 "warning: in %td of %zu pairs other processes took more than %.0f %% of the processors: do not trust "
                 "messages_per_second, whichever way it points; run again when the machine is quiet\n",
                 disturbed, options.pairs, kTooMuchForeign * 100);
  }
}

std::unique_ptr<fettle::test::TemporaryFolder> make_folder() {
  try {
    return std::make_unique<fettle::test::TemporaryFolder>();
  } catch (const std::exception& error) {
    throw std::runtime_error(std::string(error.what()) + "; set TMPDIR to a folder on a disk that you may write to");
  }
}

std::unique_ptr<fettle::e2e::Broker> start_broker(const std::filesystem::path& folder) {
  try {
    return std::make_unique<fettle::e2e::Broker>(folder);
  } catch (const std::exception& error) {
    throw std::runtime_error(std::string(error.what()) +
                             "\nIs mosquitto installed and on the PATH? `./run setup` installs it.");
  }
}

int measure(const Options& options) {
  catch_interrupts();
  auto folder = make_folder();
  const std::filesystem::path path = folder->path();
  if (options.keep) (void)folder.release();  // whose destructor would remove it
  const std::string kind = file_system_of(path);
  std::fprintf(stderr, "in %s (%s), %u processors, load %.1f\n", path.c_str(), kind.c_str(),
               std::thread::hardware_concurrency(), load_average());
  if (kind == "tmpfs") {
    std::fprintf(stderr,
                 "warning: that is memory, and the gateway is measured without a disk; "
                 "set TMPDIR to a folder on one\n");
  }
  const auto now = std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const Workload workload = make_workload(options.messages, options.payload, now);
  std::fprintf(stderr, "%zu messages a run, the last of %zu bytes, %zu readings each\n", workload.messages.size(),
               workload.messages.back().payload.size(), workload.readings_per_message);
  const Packets packets(workload.messages);
  const auto broker = start_broker(path / "broker");
  run_pairs(options, {workload, packets, *broker}, path);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures what a message costs the gateway, beside a Paho subscriber that does nothing with it");
  Options options;
  app.add_option("--pairs", options.pairs, "runs of each side")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--messages", options.messages, "of a run")
      ->check(CLI::Range(kLeastMessages, std::size_t{10'000'000}))
      ->capture_default_str();
  app.add_option("--payload", options.payload, "bytes of a message at most; as many readings as fit, and one at least")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_flag("--keep", options.keep, "leave the folder with all logs and data there");
  // What measure() starts as the yardstick; no command for people.
  std::string broker;
  std::string client_id;
  std::uint64_t messages = 0;
  CLI::App* empty = app.add_subcommand("empty-subscriber")->group("");
  empty->add_option("--broker", broker)->required();
  empty->add_option("--client-id", client_id)->required();
  empty->add_option("--messages", messages)->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kMisuse;
  }
  try {
    if (empty->parsed()) return run_empty_subscriber(broker, client_id, messages);
    return measure(options);
  } catch (const Interrupted&) {
    std::fprintf(stderr, "bench_ingest: interrupted; nothing is left running\n");
    return kInterrupted;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_ingest: %s\n", error.what());
    return 1;
  }
}
