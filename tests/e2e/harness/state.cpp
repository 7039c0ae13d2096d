#include "tests/e2e/harness/state.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iterator>
#include <memory>
#include <stdexcept>

namespace fettle::e2e {
namespace {

namespace json = boost::json;

constexpr const char* kAll = "100000";
constexpr std::size_t kShown = 6;  // differing lines of each side

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct CloseStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

std::string id_of(const json::value& entry) {
  return std::string(entry.at("id").as_string());
}

Lines lines_of(const json::value& array) {
  Lines lines;
  for (const json::value& entry : array.as_array()) lines.push_back(json::serialize(entry));
  return lines;
}

void add(std::string& text, const char* side, Lines lines) {
  for (std::size_t i = 0; i < std::min(lines.size(), kShown); ++i) text += std::string(side) + lines[i] + '\n';
  if (lines.size() > kShown) text += std::string(side) + "... " + std::to_string(lines.size() - kShown) + " more\n";
}

}  // namespace

std::int64_t ms_of(const std::string& time) {
  using namespace std::chrono;
  int y = 0;
  unsigned mo = 0;
  unsigned d = 0;
  int h = 0;
  int mi = 0;
  int s = 0;
  int read = 0;
  const int found = std::sscanf(time.c_str(), "%d-%u-%uT%d:%d:%dZ%n", &y, &mo, &d, &h, &mi, &s, &read);
  if (found != 6 || read != static_cast<int>(time.size())) throw std::invalid_argument("'" + time + "' is no time");
  const sys_days date = year_month_day(year(y), month(mo), day(d));
  return duration_cast<milliseconds>(date.time_since_epoch() + hours(h) + minutes(mi) + seconds(s)).count();
}

Lines query(const std::filesystem::path& store, const std::string& sql) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(store.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
  const std::unique_ptr<sqlite3, CloseDatabase> database(opened);
  sqlite3_busy_timeout(opened, 10'000);
  sqlite3_stmt* prepared = nullptr;
  if (code != SQLITE_OK || sqlite3_prepare_v2(opened, sql.c_str(), -1, &prepared, nullptr) != SQLITE_OK) {
    throw std::runtime_error(store.string() + ": " + sqlite3_errmsg(opened));
  }
  const std::unique_ptr<sqlite3_stmt, CloseStatement> statement(prepared);
  Lines lines;
  while (sqlite3_step(prepared) == SQLITE_ROW) {
    std::string& line = lines.emplace_back();
    for (int column = 0; column < sqlite3_column_count(prepared); ++column) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(prepared, column));
      line += (column > 0 ? " " : "") + std::string(text == nullptr ? "-" : text);
    }
  }
  if (sqlite3_errcode(opened) != SQLITE_DONE) throw std::runtime_error(store.string() + ": " + sqlite3_errmsg(opened));
  return lines;
}

Lines usage_of(const Gateway& gateway) {
  return query(gateway.store(),
               "SELECT asset, meter, band, start, end, quantity, readings, first_reading, last_reading, quality "
               "FROM usage_record WHERE quantity <> 0 OR readings <> 0 ORDER BY asset, meter, start, band");
}

Lines episodes_of(const Gateway& gateway) {
  return lines_of(gateway.json({"episodes", "--limit", kAll}));
}

Lines orders_of(const Gateway& gateway) {
  Lines lines;
  const json::value orders = gateway.json({"work-order", "list", "--limit", kAll});
  for (const json::value& listed : orders.as_array()) {
    json::value order = gateway.json({"work-order", "show", id_of(listed)});
    for (json::value& event : order.at("events").as_array()) event.as_object().erase("recorded_at");
    lines.push_back(json::serialize(order));
  }
  return lines;
}

std::vector<json::object> invoices(const Gateway& gateway) {
  std::vector<json::object> all;
  const json::value listed = gateway.json({"invoice", "list"});
  for (const json::value& head : listed.as_array()) {
    all.push_back(gateway.json({"invoice", "show", id_of(head)}).as_object());
  }
  return all;
}

Lines invoices_of(const Gateway& gateway) {
  Lines lines;
  for (const json::object& invoice : invoices(gateway)) lines.push_back(json::serialize(invoice));
  return lines;
}

State state_of(const Gateway& gateway) {
  return {usage_of(gateway), episodes_of(gateway), orders_of(gateway), invoices_of(gateway)};
}

std::string difference(const Lines& expected, const Lines& found) {
  if (expected == found) return {};
  Lines a = expected;
  Lines b = found;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  Lines missing;
  Lines added;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(missing));
  std::set_difference(b.begin(), b.end(), a.begin(), a.end(), std::back_inserter(added));
  std::string text = std::to_string(expected.size()) + " lines expected, " + std::to_string(found.size()) + " found\n";
  if (missing.empty() && added.empty()) text += "the same lines in another order\n";
  add(text, "  missing: ", std::move(missing));
  add(text, "  instead: ", std::move(added));
  return text;
}

std::string difference(const State& expected, const State& found) {
  std::string text;
  const auto compare = [&](const char* what, const Lines& a, const Lines& b) {
    const std::string lines = difference(a, b);
    if (!lines.empty()) text += std::string(what) + ": " + lines;
  };
  compare("usage", expected.usage, found.usage);
  compare("episodes", expected.episodes, found.episodes);
  compare("work orders", expected.orders, found.orders);
  compare("invoices", expected.invoices, found.invoices);
  return text;
}

}  // namespace fettle::e2e
