#include "gateway/app/backtest_run.h"

#include <algorithm>
#include <boost/json.hpp>
#include <istream>
#include <limits>
#include <map>
#include <unordered_map>

#include "gateway/app/backtest_csv.h"
#include "gateway/catalog/texts.h"
#include "gateway/engine/engine.h"

namespace fettle::app {
namespace {

namespace json = boost::json;

// Which column is what.
struct Table {
  std::size_t time = 0;
  std::optional<std::size_t> asset;
  std::vector<std::pair<std::size_t, std::string>> signals;  // column, signal
};

bool has_signal(const catalog::Model& model, const std::string& name) {
  for (const catalog::Signal& signal : model.signals()) {
    if (signal.name() == name) return true;
  }
  return false;
}

Result<std::map<std::string, std::string>> renamed_columns(const BacktestOptions& options,
                                                           const catalog::Model& model) {
  std::map<std::string, std::string> renamed;
  for (const std::string& column : options.columns) {
    const std::size_t equals = column.rfind('=');
    if (equals == std::string::npos || !has_signal(model, column.substr(equals + 1))) {
      return Failure{"--column " + column + ": expected <column of the CSV>=<signal of model " + model.id() + ">"};
    }
    renamed[column.substr(0, equals)] = column.substr(equals + 1);
  }
  return renamed;
}

bool is_time_column(const std::string& name, const BacktestOptions& options) {
  if (!options.time_column.empty()) return name == options.time_column;
  return name == "ts" || name == "time" || name == "timestamp" || name == "date";
}

Result<Table> read_header(const std::string& line, const BacktestOptions& options, const catalog::Model& model) {
  auto renamed = renamed_columns(options, model);
  if (!renamed) return renamed.error();
  const std::vector<std::string> names = split_csv_header(line);
  Table table;
  bool timed = false;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!options.asset_column.empty() && names[i] == options.asset_column && !table.asset) table.asset = i;
    if (is_time_column(names[i], options) && !timed) {
      table.time = i;
      timed = true;
    } else if (const auto found = renamed->find(names[i]); found != renamed->end()) {
      table.signals.emplace_back(i, found->second);
      renamed->erase(found);
    } else if (has_signal(model, names[i])) {
      table.signals.emplace_back(i, names[i]);
    }
  }
  const std::string first_line = "the CSV's first line is: " + line;
  if (!timed) return Failure{"no column with the time; name it with --time-column; " + first_line};
  if (!options.asset_column.empty() && !table.asset) {
    return Failure{"no column " + options.asset_column + ", as --asset-column says; " + first_line};
  }
  if (!renamed->empty()) return Failure{"the CSV has no column " + renamed->begin()->first + "; " + first_line};
  if (table.signals.empty()) {
    return Failure{"no column is a signal of model " + model.id() + "; map them with --column <column>=<signal>"};
  }
  return table;
}

// The row as a device would have sent it.
std::string payload_of(const std::vector<std::string>& fields, const Table& table, engine::Time time) {
  std::string text = "{\"ts\":" + std::to_string(time.time_since_epoch().count());
  for (const auto& [column, signal] : table.signals) {
    if (column >= fields.size() || fields[column].empty()) continue;
    const auto number = json_number(fields[column]);
    text += ",\"" + signal + "\":" + (number ? *number : json::serialize(json::string(fields[column])));
  }
  return text + '}';
}

}  // namespace

// Turns lines into rows of a recording.
class RecordingReader {
 public:
  RecordingReader(const BacktestOptions& options, const Table& table) : options_(options), table_(table) {}

  // What is wrong with the line; nothing where it became a row.
  std::optional<std::string> add(std::string_view line) {
    if (line.size() > kMaxCsvLine) return "a line of more than 64 KiB; is this a CSV?";
    const std::vector<std::string> fields = split_csv(line);
    const auto time = table_.time < fields.size() ? parse_stamp(fields[table_.time]) : std::nullopt;
    if (!time) {
      return "no time in column " + std::to_string(table_.time + 1) + "; expected " + std::string(kStampForm);
    }
    std::string asset = options_.asset;
    if (table_.asset) asset = *table_.asset < fields.size() ? fields[*table_.asset] : std::string();
    const auto watched = watch(asset, *time);
    if (!watched) return watched.error().message;
    const std::string topic = "fettle/v1/" + asset + "/telemetry";
    const std::string text = payload_of(fields, table_, *time);
    const std::size_t begin = recording_.bodies_.size();
    body_.clear();
    encode(journal::Message{static_cast<std::uint32_t>(text.size()), topic, text}, body_);
    recording_.bodies_ += body_;
    recording_.rows_.push_back({(*watched)->to, begin, body_.size()});
    if (recording_.bodies_.size() > kMaxRecordedBytes) {
      return "more than " + std::to_string(kMaxRecordedBytes >> 30U) + " GiB of records; test in parts";
    }
    return std::nullopt;
  }

  Recording take() && {
    if (recording_.assets_.size() > 1) {
      std::stable_sort(recording_.rows_.begin(), recording_.rows_.end(),
                       [](const auto& a, const auto& b) { return a.heard < b.heard; });
    }
    return std::move(recording_);
  }

 private:
  // The asset's watched time with this stamp in it.
  Result<const Watched*> watch(const std::string& asset, engine::Time time) {
    const auto [found, is_new] = index_.try_emplace(asset, recording_.assets_.size());
    if (is_new) {
      if (!catalog::valid_id(asset) || asset.find('/') != std::string::npos) {
        return Failure{"\"" + asset + "\" cannot name an asset; expected 1 to 64 of A-Z a-z 0-9 . _ -"};
      }
      if (recording_.assets_.size() == kMaxRecordedAssets) {
        return Failure{"more than " + std::to_string(kMaxRecordedAssets) + " assets; test in parts"};
      }
      recording_.assets_.push_back(asset);
      recording_.watched_.push_back({asset, time, time});
    }
    Watched& watched = recording_.watched_[found->second];
    watched.from = std::min(watched.from, time);
    watched.to = std::max(watched.to, time);
    return &watched;
  }

  const BacktestOptions& options_;
  const Table& table_;
  Recording recording_;
  std::unordered_map<std::string, std::size_t> index_;
  std::string body_;
};

Result<Recording> Recording::read(std::istream& in, const BacktestOptions& options, const catalog::Model& model) {
  const std::string name = options.data.string();
  std::string line;
  if (!std::getline(in, line)) return Failure{name + " is empty; expected a CSV with a first line of names"};
  const auto table = read_header(line, options, model);
  if (!table) return Failure{name + ":1: " + table.error().message};
  RecordingReader reader(options, *table);
  for (std::uint64_t number = 2; std::getline(in, line); ++number) {
    if (line.empty() || line == "\r") continue;
    if (const auto problem = reader.add(line)) return Failure{name + ':' + std::to_string(number) + ": " + *problem};
  }
  return std::move(reader).take();
}

const catalog::Model* find_model(const catalog::CatalogChange& declared, const std::string& id) {
  for (const catalog::Entry& entry : declared.entries()) {
    if (entry.has_model() && entry.model().id() == id) return &entry.model();
  }
  return nullptr;
}

namespace {

// The begin of time, far enough from the end of the number for differences.
constexpr std::int64_t kAlwaysMs = std::numeric_limits<std::int64_t>::min() / 2;

// The entries of a catalog in which the assets are entitled to every pack, from the beginning of time.
catalog::CatalogChange catalog_for(const catalog::CatalogChange& declared, const catalog::Model& model,
                                   const std::vector<std::string>& assets) {
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
  catalog::Subscription subscription;
  subscription.set_id("backtest");
  subscription.set_customer("backtest");
  subscription.set_plan("backtest");
  subscription.set_start_ms(kAlwaysMs);
  for (const std::string& id : assets) {
    catalog::Asset& asset = *change.add_entries()->mutable_asset();
    asset.set_id(id);
    asset.set_model(model.id());
    asset.set_customer("backtest");
    asset.set_commissioned_ms(kAlwaysMs);
    subscription.add_assets(id);
  }
  *change.add_entries()->mutable_subscription() = std::move(subscription);
  return change;
}

}  // namespace

// Feeds records to an engine, as a journal would.
class Replay {
 public:
  explicit Replay(engine::Store& store) : engine_(store, system_lookups()) {}

  Result<void> begin(const catalog::CatalogChange& change) {
    if (const auto started = engine_.start(); !started) return Failure{started.error().message};
    add(journal::Kind::catalog, engine::Time::min(), change.SerializeAsString());
    std::string problems;
    for (const std::string& problem : engine_.take_reports()) problems += (problems.empty() ? "" : "\n") + problem;
    if (!problems.empty()) return Failure{problems};
    return {};
  }

  // Whether it came to the end.
  Result<bool> run(const Recording& recording, const std::function<bool()>& go_on) {
    engine::Time now = engine::Time::min();
    const std::string_view bodies = recording.bodies_;
    for (const Recording::Row& row : recording.rows_) {
      if (row.heard > now) {
        now = row.heard;
        add(journal::Kind::tick, now, {});
      }
      add(journal::Kind::message, now, bodies.substr(row.begin, row.size));
      if (sequence_ - committed_ < engine::Engine::kBatchRecords) continue;
      if (const auto done = engine_.commit(); !done) return Failure{done.error().message};
      committed_ = sequence_;
      if (!go_on()) return false;
    }
    if (const auto done = engine_.checkpoint(); !done) return Failure{done.error().message};
    return true;
  }

 private:
  void add(journal::Kind kind, engine::Time received, std::string_view body) {
    engine_.fold({++sequence_, kind, received, body});
  }

  engine::Engine engine_;
  journal::Sequence sequence_ = 0;
  journal::Sequence committed_ = 0;
};

Result<std::unique_ptr<store::MemoryStore>> run_backtest(const catalog::CatalogChange& declared,
                                                         const catalog::Model& model, const Recording& recording,
                                                         const std::function<bool()>& go_on) {
  auto store = std::make_unique<store::MemoryStore>();
  Replay replay(*store);
  if (const auto begun = replay.begin(catalog_for(declared, model, recording.assets())); !begun) return begun.error();
  const auto done = replay.run(recording, go_on);
  if (!done) return done.error();
  if (!*done) return std::unique_ptr<store::MemoryStore>();
  return store;
}

std::vector<RaisedEpisode> raised_episodes(const store::MemoryStore& store) {
  std::vector<RaisedEpisode> episodes;
  for (const auto& [id, episode] : store.episodes()) {
    episodes.push_back({episode.asset, episode.pack + '/' + episode.rule, episode.raised_at});
  }
  return episodes;
}

}  // namespace fettle::app
