#pragma once
// Reads one map of a catalog file, key by key, and reports what does not fit: missing and unknown keys, wrong types,
// texts of the wrong form. A value that was reported comes back empty, so that reading goes on and finds everything.

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "billing/decimal.h"
#include "gateway/catalog/texts.h"
#include "gateway/catalog/yaml_tree.h"

namespace fettle::catalog {

// The file being read and where its faults go.
struct Source {
  const YamlFile& file;
  Diagnostics& diagnostics;

  void report(rules::Position at, std::string message) const;
};

enum class Need { required, optional };

// A word of the file and the number that stands for it on the wire.
struct Word {
  std::string_view text;
  int value = 0;
};

class Fields {
 public:
  // `what` begins every message: "asset lift-001". `node` need not be a map: then that is reported, and everything in
  // it is absent without further words.
  Fields(const Source& source, const YamlNode& node, std::string what);

  const std::string& what() const { return what_; }

  // The value of a key, or nullptr where it is absent (and reported if required) or null. `expected` completes
  // "expected ...".
  const YamlNode* value(std::string_view key, Need need, std::string_view expected);

  // At most kLongestText bytes. Absent or wrong: empty.
  std::string text(std::string_view key, Need need, std::string_view expected);
  const YamlNode* scalar(std::string_view key, Need need, std::string_view expected);
  std::string id(std::string_view key, Need need, std::string_view expected);
  int word(std::string_view key, Need need, std::span<const Word> words, int otherwise);
  // true or false; absent or wrong: false.
  bool flag(std::string_view key);
  std::optional<std::int64_t> whole(std::string_view key, Need need, std::int64_t least, std::int64_t most);
  std::optional<billing::Decimal> decimal(std::string_view key, Need need, std::string_view expected);
  std::chrono::milliseconds duration(std::string_view key, std::chrono::milliseconds otherwise);
  std::optional<Date> date(std::string_view key, Need need);
  std::string country(std::string_view key);

  // A list; `each` sees every item. An absent list has none.
  void list(std::string_view key, Need need, std::string_view expected,
            const std::function<void(const YamlNode&)>& each);
  std::vector<std::string> texts(std::string_view key, Need need, std::string_view expected);
  std::vector<std::string> ids(std::string_view key, Need need, std::string_view expected);
  // A map of names to scalars; `each` sees every member.
  void map(std::string_view key, std::string_view expected, const std::function<void(const YamlNode::Member&)>& each);

  // "<what>: <message>" at the value of `key`, or at the map where the key is absent.
  void report(std::string_view key, const std::string& message) const;
  void report(rules::Position at, const std::string& message) const;

  // Whether a value is one line of text; reports where it is not.
  bool is_text(const YamlNode& node, const std::string& name, std::string_view expected) const;

  // Reports the keys that nobody asked for. Call last.
  void finish() const;

  static constexpr std::size_t kLongestText = 8192;

 private:
  const Source& source_;
  const YamlNode& node_;
  std::string what_;
  std::vector<std::string> known_;
};

// "asset lift-001", or "asset" where the node has no readable id.
std::string entry_label(std::string_view kind, const YamlNode& node);

// What a node is, in words: "a list", "a map", "nothing".
std::string kind_in_words(const YamlNode& node);

}  // namespace fettle::catalog
