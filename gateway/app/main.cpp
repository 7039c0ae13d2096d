// fettle: the gateway and its commands. The only place that names every adapter is this folder.

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <functional>
#include <iterator>

#include "gateway/app/commands.h"
#include "gateway/app/config.h"
#include "gateway/app/hygiene.h"
#include "gateway/app/output.h"
#include "gateway/app/serve.h"
#include "gateway/catalog/texts.h"

namespace fettle::app {
namespace {

constexpr int kMisuse = 2;

// What the options were set to; one for the whole line, since one command runs.
struct Arguments {
  std::string config;
  std::vector<std::string> files;
  std::string data;  // of a back-test
  std::string id;
  std::string state;
  std::string asset;
  std::string actor;
  std::string reason;
  std::string from;
  std::string until;
  std::string lasting;
  std::size_t limit = 100;
  bool json = false;
  BacktestOptions backtest;
  std::string horizon = "7d";
  std::string repeat = "24h";
  std::string probation = "0s";
  std::string failures;
  fettle::app::RulesReport rules_report;
  fettle::app::ReadingsQuery readings;
  std::string node;

  Format format() const { return json ? Format::json : Format::text; }
};

std::optional<Config> load_config(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    fail("cannot read the configuration " + path + "; name it with --config FILE");
    return std::nullopt;
  }
  auto config = parse_config(path, std::string(std::istreambuf_iterator<char>(in), {}));
  if (config) return *config;
  for (const fettle::catalog::FileDiagnostic& diagnostic : config.error()) {
    std::fprintf(stderr, "%s\n", fettle::catalog::to_string(diagnostic).c_str());
  }
  return std::nullopt;
}

class CommandLine {
 public:
  CommandLine() {
    app_.require_subcommand(1);
    app_.set_version_flag("--version", "fettle 0.1.0");
    gateway_commands();
    reading_commands();
    invoice_commands();
    explain_commands();
    offline_commands();
  }

  int run(int argc, char** argv) {
    try {
      app_.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
      return app_.exit(error) == 0 ? 0 : kMisuse;
    }
    return chosen_ ? chosen_() : kMisuse;
  }

 private:
  using Command = std::function<int(const Config&)>;

  // A command that works on the configuration's data folder.
  CLI::App* add(CLI::App& parent, const std::string& name, const std::string& help, Command command) {
    CLI::App* sub = parent.add_subcommand(name, help);
    sub->add_option("--config", arguments_.config, "the gateway's configuration file (YAML)")->required();
    sub->callback([this, command = std::move(command)] {
      chosen_ = [this, command] {
        const auto config = load_config(arguments_.config);
        return config ? command(*config) : 1;
      };
    });
    return sub;
  }
  void with_json(CLI::App* sub) { sub->add_flag("--json", arguments_.json, "print JSON, for programs"); }
  void with_limit(CLI::App* sub) {
    sub->add_option("--limit", arguments_.limit, "at most this many, newest first")->check(CLI::Range(1, 100'000));
  }

  void gateway_commands() {
    add(app_, "serve", "run the gateway until SIGTERM or SIGINT", [](const Config& config) {
      return serve(config, fettle::app::Log({config.log.format, config.log.level}));
    });
    add(app_, "check", "look the configuration over", [](const Config& config) { return check(config); });
    CLI::App* sub = add(app_, "apply", "declare what catalog files say: all of it, or nothing and every error",
                        [this](const Config& config) {
                          return apply(config, {arguments_.files.begin(), arguments_.files.end()});
                        });
    sub->add_option("files", arguments_.files, "YAML files: models, assets, customers, packs, plans, subscriptions")
        ->required();
    add(app_, "drain", "wait until everything journaled so far is committed",
        [](const Config& config) { return drain(config); });
    sub = add(app_, "backup", "copy the store, with what the journal holds behind it, into one file",
              [this](const Config& config) { return backup(config, arguments_.id); });
    sub->add_option("file", arguments_.id, "the copy; it must not exist yet")->required();
  }

  void reading_commands() {
    with_json(add(app_, "status", "counters and positions",
                  [this](const Config& config) { return status(config, arguments_.format()); }));
    CLI::App* sub = add(app_, "watch", "print work orders, episodes and usage as they happen",
                        [this](const Config& config) { return watch_for(config); });
    sub->add_option("--for", arguments_.lasting, "end after this time, such as 60s or 2m");
    sub = add(app_, "usage", "usage totals by asset, meter and band", [this](const Config& config) {
      return list_usage(config, arguments_.from, arguments_.until, arguments_.format());
    });
    sub->add_option("--from", arguments_.from, "from this date or time on");
    sub->add_option("--until", arguments_.until, "before this date or time");
    with_json(sub);
    sub = add(app_, "readings", "what a signal said; a long span as means of minutes, hours or days",
              [this](const Config& config) { return list_readings(config, arguments_.readings, arguments_.format()); });
    sub->add_option("asset", arguments_.readings.asset)->required();
    sub->add_option("signal", arguments_.readings.signal)->required();
    sub->add_option("--from", arguments_.readings.from, "from this date or time on; else the last day");
    sub->add_option("--until", arguments_.readings.until, "before this date or time");
    sub->add_option("--points", arguments_.readings.limit, "at most this many")->check(CLI::Range(2, 100'000));
    with_json(sub);
    sub = add(app_, "discovered", "devices and signals that were heard and that the catalog does not claim",
              [this](const Config& config) { return list_discovered(config, arguments_.limit, arguments_.format()); });
    with_limit(sub);
    with_json(sub);
    sub = add(app_, "losses", "Sparkplug messages that did not come, and what was refilled",
              [this](const Config& config) {
                return list_losses(config, arguments_.node, arguments_.limit, arguments_.format());
              });
    sub->add_option("--node", arguments_.node, "of this edge node only: <group>/<node>");
    with_limit(sub);
    with_json(sub);
    sub = add(app_, "quarantine", "what was refused, and why",
              [this](const Config& config) { return list_quarantine(config, arguments_.limit, arguments_.format()); });
    with_limit(sub);
    with_json(sub);
    sub = add(app_, "episodes", "episodes of rules", [this](const Config& config) {
      return list_episodes(config, arguments_.asset, arguments_.limit, arguments_.format());
    });
    sub->add_option("--asset", arguments_.asset, "of this asset only");
    with_limit(sub);
    with_json(sub);

    CLI::App* rules = app_.add_subcommand("rules", "the rules in force");
    rules->require_subcommand(1);
    sub = add(
        *rules, "report", "alarm hygiene by pack and rule: chattering, fleeting, stale, average, floods",
        [this](const Config& config) { return report_rules(config, arguments_.rules_report, arguments_.format()); });
    sub->add_option("--from", arguments_.rules_report.from, "episodes raised from this date or time on");
    sub->add_option("--until", arguments_.rules_report.until, "and before this date or time");
    sub->add_option("--positions", arguments_.rules_report.positions, "operator positions that share the episodes")
        ->check(CLI::Range(std::size_t{1}, fettle::app::kMaxPositions));
    with_json(sub);

    CLI::App* orders = app_.add_subcommand("work-order", "work orders");
    orders->require_subcommand(1);
    sub = add(*orders, "list", "work orders, newest first", [this](const Config& config) {
      return list_work_orders(config, arguments_.state, arguments_.limit, arguments_.format());
    });
    sub->add_option("--state", arguments_.state, "in this state only")
        ->check(CLI::IsMember({"proposed", "open", "closed"}));
    with_limit(sub);
    with_json(sub);
    sub = add(*orders, "show", "one work order with its events",
              [this](const Config& config) { return show_work_order(config, arguments_.id, arguments_.format()); });
    sub->add_option("id", arguments_.id)->required();
    with_json(sub);
    sub = add(*orders, "close", "the work is done", [this](const Config& config) {
      return close_work_order(config, arguments_.id, arguments_.actor, arguments_.reason);
    });
    sub->add_option("id", arguments_.id)->required();
    sub->add_option("--actor", arguments_.actor, "who closes it")->required();
    sub->add_option("--reason", arguments_.reason, "what was done");
  }

  void invoice_commands() {
    CLI::App* invoices = app_.add_subcommand("invoice", "invoices");
    invoices->require_subcommand(1);
    CLI::App* sub =
        add(*invoices, "run", "close the periods that ended, draft, and finalise what is ready",
            [this](const Config& config) { return run_invoices(config, arguments_.until, arguments_.format()); });
    sub->add_option("--until", arguments_.until, "bill the months that end at or before this date or time")->required();
    with_json(sub);
    with_json(add(*invoices, "list", "drafts, then finals by number",
                  [this](const Config& config) { return list_invoices(config, arguments_.format()); }));
    sub = add(*invoices, "show", "one invoice",
              [this](const Config& config) { return show_invoice(config, arguments_.id, arguments_.format()); });
    sub->add_option("id", arguments_.id, "its number, or a draft's id")->required();
    with_json(sub);
  }

  void explain_commands() {
    CLI::App* explain = app_.add_subcommand("explain", "the evidence chain of a work order or an invoice line");
    explain->require_subcommand(1);
    CLI::App* sub =
        add(*explain, "work-order", "episode, rule version, parameters, readings, messages",
            [this](const Config& config) { return explain_work_order(config, arguments_.id, arguments_.format()); });
    sub->add_option("id", arguments_.id)->required();
    with_json(sub);
    sub = add(*explain, "invoice-line", "usage records, register readings, messages", [this](const Config& config) {
      return explain_invoice_line(config, arguments_.id, arguments_.format());
    });
    sub->add_option("id", arguments_.id, "<invoice>/<line>")->required();
    with_json(sub);
  }

  void offline_commands() {
    CLI::App* sub = app_.add_subcommand("verify", "check that every number can be derived again");
    sub->add_option("what", arguments_.id, "a data folder, a store or a backup")->required();
    sub->callback([this] { chosen_ = [this] { return verify(arguments_.id); }; });

    backtest_command();
    test_pack_command();
  }

  void test_pack_command() {
    CLI::App* sub = app_.add_subcommand("test-pack", "run the tests of rule packs");
    sub->add_option("files", arguments_.files, "YAML files: packs, and the models that their rules watch")->required();
    sub->add_option("--config", arguments_.config, "a gateway whose models are used where the files declare none");
    with_json(sub);
    sub->callback([this] {
      chosen_ = [this] {
        std::optional<Config> config;
        if (!arguments_.config.empty() && !(config = load_config(arguments_.config))) return 1;
        return test_packs(config, {arguments_.files.begin(), arguments_.files.end()}, arguments_.format());
      };
    });
  }

  void backtest_command() {
    BacktestOptions& test = arguments_.backtest;
    CLI::App* sub = app_.add_subcommand("backtest", "the episodes and work orders a pack would have raised");
    sub->add_option("--pack", arguments_.files, "files with the pack and with its model (repeatable)")->required();
    sub->add_option("--model", test.model, "the model the data is of")->required();
    sub->add_option("--data", arguments_.data, "CSV with a first line of names; - for standard input")->required();
    CLI::Option* asset = sub->add_option("--asset", test.asset, "the asset's name in the result");
    sub->add_option("--asset-column", test.asset_column, "the column with each row's asset")->excludes(asset);
    sub->add_option("--time-column", test.time_column, "default: the first of ts, time, timestamp, date");
    sub->add_option("--column", test.columns, "<column>=<signal>, where they differ (repeatable)");
    CLI::Option* failures = sub->add_option("--failures", arguments_.failures,
                                            "known failures, CSV or JSON lines: asset, start, end or time, rule");
    with_span(sub, "--horizon", arguments_.horizon, "an episode this long before a failure foretells it")
        ->needs(failures);
    with_span(sub, "--repeat", arguments_.repeat, "a repeat within this time is the same order")->needs(failures);
    with_span(sub, "--probation", arguments_.probation, "the beginning of the data that is not judged")
        ->needs(failures);
    sub->add_option("--tune", test.tune, "<parameter>=<from>..<to>/<steps>, try all of them (repeatable)")
        ->needs(failures);
    with_json(sub);
    sub->callback([this] { chosen_ = [this] { return run_backtest(); }; });
  }

  static CLI::Option* with_span(CLI::App* sub, const std::string& name, std::string& text, const std::string& help) {
    const auto check = [](const std::string& given) {
      return fettle::catalog::parse_duration(given) ? std::string()
                                                    : std::string("expected ") + fettle::catalog::kDurationForm;
    };
    return sub->add_option(name, text, help)->check(check)->capture_default_str();
  }

  int run_backtest() {
    BacktestOptions& test = arguments_.backtest;
    test.packs.assign(arguments_.files.begin(), arguments_.files.end());
    test.data = arguments_.data;
    test.failures = arguments_.failures;
    test.format = arguments_.format();
    test.horizon = *fettle::catalog::parse_duration(arguments_.horizon);
    test.repeat = *fettle::catalog::parse_duration(arguments_.repeat);
    test.probation = *fettle::catalog::parse_duration(arguments_.probation);
    return backtest(test);
  }

  int watch_for(const Config& config) {
    if (arguments_.lasting.empty()) return watch(config, std::nullopt);
    const auto time = fettle::catalog::parse_duration(arguments_.lasting);
    if (time) return watch(config, *time);
    fail("--for " + arguments_.lasting + ": expected " + fettle::catalog::kDurationForm);
    return kMisuse;
  }

  CLI::App app_{"Fettle: telemetry in, work orders and invoices out"};
  Arguments arguments_;
  std::function<int()> chosen_;
};

int command_line(int argc, char** argv) {
  spdlog::set_default_logger(spdlog::stderr_logger_mt("fettle"));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
  try {
    return CommandLine().run(argc, argv);
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}

}  // namespace
}  // namespace fettle::app

int main(int argc, char** argv) {
  return fettle::app::command_line(argc, argv);
}
