#include "gateway/app/backtest_tune.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string_view>

#include "gateway/catalog/suggestion.h"

namespace fettle::app {
namespace {

constexpr const char* kRangeForm = "expected <parameter>=<from>..<to>/<steps>, such as limit=0.2 s..0.6 s/5";

// Significant digits of a step: enough for what people write, and few enough to hide the sums of binary fractions.
constexpr int kStepDigits = 12;

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

struct Quantity {
  double number = 0;
  std::string unit;  // as written; empty for a plain number
};

std::optional<Quantity> read_quantity(std::string_view text) {
  text = trimmed(text);
  Quantity quantity;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), quantity.number);
  if (error != std::errc() || !std::isfinite(quantity.number)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  quantity.unit = trimmed(text);
  return quantity;
}

std::string quantity_text(double number, const std::string& unit) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*g", kStepDigits, number);
  return unit.empty() ? text : text + (' ' + unit);
}

// "limit=0.2 s..0.6 s/5" without the parameter.
Result<std::vector<std::string>> read_values(std::string_view text) {
  const std::size_t dots = text.find("..");
  const std::size_t slash = text.rfind('/');  // units have slashes of their own, before it
  if (dots == std::string_view::npos || slash == std::string_view::npos || slash < dots) return Failure{kRangeForm};
  const auto from = read_quantity(text.substr(0, dots));
  const auto to = read_quantity(text.substr(dots + 2, slash - dots - 2));
  if (!from || !to) return Failure{"an end is no quantity; " + std::string(kRangeForm)};
  if (from->unit != to->unit) {
    return Failure{"the ends are in \"" + from->unit + "\" and \"" + to->unit + "\"; write both in one unit"};
  }
  const std::string_view count = trimmed(text.substr(slash + 1));
  std::size_t steps = 0;
  const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), steps);
  if (error != std::errc() || end != count.data() + count.size() || steps < 2 || steps > kMaxTunePoints) {
    return Failure{"\"" + std::string(count) + "\" steps; expected a whole number from 2, both ends counted, to " +
                   std::to_string(kMaxTunePoints)};
  }
  if (from->number >= to->number) return Failure{"the range does not rise; write the smaller end first"};
  std::vector<std::string> values;
  for (std::size_t i = 0; i < steps; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(steps - 1);
    values.push_back(quantity_text(from->number + share * (to->number - from->number), from->unit));
  }
  if (std::adjacent_find(values.begin(), values.end()) != values.end()) {
    return Failure{"the steps lie closer than " + std::to_string(kStepDigits) + " digits tell apart; take fewer"};
  }
  return values;
}

// Every parameter of the model's rules, without values.
std::vector<TuneRange> parameters_of(const catalog::CatalogChange& declared, const std::string& model) {
  std::vector<TuneRange> all;
  for (const catalog::Entry& entry : declared.entries()) {
    if (!entry.has_pack()) continue;
    for (const catalog::Rule& rule : entry.pack().rules()) {
      if (rule.model() != model) continue;
      for (const auto& [name, text] : rule.parameters()) all.push_back({entry.pack().id(), rule.id(), name, {}});
    }
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name() < b.name(); });
  return all;
}

Result<TuneRange> find_parameter(std::string_view name, const std::vector<TuneRange>& known) {
  std::vector<TuneRange> found;
  std::vector<std::string> names;
  for (const TuneRange& parameter : known) {
    const std::string in_rule = parameter.rule + '.' + parameter.parameter;
    if (name == parameter.name() || name == in_rule || name == parameter.parameter) found.push_back(parameter);
    names.insert(names.end(), {parameter.parameter, in_rule, parameter.name()});
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    const std::string near = catalog::nearest(name, names);
    return Failure{"no rule of the model has a parameter " + std::string(name) +
                   (near.empty() ? "" : "; did you mean " + near + "?")};
  }
  std::string list;
  for (const TuneRange& parameter : found) list += (list.empty() ? "" : " or ") + parameter.name();
  return Failure{"several rules have a parameter " + std::string(name) + "; say " + list};
}

Result<TuneRange> read_range(std::string_view text, const std::vector<TuneRange>& known) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return Failure{kRangeForm};
  auto range = find_parameter(trimmed(text.substr(0, equals)), known);
  if (!range) return range;
  auto values = read_values(text.substr(equals + 1));
  if (!values) return values.error();
  range->values = std::move(*values);
  return range;
}

}  // namespace

Result<std::vector<TuneRange>> read_tune_ranges(std::span<const std::string> texts,
                                                const catalog::CatalogChange& declared, const std::string& model) {
  const std::vector<TuneRange> known = parameters_of(declared, model);
  std::vector<TuneRange> ranges;
  std::string problems;
  const auto report = [&](const std::string& text, const std::string& what) {
    problems += (problems.empty() ? "" : "\n") + ("--tune " + text + ": " + what);
  };
  for (const std::string& text : texts) {
    auto range = read_range(text, known);
    if (!range) {
      report(text, range.error().message);
    } else if (std::any_of(ranges.begin(), ranges.end(), [&](const auto& r) { return r.name() == range->name(); })) {
      report(text, "a second range of " + range->name() + "; give one");
    } else {
      ranges.push_back(std::move(*range));
    }
  }
  if (!problems.empty()) return Failure{problems};
  std::size_t points = 1;
  for (const TuneRange& range : ranges) {
    points *= range.values.size();  // both factors are at most kMaxTunePoints
    if (points > kMaxTunePoints) {
      return Failure{"--tune: the product of the steps is more than " + std::to_string(kMaxTunePoints) +
                     " points; take fewer steps"};
    }
  }
  return ranges;
}

std::size_t count_points(std::span<const TuneRange> ranges) {
  std::size_t points = 1;
  for (const TuneRange& range : ranges) points *= range.values.size();
  return points;
}

std::vector<std::size_t> point_at(std::span<const TuneRange> ranges, std::size_t point) {
  std::vector<std::size_t> steps(ranges.size());
  for (std::size_t i = ranges.size(); i-- > 0;) {
    steps[i] = point % ranges[i].values.size();
    point /= ranges[i].values.size();
  }
  return steps;
}

catalog::CatalogChange with_point(const catalog::CatalogChange& declared, std::span<const TuneRange> ranges,
                                  std::span<const std::size_t> steps) {
  catalog::CatalogChange change = declared;
  for (catalog::Entry& entry : *change.mutable_entries()) {
    if (!entry.has_pack()) continue;
    for (catalog::Rule& rule : *entry.mutable_pack()->mutable_rules()) {
      for (std::size_t i = 0; i < ranges.size(); ++i) {
        if (entry.pack().id() != ranges[i].pack || rule.id() != ranges[i].rule) continue;
        rule.mutable_parameters()->at(ranges[i].parameter).set_text(ranges[i].values[steps[i]]);
      }
    }
  }
  return change;
}

}  // namespace fettle::app
