#include "gateway/app/backtest_report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <optional>

#include "rules/duration.h"

namespace fettle::app {
namespace {

namespace json = boost::json;

std::string number_text(std::optional<double> number) {
  if (!number) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", *number);
  return text;
}

json::value number_or_null(std::optional<double> number) {
  return number ? json::value(*number) : json::value(nullptr);
}

double seconds(Span span) {
  return std::chrono::duration<double>(span).count();
}

constexpr std::size_t kColumns = 10;
using Cells = std::array<std::string, kColumns>;

Cells cells_of(const JudgedRow& row) {
  const auto& [name, judged] = row;
  std::string lead = "-";
  if (judged.lead) {
    lead = span_text(judged.lead->median) + " (" + span_text(judged.lead->least) + " .. " +
           span_text(judged.lead->most) + ')';
  }
  return {name,
          std::to_string(judged.found) + " of " + std::to_string(judged.failures),
          std::to_string(judged.episodes),
          std::to_string(judged.right_orders),
          std::to_string(judged.false_orders),
          number_text(judged.precision),
          number_text(judged.recall),
          number_text(judged.f1),
          number_text(judged.false_orders_per_asset_month),
          lead};
}

}  // namespace

std::string span_text(Span span) {
  const auto whole = std::chrono::round<std::chrono::seconds>(span);
  if (whole.count() < 0) return '-' + rules::duration_text(-whole);
  return rules::duration_text(whole);
}

json::object json_of(const Judgement& judgement) {
  json::value lead(nullptr);
  if (judgement.lead) {
    lead = json::object{{"median", seconds(judgement.lead->median)},
                        {"min", seconds(judgement.lead->least)},
                        {"max", seconds(judgement.lead->most)}};
  }
  return {{"failures", judgement.failures},
          {"failures_not_judged", judgement.not_judged},
          {"failures_found", judgement.found},
          {"episodes", judgement.episodes},
          {"right_episodes", judgement.right_episodes},
          {"right_orders", judgement.right_orders},
          {"false_orders", judgement.false_orders},
          {"asset_months", judgement.asset_months},
          {"precision", number_or_null(judgement.precision)},
          {"recall", number_or_null(judgement.recall)},
          {"f1", number_or_null(judgement.f1)},
          {"false_orders_per_asset_month", number_or_null(judgement.false_orders_per_asset_month)},
          {"lead_time_s", std::move(lead)}};
}

std::string table_of(const std::string& first_column, std::span<const JudgedRow> rows) {
  std::vector<Cells> lines = {{first_column, "found", "episodes", "right", "false", "precision", "recall", "F1",
                               "false/asset-month", "lead time: median (least .. most)"}};
  for (const JudgedRow& row : rows) lines.push_back(cells_of(row));
  std::array<std::size_t, kColumns> widths{};
  for (const Cells& line : lines) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const Cells& line : lines) {
    for (std::size_t i = 0; i < kColumns; ++i) {
      text += line[i];
      if (i + 1 < kColumns) text += std::string(widths[i] - line[i].size() + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

std::string point_text(std::span<const TuneRange> ranges, std::span<const std::size_t> steps) {
  std::string text;
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    const auto same = std::count_if(ranges.begin(), ranges.end(),
                                    [&](const TuneRange& range) { return range.parameter == ranges[i].parameter; });
    text += (text.empty() ? "" : ", ") + (same > 1 ? ranges[i].name() : ranges[i].parameter);
    text += " = " + ranges[i].values[steps[i]];
  }
  return text;
}

}  // namespace fettle::app
