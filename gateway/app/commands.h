#pragma once
// The command line's commands. Each returns the exit code: 0 done, 1 found wanting (what, where and how to mend it is
// on standard error), and 2, misuse, is main's. Results go to standard output, as text or, where asked, as JSON.

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "gateway/app/config.h"

namespace fettle::app {

enum class Format : std::uint8_t { text, json };

int check(const Config& config);
int apply(const Config& config, const std::vector<std::filesystem::path>& files);
int drain(const Config& config);
int backup(const Config& config, const std::filesystem::path& target);
// `what` is a store or backup file, or a data folder.
int verify(const std::filesystem::path& what);

int status(const Config& config, Format format);
// `until_over`: ends by itself after that time; else on SIGTERM or SIGINT.
int watch(const Config& config, std::optional<std::chrono::milliseconds> until_over);
int list_usage(const Config& config, const std::string& from, const std::string& until, Format format);
// `limit` points at most: a longer span is shown by minutes, hours or days.
struct ReadingsQuery {
  std::string asset;
  std::string signal;
  std::string from;   // empty: a day before `until`
  std::string until;  // empty: the gateway's time
  std::size_t limit = 1000;
};
int list_readings(const Config& config, const ReadingsQuery& query, Format format);
int list_discovered(const Config& config, std::size_t limit, Format format);
int list_losses(const Config& config, const std::string& node, std::size_t limit, Format format);
int list_quarantine(const Config& config, std::size_t limit, Format format);

int list_episodes(const Config& config, const std::string& asset, std::size_t limit, Format format);
// How a gateway's rules bother people (hygiene.h).
struct RulesReport {
  std::string from;   // episodes raised from this date or time on; empty: from the first
  std::string until;  // and before this; empty: the gateway's time
  std::size_t positions = 1;
};
int report_rules(const Config& config, const RulesReport& asked, Format format);
int list_work_orders(const Config& config, const std::string& state, std::size_t limit, Format format);
int show_work_order(const Config& config, const std::string& id, Format format);
int close_work_order(const Config& config, const std::string& id, const std::string& actor, const std::string& reason);

// `until` is an ISO 8601 date (its begin in UTC) or time with its zone.
int run_invoices(const Config& config, const std::string& until, Format format);
int list_invoices(const Config& config, Format format);
int show_invoice(const Config& config, const std::string& id, Format format);

int explain_work_order(const Config& config, const std::string& id, Format format);
int explain_invoice_line(const Config& config, const std::string& id, Format format);

struct BacktestOptions {
  std::vector<std::filesystem::path> packs;  // files with packs and with the model (catalog files)
  std::string model;
  std::filesystem::path data;  // "-": standard input
  std::string asset = "backtest";
  std::string asset_column;          // empty: all rows are of `asset`
  std::string time_column;           // empty: the first of ts, time, timestamp, date
  std::vector<std::string> columns;  // "column=signal"; columns named like a signal need none
  // Judging (detection.h says what these mean). Without failures nothing is judged and the result is JSON lines.
  std::filesystem::path failures;  // backtest_failures.h says its form; empty: none
  std::chrono::milliseconds horizon = std::chrono::days(7);
  std::chrono::milliseconds repeat = std::chrono::hours(24);
  std::chrono::milliseconds probation{0};
  std::vector<std::string> tune;  // ranges (backtest_tune.h); needs failures
  Format format = Format::text;
};
int backtest(const BacktestOptions& options);

// Runs the tests of the packs in the files. Models that the files do not declare are those of the gateway with that
// configuration, if one is given.
int test_packs(const std::optional<Config>& config, const std::vector<std::filesystem::path>& files, Format format);

}  // namespace fettle::app
