#include "gateway/app/backtest_failures.h"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>

#include "gateway/app/backtest_csv.h"
#include "gateway/catalog/suggestion.h"

namespace fettle::app {
namespace {

namespace json = boost::json;

constexpr const char* kColumns = "expected the names asset, start, end or time, and rule where one is meant";

// A row's texts as they were written; absent and empty are the same.
struct RowTexts {
  std::string asset;
  std::string rule;
  std::string start;
  std::string end;
  std::string time;
};

class FailureReader {
 public:
  FailureReader(const std::string& name, const FailureNames& names) : name_(name), names_(names) {}

  void read(std::string_view text);
  Result<std::vector<KnownFailure>> take() &&;

 private:
  void read_csv_header(std::string_view line);
  RowTexts csv_row(std::string_view line) const;
  std::optional<RowTexts> json_row(std::string_view line);
  void add(const RowTexts& row);
  std::optional<engine::Time> stamp(const std::string& text, const char* what);
  bool check_rule(const std::string& rule);
  void wrong(const std::string& what);

  const std::string& name_;
  const FailureNames& names_;
  std::size_t line_ = 0;
  std::vector<std::string> columns_;
  bool header_failed_ = false;
  std::size_t wrong_ = 0;
  std::string problems_;
  std::vector<KnownFailure> failures_;
};

void FailureReader::wrong(const std::string& what) {
  if (wrong_++ >= kMaxNamedRows) return;
  if (!problems_.empty()) problems_ += '\n';
  problems_ += name_ + ':' + std::to_string(line_) + ": " + what;
}

void FailureReader::read_csv_header(std::string_view line) {
  columns_ = split_csv_header(line);
  const auto has = [&](const char* column) {
    return std::find(columns_.begin(), columns_.end(), column) != columns_.end();
  };
  const bool timed = has("time");
  if (timed == has("start")) {
    wrong(std::string(timed ? "both time and start name a column" : "no column is named start or time") + "; " +
          kColumns);
    header_failed_ = true;
  } else if (!has("asset") && names_.only_asset.empty()) {
    wrong("no column is named asset, and the data is of several; " + std::string(kColumns));
    header_failed_ = true;
  }
}

RowTexts FailureReader::csv_row(std::string_view line) const {
  const std::vector<std::string> fields = split_csv(line);
  RowTexts row;
  for (std::size_t i = 0; i < std::min(fields.size(), columns_.size()); ++i) {
    const std::string& column = columns_[i];
    if (column == "asset") row.asset = fields[i];
    if (column == "rule") row.rule = fields[i];
    if (column == "start") row.start = fields[i];
    if (column == "end") row.end = fields[i];
    if (column == "time") row.time = fields[i];
  }
  return row;
}

std::optional<RowTexts> FailureReader::json_row(std::string_view line) {
  boost::system::error_code error;
  const json::value value = json::parse(json::string_view(line.data(), line.size()), error);
  if (error || !value.is_object()) {
    wrong("no JSON object; expected one a line, such as {\"asset\": \"lift-7\", \"time\": \"2026-03-02T07:00Z\"}");
    return std::nullopt;
  }
  RowTexts row;
  const std::pair<const char*, std::string*> members[] = {
      {"asset", &row.asset}, {"rule", &row.rule}, {"start", &row.start}, {"end", &row.end}, {"time", &row.time}};
  for (const auto& [name, text] : members) {
    const json::value* member = value.as_object().if_contains(name);
    if (member == nullptr || member->is_null()) continue;
    if (member->is_string()) {
      *text = std::string(member->as_string());
    } else if (member->is_int64()) {
      *text = std::to_string(member->as_int64());
    } else {
      wrong(std::string("\"") + name + "\" is neither a text nor a whole number");
      return std::nullopt;
    }
  }
  return row;
}

std::optional<engine::Time> FailureReader::stamp(const std::string& text, const char* what) {
  const auto time = parse_stamp(text);
  if (!time) wrong(std::string("no time in ") + what + ": \"" + text + "\"; expected " + kStampForm);
  return time;
}

bool FailureReader::check_rule(const std::string& rule) {
  if (rule.empty()) return true;
  const auto known = [&](const std::string& full) { return names_rule(rule, full); };
  if (std::any_of(names_.rules.begin(), names_.rules.end(), known)) return true;
  std::vector<std::string> candidates = names_.rules;
  for (const std::string& full : names_.rules) candidates.push_back(full.substr(full.rfind('/') + 1));
  const std::string near = catalog::nearest(rule, candidates);
  wrong("no rule of the packs is named " + rule + (near.empty() ? "" : "; did you mean " + near + "?"));
  return false;
}

void FailureReader::add(const RowTexts& row) {
  const std::string& asset = row.asset.empty() ? names_.only_asset : row.asset;
  if (asset.empty()) return wrong("no asset; expected one, since the data is of several");
  if (row.time.empty() == row.start.empty() || (!row.time.empty() && !row.end.empty())) {
    return wrong("expected either time, or start with or without end");
  }
  const std::string& begin = row.time.empty() ? row.start : row.time;
  const auto start = stamp(begin, row.time.empty() ? "start" : "time");
  const auto end = row.end.empty() ? start : stamp(row.end, "end");
  const bool rule_known = check_rule(row.rule);
  if (!start || !end || !rule_known) return;
  if (*end < *start) return wrong("the end " + row.end + " lies before the start " + row.start);
  if (failures_.size() == kMaxFailures) {
    return wrong("more than " + std::to_string(kMaxFailures) + " failures; judge them in parts");
  }
  failures_.push_back({asset, row.rule, *start, *end});
}

void FailureReader::read(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  const bool is_json = first != std::string_view::npos && text[first] == '{';
  while (!text.empty() && !header_failed_) {
    ++line_;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    if (line.size() > kMaxCsvLine) {
      wrong("a line of more than 64 KiB; expected one failure a line");
    } else if (is_json) {
      if (const auto row = json_row(line)) add(*row);
    } else if (columns_.empty()) {
      read_csv_header(line);
    } else {
      add(csv_row(line));
    }
  }
  if (first == std::string_view::npos) wrong("empty; " + std::string(kColumns));
}

Result<std::vector<KnownFailure>> FailureReader::take() && {
  if (wrong_ == 0) return std::move(failures_);
  if (wrong_ > kMaxNamedRows) problems_ += "\nand " + std::to_string(wrong_ - kMaxNamedRows) + " more wrong rows";
  return Failure{std::move(problems_)};
}

}  // namespace

Result<std::vector<KnownFailure>> read_failures(const std::string& name, std::string_view text,
                                                const FailureNames& names) {
  FailureReader reader(name, names);
  reader.read(text);
  return std::move(reader).take();
}

}  // namespace fettle::app
