// bench_ingest: what a message costs the gateway, as ratios to a Paho subscriber that does nothing with it.
// docs/reference/benchmarks.md says what each line means.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <memory>

#include "tests/bench/empty_subscriber.h"
#include "tests/bench/machine.h"
#include "tests/bench/result.h"
#include "tests/bench/runs.h"
#include "tests/bench/scenarios.h"
#include "tests/bench/setting.h"
#include "tests/bench/wait.h"
#include "tests/bench/workload.h"

namespace fettle::bench {
namespace {

constexpr int kMisuse = 2;
constexpr int kInterrupted = 130;
constexpr double kRawReading = 16;  // bytes: a time and a value of eight each

enum class Mode { qos1_json, sparkplug_1, sparkplug_50, scale, restart };

struct Options {
  Mode mode = Mode::qos1_json;
  std::size_t pairs = 9;
  std::size_t messages = 0;  // 0: as the mode has it
  std::size_t payload = 100;
  std::size_t assets = 0;  // Sparkplug; 0: as the mode has it
  std::size_t window = 16'384;
  std::size_t rate = 5'000;  // of scale, messages a second
  bool keep = false;
};

// What a mode sends unless told otherwise.
struct Defaults {
  std::size_t messages;  // of a run: a second or more of it
  std::size_t assets;
  std::size_t signals;  // of an asset, and readings of its messages
  std::size_t nodes;
  Condition condition;
};
constexpr std::array<Defaults, 5> kDefaults = {{
    {50'000, kAssets, 0, 0, Condition::window},
    {200'000, kAssets, 1, 4, Condition::window},
    {150'000, 1'000, 50, 4, Condition::window},
    {300'000, 10'000, 20, 20, Condition::threshold},
    {1'000'000, kAssets, 1, 0, Condition::window},
}};
constexpr double kRestartMark = 10;       // seconds, of mode restart
constexpr std::size_t kOneReading = 46;   // bytes of JSON
constexpr double kMemoryMark = 160;       // MB, of mode scale
constexpr std::size_t kLeastRounds = 20;  // enough for a rule's window and delay

Defaults defaults_of(Mode mode) {
  return kDefaults[static_cast<std::size_t>(mode)];
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

void warn_of_others(const std::vector<double>& foreign) {
  const auto disturbed = std::count_if(foreign.begin(), foreign.end(), [](double s) { return s > kTooMuchForeign; });
  if (disturbed == 0) return;
  std::fprintf(stderr,
               "warning: in %td of %zu pairs other processes took more than %.0f %% of the processors: do not trust "
               "messages_per_second, whichever way it points; run again when the machine is quiet\n",
               disturbed, foreign.size(), kTooMuchForeign * 100);
}

// `readings`: of a message.
void run_pairs(const Options& options, const Scenario& scenario, std::size_t readings,
               const std::filesystem::path& folder) {
  Series rate("messages_per_second", "messages/s");
  Series readings_rate("readings_per_second", "readings/s");
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
      gateway = run_gateway(scenario, place("gateway-"));
      yardstick = run_yardstick(scenario, place("yardstick-"));
    } else {
      yardstick = run_yardstick(scenario, place("yardstick-"));
      gateway = run_gateway(scenario, place("gateway-"));
    }
    foreign.push_back(std::max(gateway.foreign_share, yardstick.foreign_share));
    std::fprintf(stderr, "pair %zu of %zu: gateway %s; empty %s; load %.1f\n", pair, options.pairs,
                 to_text(gateway).c_str(), to_text(yardstick).c_str(), load_average());
    rate.add(gateway.messages_per_second, yardstick.messages_per_second);
    const auto each = static_cast<double>(readings);
    readings_rate.add(gateway.messages_per_second * each, yardstick.messages_per_second * each);
    processor.add(gateway.processor_per_message, yardstick.processor_per_message);
    memory.add(gateway.peak_memory, yardstick.peak_memory);
    disk.add(gateway.bytes_per_reading, kRawReading);
    if (!options.keep) std::filesystem::remove_all(place("gateway-"));
  }
  for (const Series* series : {&rate, &readings_rate, &processor, &memory, &disk}) series->print(median(foreign));
  if (scenario.sparkplug) {
    std::fprintf(stderr, "lost: 0 messages, 0 gaps in sequence numbers, in every run\n");  // or it would have thrown
  }
  warn_of_others(foreign);
}

// One run of the gateway at a steady rate: what it takes to know so many assets.
void run_scale(const Options& options, const Scenario& scenario, const std::filesystem::path& folder) {
  const GatewayMeasured gateway = run_gateway(scenario, folder / "gateway");
  std::fprintf(stderr, "gateway %s\n", to_text(gateway).c_str());
  Series rate("messages_per_second", "messages/s");
  Series processor("cpu_per_message", "us");
  Series memory("peak_memory", "MB");
  Series disk("disk_per_reading", "bytes");
  rate.add(gateway.messages_per_second, static_cast<double>(options.rate));
  processor.add(gateway.processor_per_message, 1e6 / static_cast<double>(options.rate));
  memory.add(gateway.peak_memory, kMemoryMark);
  disk.add(gateway.bytes_per_reading, kRawReading);
  for (const Series* series : {&rate, &processor, &memory, &disk}) series->print(gateway.foreign_share);
}

std::chrono::sys_time<std::chrono::milliseconds> now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

void measure_json(const Options& options, const fettle::e2e::Broker& broker, const std::filesystem::path& folder) {
  const Workload workload = make_workload(options.messages, options.payload, now());
  std::fprintf(stderr, "%zu messages a run, the last of %zu bytes, %zu readings each\n", workload.messages.size(),
               workload.messages.back().payload.size(), workload.readings_per_message);
  const Packets packets(workload.messages);
  run_pairs(options, json_scenario(workload, packets, broker), workload.readings_per_message, folder);
}

void measure_sparkplug(const Options& options, const fettle::e2e::Broker& broker, const std::filesystem::path& folder) {
  const Defaults defaults = defaults_of(options.mode);
  SparkplugShape shape;
  shape.assets = options.assets;
  shape.signals = defaults.signals;
  shape.nodes = defaults.nodes;
  shape.condition = defaults.condition;
  shape.rounds = options.messages / options.assets;
  SparkplugLoad load(shape, now());
  std::fprintf(stderr, "%zu messages a run, of %zu bytes, %zu readings each, from %zu devices of %zu edge nodes\n",
               shape.rounds * shape.assets, load.bytes_of_message(), shape.signals, shape.assets, shape.nodes);
  if (options.mode == Mode::scale) {
    run_scale(options, sparkplug_scenario(load, broker, options.window, options.rate), folder);
  } else {
    run_pairs(options, sparkplug_scenario(load, broker, options.window, 0), shape.signals, folder);
  }
}

// One start of the gateway with everything journaled and nothing committed.
void measure_restart(const Options& options, const std::filesystem::path& folder) {
  const Workload workload = make_workload(options.messages, kOneReading, now());
  const RestartMeasured gateway = run_restart(workload, folder / "gateway");
  std::fprintf(stderr, "%zu messages: gateway %s\n", workload.messages.size(), to_text(gateway).c_str());
  const auto messages = static_cast<double>(options.messages);
  Series seconds("start_after_crash", "s");
  Series rate("messages_per_second", "messages/s");
  Series processor("cpu_per_message", "us");
  Series memory("peak_memory", "MB");
  seconds.add(gateway.seconds, kRestartMark);
  rate.add(gateway.messages_per_second, messages / kRestartMark);
  processor.add(gateway.processor_per_message, 1e6 * kRestartMark / messages);
  memory.add(gateway.peak_memory, kMemoryMark);
  for (const Series* series : {&seconds, &rate, &processor, &memory}) series->print(gateway.foreign_share);
  warn_of_others({gateway.foreign_share});
}

int measure(const Options& options) {
  catch_interrupts();
  auto folder = make_folder();
  const std::filesystem::path path = folder->path();
  if (options.keep) (void)folder.release();  // whose destructor would remove it
  describe_place(path);
  if (options.mode == Mode::restart) {
    measure_restart(options, path);
    return 0;
  }
  const auto broker = start_broker(path / "broker");
  if (options.mode == Mode::qos1_json) {
    measure_json(options, *broker, path);
  } else {
    measure_sparkplug(options, *broker, path);
  }
  return 0;
}

int command_line(int argc, char** argv) {
  CLI::App app("Measures what a message costs the gateway, beside a Paho subscriber that does nothing with it");
  Options options;
  const std::map<std::string, Mode> modes{{"qos1-json", Mode::qos1_json},
                                          {"sparkplug-1", Mode::sparkplug_1},
                                          {"sparkplug-50", Mode::sparkplug_50},
                                          {"scale", Mode::scale},
                                          {"restart", Mode::restart}};
  app.add_option("--mode", options.mode,
                 "what is sent: JSON at QoS 1, or Sparkplug with so many metrics a message; or what is journaled "
                 "before a start")
      ->transform(CLI::CheckedTransformer(modes, CLI::ignore_case));
  app.add_option("--pairs", options.pairs, "runs of each side")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--messages", options.messages, "of a run; at least 20 of each asset")
      ->check(CLI::Range(kLeastRounds, std::size_t{10'000'000}));
  app.add_option("--payload", options.payload,
                 "of qos1-json: bytes of a message at most; as many readings as fit, and one at least")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--assets", options.assets, "of the Sparkplug modes")->check(CLI::Range(20, 100'000));
  app.add_option("--window", options.window, "of the Sparkplug modes: messages ahead of the subscriber")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--rate", options.rate, "of scale: messages a second")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_flag("--keep", options.keep, "leave the folder with all logs and data there");
  // What measure() starts as the yardstick; no command for people.
  Subscription subscription;
  CLI::App* empty = app.add_subcommand("empty-subscriber")->group("");
  empty->add_option("--broker", subscription.broker)->required();
  empty->add_option("--client-id", subscription.client_id)->required();
  empty->add_option("--topic", subscription.topics)->required();
  empty->add_option("--qos", subscription.qos)->required();
  empty->add_option("--counter", subscription.counter)->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kMisuse;
  }
  const Defaults defaults = defaults_of(options.mode);
  if (options.messages == 0) options.messages = defaults.messages;
  if (options.mode == Mode::qos1_json || options.mode == Mode::restart) options.assets = kAssets;
  if (options.assets == 0) options.assets = defaults.assets;
  if (options.messages < kLeastRounds * options.assets) {
    std::fprintf(stderr,
                 "bench_ingest: --messages is less than %zu of each of %zu assets, with which no rule is raised\n",
                 kLeastRounds, options.assets);
    return kMisuse;
  }
  try {
    if (empty->parsed()) return run_empty_subscriber(subscription);
    return measure(options);
  } catch (const Interrupted&) {
    std::fprintf(stderr, "bench_ingest: interrupted; nothing is left running\n");
    return kInterrupted;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_ingest: %s\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace fettle::bench

int main(int argc, char** argv) {
  return fettle::bench::command_line(argc, argv);
}
