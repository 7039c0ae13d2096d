// The tests of a rule, from YAML: their form. What the series say is checked with the model at hand (check_packs.cpp).

#include <set>

#include "gateway/catalog/entries.h"
#include "gateway/catalog/rule_tests.h"

namespace fettle::catalog {
namespace {

constexpr std::string_view kPointForm = "a point: [time since the test's begin, value], such as [5m, 20 degC]";

Located located_at(const std::string& text, rules::Position at) {
  Located result;
  result.set_text(text);
  result.set_line(at.line);
  result.set_column(at.column);
  return result;
}

void read_point(const Fields& fields, const YamlNode& node, TestSignal& out) {
  if (node.items.size() != 2) {
    fields.report(node.at, "a list of " + std::to_string(node.items.size()) + "; expected " + std::string(kPointForm));
    return;
  }
  for (const YamlNode* item : node.items) {
    if (!fields.is_text(*item, "a part of a point", kPointForm)) return;
  }
  TestPoint& point = *out.add_points();
  *point.mutable_at() = located_of(*node.items[0]);
  *point.mutable_value() = located_of(*node.items[1]);
}

void read_signal(const Fields& fields, const YamlNode::Member& member, RuleTest& test) {
  TestSignal& out = *test.add_readings();
  *out.mutable_signal() = located_at(member.key, member.key_at);
  const YamlNode& node = *member.value;
  const std::string name = "the readings of " + member.key;
  if (node.kind != YamlNode::Kind::sequence) {
    if (fields.is_text(node, name, kSeriesForm)) *out.add_series() = located_of(node);
    return;
  }
  if (node.items.empty()) fields.report(node.at, name + " are an empty list; expected " + kSeriesForm);
  for (const YamlNode* item : node.items) {
    if (item->kind == YamlNode::Kind::sequence) {
      read_point(fields, *item, out);
    } else if (fields.is_text(*item, "an item of " + name, kSeriesForm)) {
      *out.add_series() = located_of(*item);
    }
  }
  if (out.series_size() > 0 && out.points_size() > 0) {
    fields.report(node.at, name + " mix series and points; write either of them");
  }
}

std::optional<Located> read_range_at(Fields& fields, std::string_view key) {
  const bool clears = key == "cleared_after";
  const std::string expected = kRangeForm + std::string(clears ? ", or never" : "");
  const YamlNode* node = fields.scalar(key, Need::optional, expected);
  if (node == nullptr) return std::nullopt;
  const std::string& text = node->text;
  if (!read_range(text) && !(clears && text == kNever)) {
    fields.report(node->at, "\"" + std::string(key) + "\" is \"" + text + "\"; expected " + expected);
  }
  return located_of(*node);
}

void read_expectation(const Source& source, const YamlNode& node, const std::string& label, RuleTest& test) {
  Fields fields(source, node, label + ", expect");
  TestExpectation& out = *test.add_expect();
  const bool none = fields.flag("none");
  const auto count = fields.whole("count", Need::optional, 1, kMostTestEpisodes);
  if (const auto text = read_range_at(fields, "raised_after")) *out.mutable_raised_after() = *text;
  if (const auto text = read_range_at(fields, "cleared_after")) *out.mutable_cleared_after() = *text;
  out.set_count(none ? 0 : static_cast<std::int32_t>(count.value_or(1)));
  if (none && (count || out.has_raised_after() || out.has_cleared_after())) {
    fields.report(node.at, "says none and more; expected {none: true} alone, or what the episodes are");
  }
  fields.finish();
}

void read_expectations(const Source& source, Fields& fields, RuleTest& test) {
  constexpr std::string_view kExpected =
      "a list of what must come of it, such as [{raised_after: \">= 30h\", count: 1}] or [{none: true}]";
  const YamlNode* node = fields.value("expect", Need::required, kExpected);
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::sequence || node->items.empty()) {
    fields.report(node->at, "\"expect\" is " +
                                (node->items.empty() && node->kind == YamlNode::Kind::sequence ? std::string("empty")
                                                                                               : kind_in_words(*node)) +
                                "; expected " + std::string(kExpected));
    return;
  }
  for (const YamlNode* item : node->items) read_expectation(source, *item, fields.what(), test);
  for (const TestExpectation& each : test.expect()) {
    if (each.count() > 0 || test.expect_size() == 1) continue;
    fields.report(node->at, "\"expect\" has none: true beside other lines; expected it alone");
    return;
  }
}

RuleTest read_test(const Source& source, const YamlNode& node, const std::string& rule) {
  const YamlNode* name = node.find("name");
  const bool named = name != nullptr && name->kind == YamlNode::Kind::scalar && !name->text.empty();
  Fields fields(source, node, rule + ", test" + (named ? " \"" + name->text + "\"" : ""));
  RuleTest test;
  if (const YamlNode* text = fields.scalar("name", Need::required, "a sentence that says what the test shows")) {
    *test.mutable_name() = located_of(*text);
  } else {
    *test.mutable_name() = located_at("", node.at);
  }
  constexpr std::string_view kReadings =
      "a map of signals and their readings, such as temperature: constant(20 degC, 1d, every 5m)";
  if (const YamlNode* readings = fields.value("readings", Need::required, kReadings)) {
    if (readings->kind != YamlNode::Kind::map || readings->members.empty()) {
      fields.report(readings->at,
                    "\"readings\" is " + kind_in_words(*readings) + "; expected " + std::string(kReadings));
    }
    for (const YamlNode::Member& member : readings->members) read_signal(fields, member, test);
  }
  fields.map("parameters", "a map of name: quantity, such as limit: 0.4 s", [&](const YamlNode::Member& member) {
    if (!fields.is_text(*member.value, "the parameter " + member.key, "a quantity such as 0.4 s")) return;
    (*test.mutable_parameters())[member.key] = located_of(*member.value);
  });
  read_expectations(source, fields, test);
  fields.finish();
  return test;
}

}  // namespace

Located located_of(const YamlNode& node) {
  std::string text = node.text;
  while (text.ends_with('\n')) text.pop_back();  // of a block scalar
  return located_at(text, node.at);
}

void read_rule_tests(const Source& source, Fields& fields, Rule& rule) {
  std::set<std::string> names;
  fields.list("tests", Need::optional, "a list of tests: name, readings, expect", [&](const YamlNode& item) {
    if (rule.tests_size() == kMostTests) {
      fields.report(item.at, "has more than " + std::to_string(kMostTests) + " tests; remove some");
    }
    if (rule.tests_size() >= kMostTests) return;
    *rule.add_tests() = read_test(source, item, fields.what());
    const std::string& name = rule.tests(rule.tests_size() - 1).name().text();
    if (!name.empty() && !names.insert(name).second) {
      fields.report(item.at, "two tests are named \"" + name + "\"; rename one of the two");
    }
  });
}

}  // namespace fettle::catalog
