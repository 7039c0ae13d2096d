#include "gateway/catalog/fields.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "gateway/catalog/suggestion.h"

namespace fettle::catalog {
namespace {

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 60;
  if (text.size() > kShown) return "\"" + std::string(text.substr(0, kShown)) + "...\"";
  return "\"" + std::string(text) + "\"";
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace

void Source::report(rules::Position at, std::string message) const {
  diagnostics.add(file.name(), at, std::move(message));
}

std::string kind_in_words(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::null:
      return "nothing";
    case YamlNode::Kind::scalar:
      return "a text";
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::map:
      break;
  }
  return "a map";
}

std::string entry_label(std::string_view kind, const YamlNode& node) {
  const YamlNode* id = node.find("id");
  if (id == nullptr || id->kind != YamlNode::Kind::scalar || !valid_id(id->text)) return std::string(kind);
  return std::string(kind) + " " + id->text;
}

Fields::Fields(const Source& source, const YamlNode& node, std::string what)
    : source_(source), node_(node), what_(std::move(what)) {
  if (node_.kind == YamlNode::Kind::map) return;
  report(node_.at, "stands as " + kind_in_words(node_) + "; expected a map of keys and values (key: value)");
}

void Fields::report(rules::Position at, const std::string& message) const {
  source_.report(at, what_ + ": " + message);
}

void Fields::report(std::string_view key, const std::string& message) const {
  const YamlNode* found = node_.find(key);
  report(found == nullptr ? node_.at : found->at, message);
}

const YamlNode* Fields::value(std::string_view key, Need need, std::string_view expected) {
  known_.emplace_back(key);
  if (node_.kind != YamlNode::Kind::map) return nullptr;
  const YamlNode::Member* found = node_.member(key);
  if (found != nullptr && found->value->kind != YamlNode::Kind::null) return found->value;
  const std::string name = quoted(key);
  if (found != nullptr) {
    report(found->key_at, name + " has no value; expected " + std::string(expected) +
                              (need == Need::optional ? ", or no such key" : ""));
  } else if (need == Need::required) {
    report(node_.at, name + " is missing; expected " + std::string(expected));
  }
  return nullptr;
}

bool Fields::is_text(const YamlNode& node, const std::string& name, std::string_view expected) const {
  if (node.kind != YamlNode::Kind::scalar) {
    report(node.at, name + " is " + kind_in_words(node) + "; expected " + std::string(expected));
    return false;
  }
  if (node.text.empty()) {
    report(node.at, name + " is empty; expected " + std::string(expected));
    return false;
  }
  if (node.text.size() > kLongestText) {
    report(node.at, name + " has " + std::to_string(node.text.size()) + " bytes; at most " +
                        std::to_string(kLongestText) + " are allowed");
    return false;
  }
  return true;
}

const YamlNode* Fields::scalar(std::string_view key, Need need, std::string_view expected) {
  const YamlNode* node = value(key, need, expected);
  return node != nullptr && is_text(*node, quoted(key), expected) ? node : nullptr;
}

std::string Fields::text(std::string_view key, Need need, std::string_view expected) {
  const YamlNode* node = scalar(key, need, expected);
  if (node == nullptr) return {};
  std::string result = node->text;
  while (result.ends_with('\n')) result.pop_back();  // of a block scalar
  return result;
}

std::string Fields::id(std::string_view key, Need need, std::string_view expected) {
  const YamlNode* node = scalar(key, need, expected);
  if (node == nullptr) return {};
  if (valid_id(node->text)) return node->text;
  report(node->at, quoted(key) + " is " + quoted(node->text) +
                       ", which is no id; an id has 1 to 64 characters out of A-Z a-z 0-9 . _ / -");
  return {};
}

int Fields::word(std::string_view key, Need need, std::span<const Word> words, int otherwise) {
  std::vector<std::string> texts;
  for (const Word& word : words) texts.emplace_back(word.text);
  const std::string expected = "one of " + joined(texts);
  const YamlNode* node = scalar(key, need, expected);
  if (node == nullptr) return otherwise;
  for (const Word& word : words) {
    if (word.text == node->text) return word.value;
  }
  const std::string near = nearest(node->text, texts);
  report(node->at, quoted(key) + " is " + quoted(node->text) + "; expected " + expected +
                       (near.empty() ? "" : "; did you mean " + near + "?"));
  return otherwise;
}

bool Fields::flag(std::string_view key) {
  static constexpr std::array kFlags = {Word{"true", 1}, Word{"false", 0}};
  return word(key, Need::optional, kFlags, 0) == 1;
}

std::optional<std::int64_t> Fields::whole(std::string_view key, Need need, std::int64_t least, std::int64_t most) {
  const std::string expected = "a whole number from " + std::to_string(least) + " to " + std::to_string(most);
  const YamlNode* node = scalar(key, need, expected);
  if (node == nullptr) return std::nullopt;
  const auto number = billing::Decimal::parse(node->text);
  if (number.has_value() && number->scale == 0 && number->units >= least && number->units <= most) {
    return number->units;
  }
  report(node->at, quoted(key) + " is " + quoted(node->text) + "; expected " + expected);
  return std::nullopt;
}

std::optional<billing::Decimal> Fields::decimal(std::string_view key, Need need, std::string_view expected) {
  const YamlNode* node = scalar(key, need, expected);
  if (node == nullptr) return std::nullopt;
  const auto number = billing::Decimal::parse(node->text);
  if (number.has_value()) return *number;
  report(node->at, quoted(key) + " is " + quoted(node->text) + "; expected " + std::string(expected) +
                       ", in digits with at most one point and 12 decimals");
  return std::nullopt;
}

std::chrono::milliseconds Fields::duration(std::string_view key, std::chrono::milliseconds otherwise) {
  const YamlNode* node = scalar(key, Need::optional, kDurationForm);
  if (node == nullptr) return otherwise;
  if (const auto duration = parse_duration(node->text)) return *duration;
  report(node->at, quoted(key) + " is " + quoted(node->text) + "; expected " + kDurationForm +
                       " (units w d h m s ms, larger ones first, at most 100 years)");
  return otherwise;
}

std::optional<Date> Fields::date(std::string_view key, Need need) {
  const YamlNode* node = scalar(key, need, kDateForm);
  if (node == nullptr) return std::nullopt;
  const DateReading reading = parse_date(node->text);
  if (!reading.date) report(node->at, quoted(key) + ": " + reading.fault);
  return reading.date;
}

std::string Fields::country(std::string_view key) {
  constexpr std::string_view kExpected = "a country code of ISO 3166-1 such as DE, FR or US";
  const YamlNode* node = scalar(key, Need::required, kExpected);
  if (node == nullptr) return {};
  if (known_country(node->text)) return node->text;
  report(node->at, quoted(key) + " is " + quoted(node->text) + "; expected " + std::string(kExpected) +
                       (node->text == "UK" ? "; did you mean GB?" : ""));
  return {};
}

void Fields::list(std::string_view key, Need need, std::string_view expected,
                  const std::function<void(const YamlNode&)>& each) {
  const YamlNode* node = value(key, need, expected);
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::sequence) {
    report(node->at, quoted(key) + " is " + kind_in_words(*node) + "; expected " + std::string(expected));
    return;
  }
  if (node->items.empty() && need == Need::required) {
    report(node->at, quoted(key) + " is empty; expected " + std::string(expected));
  }
  for (const YamlNode* item : node->items) each(*item);
}

std::vector<std::string> Fields::texts(std::string_view key, Need need, std::string_view expected) {
  std::vector<std::string> result;
  list(key, need, expected, [&](const YamlNode& item) {
    if (is_text(item, "an item of " + quoted(key), "a text")) result.push_back(item.text);
  });
  return result;
}

std::vector<std::string> Fields::ids(std::string_view key, Need need, std::string_view expected) {
  std::vector<std::string> result;
  std::unordered_set<std::string> seen;
  list(key, need, expected, [&](const YamlNode& item) {
    // One for every item, so that the place of each is found by its index.
    result.push_back(is_text(item, "an item of " + quoted(key), "an id") ? item.text : std::string());
    if (!result.back().empty() && !seen.insert(item.text).second) {
      report(item.at, quoted(key) + " names " + item.text + " twice; remove one of the two");
    }
  });
  return result;
}

void Fields::map(std::string_view key, std::string_view expected,
                 const std::function<void(const YamlNode::Member&)>& each) {
  const YamlNode* node = value(key, Need::optional, expected);
  if (node == nullptr) return;
  if (node->kind != YamlNode::Kind::map) {
    report(node->at, quoted(key) + " is " + kind_in_words(*node) + "; expected " + std::string(expected));
    return;
  }
  for (const YamlNode::Member& member : node->members) each(member);
}

void Fields::finish() const {
  if (node_.kind != YamlNode::Kind::map) return;
  for (const YamlNode::Member& member : node_.members) {
    if (std::find(known_.begin(), known_.end(), member.key) != known_.end()) continue;
    const std::string near = nearest(member.key, known_);
    report(member.key_at,
           "unknown key " + quoted(member.key) +
               (near.empty() ? "; the keys here are " + joined(known_) : "; did you mean " + near + "?"));
  }
}

}  // namespace fettle::catalog
