// Rule packs. Expressions are taken as texts with their places; checks.h compiles them.

#include <array>
#include <set>

#include "gateway/catalog/entries.h"

namespace fettle::catalog {
namespace {

using std::chrono::milliseconds;

constexpr std::array kPriorities = {Word{"P1", 1}, Word{"P2", 2}, Word{"P3", 3}, Word{"P4", 4}};

void read_part(const Source& source, const YamlNode& node, const std::string& label, WorkOrderTemplate& out) {
  Fields fields(source, node, label + ", part");
  PartNeed& part = *out.add_parts();
  part.set_part(fields.text("part", Need::required, "the part's number or name"));
  part.set_quantity(static_cast<std::int32_t>(fields.whole("quantity", Need::optional, 1, 100'000).value_or(1)));
  fields.finish();
}

void read_work_order(const Source& source, const YamlNode& node, const std::string& rule, WorkOrderTemplate& out) {
  Fields fields(source, node, rule + ", work_order");
  const int priority = fields.word("priority", Need::required, kPriorities, 0);
  if (priority > 0) out.set_priority("P" + std::to_string(priority));
  out.set_failure_mode(fields.text("failure_mode", Need::optional, "a failure mode of ISO 14224 such as DOP"));
  out.set_action(fields.text("action", Need::required, "what is to be done, in a sentence"));
  for (std::string& skill : fields.texts("skills", Need::optional, "a list of skills"))
    out.add_skills(std::move(skill));
  fields.list("parts", Need::optional, "a list of {part, quantity}",
              [&](const YamlNode& item) { read_part(source, item, fields.what(), out); });
  for (std::string& step : fields.texts("checklist", Need::optional, "a list of steps")) {
    out.add_checklist(std::move(step));
  }
  out.set_due_ms(fields.duration("due", milliseconds(0)).count());
  out.set_verify_ms(fields.duration("verify", milliseconds(0)).count());
  fields.finish();
}

void read_parameters(Fields& fields, Rule& rule) {
  fields.map("parameters", "a map of name: quantity, such as limit: 0.4 s", [&](const YamlNode::Member& member) {
    if (!valid_name(member.key)) {
      fields.report(member.key_at,
                    "\"" + member.key + "\" cannot name a parameter; expected a-z first, then a-z, 0-9 and _");
      return;
    }
    if (!fields.is_text(*member.value, "the parameter " + member.key, "a quantity such as 0.4 s")) return;
    (*rule.mutable_parameters())[member.key] = located_of(*member.value);
  });
}

Rule read_rule(const Source& source, const YamlNode& node, const std::string& pack) {
  const YamlNode* id = node.find("rule");
  const bool named = id != nullptr && id->kind == YamlNode::Kind::scalar && valid_id(id->text);
  Fields fields(source, node, pack + ", rule" + (named ? " " + id->text : ""));
  constexpr std::string_view kCondition = "a condition, such as motor_temperature > 80 degC";
  Rule rule;
  rule.set_id(fields.id("rule", Need::required, "the rule's id, such as door-slowing"));
  if (rule.id().find('/') != std::string::npos) {
    fields.report("rule", "a rule's id has no /: overrides are written pack/rule.parameter");
  }
  rule.set_title(fields.text("title", Need::optional, "a title"));
  if (rule.title().empty()) rule.set_title(rule.id());
  rule.set_model(fields.text("model", Need::required, "the id of the model that the rule watches"));
  read_parameters(fields, rule);
  if (const YamlNode* when = fields.scalar("when", Need::required, kCondition))
    *rule.mutable_when() = located_of(*when);
  rule.set_for_ms(fields.duration("for", milliseconds(0)).count());
  if (const YamlNode* clear = fields.scalar("clear", Need::optional, kCondition))
    *rule.mutable_clear() = located_of(*clear);
  rule.set_keep_for_ms(fields.duration("keep_for", milliseconds(0)).count());
  if (const YamlNode* suppress = fields.scalar("suppress_when", Need::optional, kCondition)) {
    *rule.mutable_suppress_when() = located_of(*suppress);
  }
  rule.set_cooldown_ms(fields.duration("cooldown", milliseconds(0)).count());
  if (const YamlNode* order = fields.value("work_order", Need::optional, "a map of priority, action ...")) {
    read_work_order(source, *order, fields.what(), *rule.mutable_work_order());
  }
  read_rule_tests(source, fields, rule);
  fields.finish();
  return rule;
}

}  // namespace

RulePack read_pack(const Source& source, const YamlNode& document) {
  const YamlNode* id = document.find("pack");
  const bool named = id != nullptr && id->kind == YamlNode::Kind::scalar && valid_id(id->text);
  Fields fields(source, document, named ? "pack " + id->text : "pack");
  RulePack pack;
  pack.set_id(fields.id("pack", Need::required, "the pack's id, such as lift-proactive"));
  const auto version = fields.whole("version", Need::required, 1, 1'000'000);
  pack.set_version(static_cast<std::int32_t>(version.value_or(0)));
  pack.set_title(fields.text("title", Need::optional, "a title"));
  if (pack.title().empty()) pack.set_title(pack.id());
  pack.set_file(source.file.name());
  std::set<std::string> ids;
  fields.list("rules", Need::required, "a list of rules", [&](const YamlNode& item) {
    *pack.add_rules() = read_rule(source, item, fields.what());
    const std::string& rule = pack.rules(pack.rules_size() - 1).id();
    if (!rule.empty() && !ids.insert(rule).second) {
      fields.report(item.at, "the rule " + rule + " is declared twice; remove or rename one of the two");
    }
  });
  fields.finish();
  return pack;
}

}  // namespace fettle::catalog
