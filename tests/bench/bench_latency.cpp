// bench_latency: how long after a reading its work order is told, while little else happens. Each asset has one
// reading, which opens a work order at once; the event comes over MQTT. docs/reference/benchmarks.md says what each
// line means.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

#include "tests/bench/event_listener.h"
#include "tests/bench/machine.h"
#include "tests/bench/result.h"
#include "tests/bench/setting.h"
#include "tests/bench/wait.h"
#include "tests/bench/workload.h"

namespace fettle::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr int kMisuse = 2;
constexpr int kInterrupted = 130;
constexpr double kMark = 250;  // ms, of the 99th percentile
constexpr milliseconds kShortestPause{300};
constexpr milliseconds kLongestPause{1200};
constexpr milliseconds kPatience{30'000};

struct Options {
  std::size_t readings = 200;
  std::uint64_t seed = 1;
  bool keep = false;
};

// Readings above 90 degC open a work order at once.
std::string make_catalog(std::size_t assets) {
  std::string list;
  std::string names;
  for (std::size_t i = 0; i < assets; ++i) {
    list += "  - {id: " + asset_name(i) + ", model: motor, customer: acme, commissioned: 2020-01-01}\n";
    names += (i == 0 ? "" : ", ") + asset_name(i);
  }
  return "models:\n  - id: motor\n    signals:\n      - {name: temperature, kind: gauge, unit: degC}\n"
         "customers:\n  - {id: acme, name: Acme GmbH, country: DE, zone: Europe/Berlin, currency: EUR}\n"
         "seller:\n  id: bench\n  name: Bench GmbH\n  country: DE\n  invoice_prefix: B\n  vat_rates:\n"
         "    - {country: DE, category: S, percent: 19}\nassets:\n" +
         list +
         "plans:\n  - {id: care, seller: bench, currency: EUR, packs: [motor-watch], charges: [{id: base, kind: fixed, "
         "amount: 1.00}]}\n"
         "subscriptions:\n  - {id: acme-care, customer: acme, plan: care, start: 2020-01-01, assets: [" +
         names +
         "]}\n---\npack: motor-watch\nversion: 1\nrules:\n  - rule: hot\n    model: motor\n"
         "    when: temperature > 90 degC\n    work_order: {priority: P2, action: Look at the motor}\n"
         "    tests:\n      - name: at once\n        readings: {temperature: constant(95.5 degC, 1m, every 10s)}\n"
         "        expect: [{raised_after: == 0s, cleared_after: never}]\n";
}

void publish_reading(Connection& device, std::size_t asset) {
  const auto now = std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now());
  std::string body;
  put_text(body, "fettle/v1/" + asset_name(asset) + "/telemetry");
  put16(body, asset % 65535 + 1);  // packet identifier
  body += "{\"ts\":" + std::to_string(now.time_since_epoch().count()) + ",\"temperature\":95.5}";
  std::string packet;
  put_packet(packet, kPublishQos1, body);
  device.send_all(packet);
}

// Milliseconds from the publish until the first event about that asset.
double await_event(EventListener& events, std::size_t asset, steady_clock::time_point published) {
  const std::string about = "\"asset\":\"" + asset_name(asset) + '"';
  while (steady_clock::now() < published + kPatience) {
    const auto heard = events.next(milliseconds(100));
    const auto now = steady_clock::now();
    // Nothing is waited for here; this looks whether somebody pressed Ctrl-C.
    wait_for([] { return true; }, milliseconds(1), std::chrono::seconds(1), "");
    if (heard && heard->payload.find(about) != std::string::npos) {
      return std::chrono::duration<double, std::milli>(now - published).count();
    }
  }
  throw std::runtime_error("no event about " + asset_name(asset) + " came within " +
                           std::to_string(kPatience.count() / 1000) + " s");
}

// The smallest value that at least this share of all are not above (nearest rank).
double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  return values[std::max<std::size_t>(rank, 1) - 1];
}

int measure(const Options& options) {
  catch_interrupts();
  auto folder = make_folder();
  const std::filesystem::path path = folder->path();
  if (options.keep) (void)folder.release();  // whose destructor would remove it
  describe_place(path);
  const auto broker = start_broker(path / "broker");
  const std::string configuration = "mqtt: {broker: \"" + broker->uri() + "\", client_id: bench}\nevents: {}\n";
  const auto config = apply_catalog(path, configuration, make_catalog(options.readings));
  Child gateway({program("fettle").string(), "serve", "--config", config.string()}, path / "serve.log");
  wait_until_says(gateway, " ready\n", "the gateway");
  EventListener events(broker->port(), "bench-listener", "fettle/v1/events/#");
  Connection device(broker->port(), "bench-device");

  std::mt19937_64 random(options.seed);
  std::uniform_int_distribution<milliseconds::rep> pause(kShortestPause.count(), kLongestPause.count());
  std::vector<double> latencies;
  const ForeignShare foreign;
  for (std::size_t asset = 0; asset < options.readings; ++asset) {
    const auto begin = steady_clock::now();
    const auto until = begin + milliseconds(pause(random));
    wait_for([&] { return steady_clock::now() >= until; }, milliseconds(5), std::chrono::seconds(10),
             "the clock stands");
    const auto published = steady_clock::now();
    publish_reading(device, asset);
    latencies.push_back(await_event(events, asset, published));
  }
  const double share = foreign.read();
  const auto print = [&](const char* metric, double value) {
    std::printf("%s\n", to_json({"latency", metric, value, "ms", kMark, value / kMark, share}).c_str());
  };
  print("work_order_event_p50", percentile(latencies, 0.50));
  print("work_order_event_p99", percentile(latencies, 0.99));
  std::fprintf(stderr, "%zu readings, the slowest after %.0f ms\n", latencies.size(), percentile(latencies, 1));
  if (share > kTooMuchForeign) {
    std::fprintf(stderr,
                 "warning: other processes took %.0f %% of the processors; run again when the machine is quiet\n",
                 share * 100);
  }
  if (const int code = gateway.stop(); code != 0) {
    throw std::runtime_error("the gateway ended with code " + std::to_string(code) + ": " + gateway.output());
  }
  return 0;
}

int command_line(int argc, char** argv) {
  CLI::App app("Measures how long after a reading the event of its work order comes");
  Options options;
  app.add_option("--readings", options.readings, "each opens one work order")
      ->check(CLI::Range(1, 5'000))
      ->capture_default_str();
  app.add_option("--seed", options.seed, "of the pauses between them")->capture_default_str();
  app.add_flag("--keep", options.keep, "leave the folder with all logs and data there");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kMisuse;
  }
  try {
    return measure(options);
  } catch (const Interrupted&) {
    std::fprintf(stderr, "bench_latency: interrupted; nothing is left running\n");
    return kInterrupted;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_latency: %s\n", error.what());
    return 1;
  }
}

}  // namespace
}  // namespace fettle::bench

int main(int argc, char** argv) {
  return fettle::bench::command_line(argc, argv);
}
