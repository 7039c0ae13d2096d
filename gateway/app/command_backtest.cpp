// A back-test: the engine itself over records made of a CSV, with a store in memory. The pack is subscribed to by one
// asset for all time; nothing else differs from live.

#include <boost/json.hpp>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "gateway/app/commands.h"
#include "gateway/app/core.h"
#include "gateway/app/output.h"
#include "gateway/catalog/catalog_reader.h"
#include "gateway/catalog/texts.h"
#include "gateway/store/memory/memory_store.h"

namespace fettle::app {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxLine = 64U << 10U;

// One line of RFC 4180 without line breaks in fields.
std::vector<std::string> split_csv(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
      fields.back() += '"';
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      fields.emplace_back();
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  return fields;
}

// Milliseconds since 1970, or ISO 8601; without a zone it is UTC.
std::optional<engine::Time> parse_stamp(const std::string& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size()) return engine::Time(std::chrono::milliseconds(number));
  if (auto time = direct::parse_iso8601(text)) return time;
  return direct::parse_iso8601(text + 'Z');
}

bool is_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

struct Table {
  std::size_t time = 0;
  std::vector<std::pair<std::size_t, std::string>> signals;  // column, signal
};

const catalog::Model* find_model(const catalog::CatalogChange& declared, const std::string& id) {
  for (const catalog::Entry& entry : declared.entries()) {
    if (entry.has_model() && entry.model().id() == id) return &entry.model();
  }
  return nullptr;
}

bool has_signal(const catalog::Model& model, const std::string& name) {
  for (const catalog::Signal& signal : model.signals()) {
    if (signal.name() == name) return true;
  }
  return false;
}

Result<Table> read_header(const std::string& line, const BacktestOptions& options, const catalog::Model& model) {
  std::vector<std::string> names = split_csv(line);
  if (!names.empty() && names[0].starts_with("\xEF\xBB\xBF")) names[0].erase(0, 3);
  std::map<std::string, std::string> renamed;
  for (const std::string& column : options.columns) {
    const std::size_t equals = column.find('=');
    if (equals == std::string::npos || !has_signal(model, column.substr(equals + 1))) {
      return Failure{"--column " + column + ": expected <column of the CSV>=<signal of model " + model.id() + ">"};
    }
    renamed[column.substr(0, equals)] = column.substr(equals + 1);
  }
  Table table;
  bool timed = false;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool time_name = options.time_column.empty()
                               ? names[i] == "ts" || names[i] == "time" || names[i] == "timestamp" || names[i] == "date"
                               : names[i] == options.time_column;
    if (time_name && !timed) {
      table.time = i;
      timed = true;
    } else if (const auto found = renamed.find(names[i]); found != renamed.end()) {
      table.signals.emplace_back(i, found->second);
      renamed.erase(found);
    } else if (has_signal(model, names[i])) {
      table.signals.emplace_back(i, names[i]);
    }
  }
  if (!timed)
    return Failure{"no column with the time; name it with --time-column (the CSV's first line is: " + line + ")"};
  if (!renamed.empty())
    return Failure{"the CSV has no column " + renamed.begin()->first + "; its first line is: " + line};
  if (table.signals.empty()) {
    return Failure{"no column is a signal of model " + model.id() + "; map them with --column <column>=<signal>"};
  }
  return table;
}

// The entries of a catalog in which one asset of the model is entitled to every pack, from the beginning of time.
catalog::CatalogChange catalog_for(const catalog::CatalogChange& declared, const catalog::Model& model,
                                   const std::string& asset) {
  catalog::CatalogChange change;
  *change.add_entries()->mutable_model() = model;
  catalog::Plan plan;
  plan.set_id("backtest");
  plan.set_currency("EUR");
  for (const catalog::Entry& entry : declared.entries()) {
    if (!entry.has_pack()) continue;
    *change.add_entries()->mutable_pack() = entry.pack();
    plan.add_packs(entry.pack().id());
  }
  *change.add_entries()->mutable_plan() = plan;
  catalog::Customer& customer = *change.add_entries()->mutable_customer();
  customer.set_id("backtest");
  customer.set_zone("UTC");
  catalog::Asset& declared_asset = *change.add_entries()->mutable_asset();
  declared_asset.set_id(asset);
  declared_asset.set_model(model.id());
  declared_asset.set_customer("backtest");
  declared_asset.set_commissioned_ms(std::numeric_limits<std::int64_t>::min() / 2);
  catalog::Subscription& subscription = *change.add_entries()->mutable_subscription();
  subscription.set_id("backtest");
  subscription.set_customer("backtest");
  subscription.set_plan("backtest");
  subscription.add_assets(asset);
  subscription.set_start_ms(std::numeric_limits<std::int64_t>::min() / 2);
  return change;
}

// Feeds records to an engine, as a journal would.
class Feed {
 public:
  explicit Feed(engine::Engine& engine) : engine_(engine) {}

  void add(journal::Kind kind, engine::Time received, std::string_view body) {
    engine_.fold({++sequence_, kind, received, body});
    if (sequence_ % engine::Engine::kBatchRecords == 0) (void)engine_.checkpoint();
  }

 private:
  engine::Engine& engine_;
  journal::Sequence sequence_ = 0;
};

Result<std::uint64_t> feed_rows(std::istream& in, const BacktestOptions& options, const Table& table, Feed& feed) {
  std::string line;
  std::string body;
  engine::Time now = engine::Time::min();
  std::uint64_t rows = 0;
  const std::string topic = "fettle/v1/" + options.asset + "/telemetry";
  for (std::uint64_t number = 2; std::getline(in, line); ++number) {
    if (line.empty() || line == "\r") continue;
    const std::string where = options.data.string() + ':' + std::to_string(number) + ": ";
    if (line.size() > kMaxLine) return Failure{where + "a line of more than 64 KiB; is this a CSV?"};
    const std::vector<std::string> fields = split_csv(line);
    const auto time = table.time < fields.size() ? parse_stamp(fields[table.time]) : std::nullopt;
    if (!time)
      return Failure{where + "no time in column " + std::to_string(table.time + 1) +
                     "; expected ISO 8601 or milliseconds since 1970"};
    std::string text = "{\"ts\":" + std::to_string(time->time_since_epoch().count());
    for (const auto& [column, signal] : table.signals) {
      if (column >= fields.size() || fields[column].empty()) continue;
      // The number's own text, so that it means to the engine what it means in the file.
      text += ",\"" + signal +
              "\":" + (is_number(fields[column]) ? fields[column] : json::serialize(json::string(fields[column])));
    }
    text += '}';
    if (*time > now) {
      now = *time;
      feed.add(journal::Kind::tick, now, {});
    }
    body.clear();
    encode(journal::Message{static_cast<std::uint32_t>(text.size()), topic, text}, body);
    feed.add(journal::Kind::message, now, body);
    ++rows;
  }
  return rows;
}

void print_result(const store::MemoryStore& store, std::uint64_t rows) {
  std::map<std::pair<engine::Time, std::string>, json::object> lines;
  for (const auto& [id, episode] : store.episodes()) {
    lines[{episode.raised_at, id}] = {
        {"episode", id},
        {"asset", episode.asset},
        {"pack", episode.pack},
        {"rule", episode.rule},
        {"since", text_of(episode.since)},
        {"raised_at", text_of(episode.raised_at)},
        {"cleared_at", episode.cleared_at ? json::value(text_of(*episode.cleared_at)) : json::value()},
        {"work_order", episode.work_order}};
  }
  for (const auto& [id, order] : store.work_orders()) {
    lines[{order.raised_at, id}] = {{"work_order", id},
                                    {"asset", order.asset},
                                    {"rule", order.rule},
                                    {"priority", order.priority},
                                    {"title", order.title},
                                    {"raised_at", text_of(order.raised_at)},
                                    {"occurrences", order.occurrences}};
  }
  for (const auto& [key, line] : lines) std::printf("%s\n", json::serialize(line).c_str());
  const engine::Counters& counters = store.counters();
  std::printf("%s\n", json::serialize(json::object{{"rows", rows},
                                                   {"readings", counters.readings},
                                                   {"duplicates", counters.duplicates},
                                                   {"conflicts", counters.conflicts},
                                                   {"late", counters.late},
                                                   {"quarantined", counters.quarantined},
                                                   {"episodes", store.episodes().size()},
                                                   {"work_orders", store.work_orders().size()}})
                          .c_str());
}

}  // namespace

int backtest(const BacktestOptions& options) {
  std::vector<catalog::SourceFile> files;
  for (const std::filesystem::path& file : options.packs) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return fail("cannot read " + file.string());
    files.push_back({file.string(), std::string(std::istreambuf_iterator<char>(in), {})});
  }
  const auto declared = catalog::read_catalog(files, {});
  if (!declared) {
    for (const catalog::FileDiagnostic& diagnostic : declared.error()) {
      std::fprintf(stderr, "%s\n", catalog::to_string(diagnostic).c_str());
    }
    return 1;
  }
  const catalog::Model* model = find_model(*declared, options.model);
  if (model == nullptr) {
    return fail("no model " + options.model + " in the files given; add the catalog file that declares it with --pack");
  }
  std::ifstream file;
  if (options.data != "-") {
    file.open(options.data, std::ios::binary);
    if (!file) return fail("cannot read " + options.data.string());
  }
  std::istream& in = options.data == "-" ? std::cin : file;
  std::string header;
  if (!std::getline(in, header))
    return fail(options.data.string() + " is empty; expected a CSV with a first line of names");
  const auto table = read_header(header, options, *model);
  if (!table) return fail(options.data.string() + ":1: " + table.error().message);

  store::MemoryStore store;
  engine::Engine engine(store, system_lookups());
  if (const auto started = engine.start(); !started) return fail(started.error().message);
  Feed feed(engine);
  feed.add(journal::Kind::catalog, engine::Time::min(),
           catalog_for(*declared, *model, options.asset).SerializeAsString());
  for (const std::string& problem : engine.take_reports()) fail(problem);
  const auto rows = feed_rows(in, options, *table, feed);
  if (!rows) return fail(rows.error().message);
  if (const auto done = engine.checkpoint(); !done) return fail(done.error().message);
  print_result(store, *rows);
  return 0;
}

}  // namespace fettle::app
