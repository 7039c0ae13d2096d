#include "firmware-sim/options.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <random>

#include "firmware-sim/edge_options.h"
#include "firmware-sim/json_text.h"
#include "firmware-sim/stamp.h"

namespace fettle::sim {
namespace {

constexpr std::size_t kMostInflight = 20'000;  // packet identifiers have 16 bits

// The options as typed; turned into an Invocation once all are known.
struct Typed {
  std::vector<std::string> brokers = {"tcp://127.0.0.1:1883"};
  std::string ca;
  std::string certificate;
  std::string key;
  std::string username;
  std::string password_file;
  std::string speed = "max";
  std::string rate;
  std::size_t inflight = DeliveryLimits{}.inflight;
  std::string connect_timeout = "10s";
  std::string give_up = "60s";
  bool json = false;
  bool quiet = false;
  std::uint64_t seed = 1;

  std::string dataset;
  std::string folder;
  bool shuffle = false;
  bool duplicate = false;
  std::uint64_t limit = 0;
  std::string asset_prefix;

  std::uint64_t lifts = 5;
  std::string start = "2026-01-01T00:00:00Z";
  std::string duration;
  std::string interval = "5m";
  std::uint64_t messages = 0;
  bool faults = true;
  bool truth = false;
  std::vector<std::string> repairs;

  std::uint64_t assets = LoadPlan{}.assets;
  std::uint64_t signals = LoadPlan{}.signals;
  std::string load_start;
  std::string load_duration = "60s";
  bool catalog = false;

  EdgeOptions edge;
};

EventTime time_of(const std::string& option, const std::string& text) {
  const auto time = parse_iso8601(text);
  if (!time) misuse(option, "'" + text + "' is no time; write for instance 2026-01-01T00:00:00Z");
  return *time;
}

double factor_of(const std::string& option, const std::string& text, const std::string& what) {
  double factor = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), factor);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || !(factor >= Pace::kSlowest) ||
      !(factor <= Pace::kFastest))
    misuse(option, "'" + text + "' is no " + what + " (0.001 to 1e9)");
  return factor;
}

Pace pace_of(const Typed& typed) {
  if (!typed.rate.empty() && typed.speed != "max")
    misuse("--rate", "--rate and --speed both set the pace; leave one of them away");
  if (!typed.rate.empty() && typed.rate != "max")
    return Pace::of_rate(factor_of("--rate", typed.rate, "rate; write max, or how many messages a second"));
  if (typed.speed == "max") return Pace::unlimited();
  return Pace::of(factor_of("--speed", typed.speed, "speed; write max, or how many times faster than real time"));
}

std::string first_line(const std::string& file) {
  std::ifstream in(file);
  std::string line;
  if (!std::getline(in, line)) misuse("--password-file", file + " cannot be read or is empty");
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

BrokerAddress broker_of(const Typed& typed, const std::string& uri) {
  constexpr std::array<std::string_view, 4> kSchemes = {"tcp://", "mqtt://", "ssl://", "mqtts://"};
  BrokerAddress broker;
  broker.uri = uri;
  const auto scheme = std::ranges::find_if(kSchemes, [&](std::string_view begin) { return uri.starts_with(begin); });
  if (scheme == kSchemes.end() || uri.size() == scheme->size())
    misuse("--broker", "'" + uri + "' is no address; write tcp://HOST:PORT, or ssl://HOST:PORT for TLS");
  const bool has_files = !typed.ca.empty() || !typed.certificate.empty() || !typed.key.empty();
  if (has_files && !is_secured(uri))
    misuse("--broker", "'" + uri + "' is not secured, but TLS files are given; write ssl://HOST:PORT");
  for (const auto& file : {typed.ca, typed.certificate, typed.key}) {
    if (!file.empty() && !std::ifstream(file)) misuse("--ca, --cert, --key", file + " cannot be read");
  }
  broker.tls = {typed.ca, typed.certificate, typed.key};
  // Two simulators on one broker must not take each other's client id.
  broker.client_id = "fettle-sim-" + std::to_string(getpid()) + "-" + std::to_string(std::random_device()());
  if (!typed.username.empty())
    broker.credentials = {typed.username, typed.password_file.empty() ? "" : first_line(typed.password_file)};
  return broker;
}

DeliveryLimits limits_of(const Typed& typed) {
  DeliveryLimits limits;
  limits.inflight = typed.inflight;
  limits.connect_timeout = duration_of("--connect-timeout", typed.connect_timeout);
  limits.give_up = duration_of("--give-up", typed.give_up);
  return limits;
}

ReplayCommand replay_of(const Typed& typed) {
  ReplayCommand command;
  if (typed.dataset == "nab") command.dataset = Dataset::kNab;
  if (typed.dataset == "battery") command.dataset = Dataset::kBattery;
  command.folder = typed.folder;
  if (typed.limit > 0) command.recording.row_limit = typed.limit;
  if (!is_plain_text(typed.asset_prefix) || typed.asset_prefix.find_first_of("/+#") != std::string::npos)
    misuse("--asset-prefix", "'" + typed.asset_prefix + "' cannot be part of an MQTT topic");
  command.recording.asset_prefix = typed.asset_prefix;
  if (typed.shuffle && typed.speed != "max")
    misuse("--speed", "shuffled messages have no pace; leave --speed away, or --shuffle");
  command.order = typed.shuffle ? ReplayOrder::kShuffled : ReplayOrder::kRecorded;
  command.repeats = typed.duplicate ? Repeats::kTwice : Repeats::kOnce;
  command.seed = typed.seed;
  return command;
}

FleetCommand fleet_of(const Typed& typed) {
  FleetCommand command;
  FleetPlan& plan = command.plan;
  plan.lifts = typed.lifts;
  plan.start = time_of("--start", typed.start);
  plan.interval = duration_of("--interval", typed.interval);
  plan.seed = typed.seed;
  plan.faults = typed.faults ? Faults::kInjected : Faults::kNone;
  command.truth = typed.truth ? Truth::kPrinted : Truth::kUntold;
  // Given alone, --messages sets the length of the run; with --duration, whichever ends first.
  plan.messages = typed.messages > 0 ? typed.messages : std::numeric_limits<std::uint64_t>::max();
  if (!typed.duration.empty() || typed.messages == 0) {
    const auto duration = duration_of("--duration", typed.duration.empty() ? "35d" : typed.duration);
    const auto steps = static_cast<std::uint64_t>(std::max<std::int64_t>(duration / plan.interval, 1));
    plan.messages = std::min(plan.messages, steps * std::min(plan.lifts, kMostLifts));
  }
  for (const auto& repair : typed.repairs) {
    const std::size_t at = repair.find('@');
    if (at == std::string::npos) misuse("--repair", "'" + repair + "' is no repair; write ASSET@TIME");
    plan.repairs[repair.substr(0, at)] = time_of("--repair", repair.substr(at + 1));
  }
  if (const auto problem = check_plan(plan)) misuse("fleet", problem->text);
  return command;
}

LoadCommand load_of(const Typed& typed) {
  LoadCommand command;
  LoadPlan& plan = command.plan;
  plan.assets = typed.assets;
  plan.signals = typed.signals;
  plan.seed = typed.seed;
  const auto duration = duration_of("--for", typed.load_duration);
  plan.steps = static_cast<std::uint64_t>(duration / kLoadStep);
  if (typed.load_start.empty()) {
    if (typed.edge.buffer.has_value()) {
      misuse("--start",
             "is needed with --buffer: a run that is started again goes on where it was, so it must begin at "
             "the same time");
    }
    plan.start = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now()) - duration;
    plan.start = std::chrono::floor<std::chrono::seconds>(plan.start);
  } else {
    plan.start = time_of("--start", typed.load_start);
  }
  command.output = typed.catalog ? LoadOutput::kCatalog : LoadOutput::kReadings;
  if (const auto problem = check_load(plan)) misuse("load", problem->text);
  return command;
}

// What decides which batches a source hands out, in a line: a buffer that was filled from another line is another's.
std::string identity_of(const Typed& typed, const CLI::App& command) {
  std::string text = command.get_name();
  const auto add = [&text](const std::string& value) { text += '\x1f' + value; };
  for (const auto& value : {typed.dataset, typed.folder, typed.asset_prefix, typed.start, typed.duration,
                            typed.interval, typed.load_start, typed.load_duration})
    add(value);
  for (const std::uint64_t value :
       {typed.seed, typed.limit, typed.lifts, typed.messages, typed.assets, typed.signals, std::uint64_t{typed.shuffle},
        std::uint64_t{typed.duplicate}, std::uint64_t{typed.faults}})
    add(std::to_string(value));
  for (const auto& repair : typed.repairs) add(repair);
  return text + '\x1f' + edge_identity(typed.edge);
}

void add_common_options(CLI::App& app, Typed& typed) {
  app.add_option("--broker", typed.brokers, "MQTT broker; edge nodes walk over several")
      ->capture_default_str()
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--ca", typed.ca, "PEM file of the authorities that may sign the broker's certificate");
  app.add_option("--cert", typed.certificate, "PEM file of this client's certificate")->needs("--ca");
  app.add_option("--key", typed.key, "PEM file of its key")->needs("--cert");
  app.add_option("--username", typed.username, "user name for the broker");
  app.add_option("--password-file", typed.password_file, "file whose first line is the password")->needs("--username");
  app.add_option("--speed", typed.speed, "times real time by event stamps, or max: as fast as the broker acknowledges")
      ->capture_default_str();
  app.add_option("--rate", typed.rate, "messages a second, or max; instead of --speed");
  app.add_option("--seed", typed.seed, "seed of everything random")->capture_default_str();
  app.add_option("--inflight", typed.inflight, "messages sent and not yet acknowledged, at most")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, kMostInflight));
  app.add_option("--connect-timeout", typed.connect_timeout, "give up if no connection is made at first")
      ->capture_default_str();
  app.add_option("--give-up", typed.give_up, "give up when a lost connection does not come back")
      ->capture_default_str();
  add_edge_options(app, typed.edge);
  app.add_flag("--json", typed.json, "report as one JSON line");
  app.add_flag("--quiet", typed.quiet, "no progress, and no report when all went well (but with --json)");
}

CLI::App* add_replay(CLI::App& app, Typed& typed) {
  CLI::App* replay = app.add_subcommand("replay", "publish a recorded data set");
  replay->add_option("--dataset", typed.dataset, "steel, nab or battery")
      ->required()
      ->check(CLI::IsMember({"steel", "nab", "battery"}));
  replay->add_option("--data", typed.folder, "folder that holds one folder for each data set")->required();
  replay->add_flag("--shuffle", typed.shuffle, "in an order drawn with the seed");
  replay->add_flag("--duplicate", typed.duplicate, "every message twice in a row");
  replay->add_option("--limit", typed.limit, "rows read from each file, at most")
      ->check(CLI::Range(std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max()));
  replay->add_option("--asset-prefix", typed.asset_prefix, "put before every asset's name");
  add_common_options(*replay, typed);
  return replay;
}

CLI::App* add_fleet(CLI::App& app, Typed& typed) {
  CLI::App* fleet = app.add_subcommand("fleet", "publish a simulated fleet of lifts that wear");
  fleet->add_option("--lifts", typed.lifts, "size of the fleet")->capture_default_str();
  fleet->add_option("--start", typed.start, "event time of the first messages")->capture_default_str();
  fleet->add_option("--duration", typed.duration, "simulated time (default 35d, or what --messages takes)");
  fleet->add_option("--interval", typed.interval, "between two messages of a lift")->capture_default_str();
  fleet->add_option("--messages", typed.messages, "telemetry messages, at most")
      ->check(CLI::Range(std::uint64_t{1}, kMostMessages));
  fleet->add_flag("--faults,!--no-faults", typed.faults, "wear and door faults (default)");
  fleet->add_flag("--truth", typed.truth, "print the injected faults first, as JSON lines");
  fleet->add_option("--repair", typed.repairs, "ASSET@TIME: worn parts of a lift are replaced then; repeatable");
  add_common_options(*fleet, typed);
  return fleet;
}

CLI::App* add_load(CLI::App& app, Typed& typed) {
  CLI::App* load = app.add_subcommand("load", "publish a synthetic load whose every value can be told beforehand");
  load->add_option("--assets", typed.assets, "how many")->capture_default_str();
  load->add_option("--signals", typed.signals, "of each asset: gauges, registers and events in turn")
      ->capture_default_str();
  load->add_option("--start", typed.load_start, "event time of the first step (default: so that the last is now)");
  load->add_option("--for", typed.load_duration, "simulated time, in steps of 1 s")->capture_default_str();
  load->add_flag("--catalog", typed.catalog, "print the catalog a gateway needs for this load, and publish nothing");
  add_common_options(*load, typed);
  return load;
}

}  // namespace

std::variant<Invocation, int> parse_command_line(int argc, char** argv) {
  CLI::App app("Recorded and simulated equipment on an MQTT broker, for demos and tests of a gateway.", "fettle-sim");
  Typed typed;
  const CLI::App* replay = add_replay(app, typed);
  const CLI::App* fleet = add_fleet(app, typed);
  add_load(app, typed);
  app.require_subcommand(1);
  app.footer("Exit codes: 0 done, 1 found wanting, 2 misuse, 130 stopped by a signal.");
  try {
    app.parse(argc, argv);
    Invocation run;
    if (replay->parsed()) {
      run.command = replay_of(typed);
    } else if (fleet->parsed()) {
      run.command = fleet_of(typed);
    } else {
      run.command = load_of(typed);
    }
    run.identity = identity_of(typed, *app.get_subcommands().front());
    run.edge = edge_plan_of(typed.edge);
    if (!run.edge && typed.brokers.size() > 1)
      misuse("--broker", "several brokers are for edge nodes; see --sparkplug");
    for (const auto& uri : typed.brokers) run.brokers.push_back(broker_of(typed, uri));
    run.limits = limits_of(typed);
    run.pace = pace_of(typed);
    run.report = typed.json ? ReportFormat::kJson : ReportFormat::kLine;
    run.chatter = typed.quiet ? Chatter::kQuiet : Chatter::kNormal;
    return run;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitDone : kExitMisuse;
  }
}

}  // namespace fettle::sim
