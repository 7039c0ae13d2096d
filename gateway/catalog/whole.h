#pragma once
// The catalog as it would be: what is in force, with what the files declare laid over it. The checks look things up
// here and report here; a fault is placed at the declared entry that causes it.

#include <cstddef>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "gateway/catalog/entries.h"

namespace fettle::catalog {

// One entry in the whole. `before` is what it replaces.
struct Item {
  const Entry* entry = nullptr;
  const Declared* declared = nullptr;  // nullptr: in force, not declared now
  const Entry* before = nullptr;
};

// By id. Ordered, so that checks and messages come in one order.
using Items = std::map<std::string, Item, std::less<>>;

// A way down a YAML tree: keys of maps and indexes of lists.
using Step = std::variant<std::string_view, int>;
using Path = std::initializer_list<Step>;

// Which end of a path's last step is meant.
enum class At { value, key };

// Whether every file could be read to its end. If not, what is missing may stand in the rest of it.
enum class Completeness { whole, partial };

class Whole {
 public:
  // Reports ids that are declared twice. Both lists must outlive this.
  Whole(const std::vector<Entry>& existing, const std::vector<Declared>& declared, Completeness completeness,
        Diagnostics& diagnostics);

  const Items& of(Entry::EntryCase kind) const { return items_[static_cast<std::size_t>(kind)]; }
  const Item* find(Entry::EntryCase kind, std::string_view id) const;
  std::size_t size() const;

  // The entry itself, or nullptr.
  const Model* model(std::string_view id) const;
  const Asset* asset(std::string_view id) const;
  const Seller* seller(std::string_view id) const;
  const Customer* customer(std::string_view id) const;
  const Site* site(std::string_view id) const;
  const RulePack* pack(std::string_view id) const;
  const Plan* plan(std::string_view id) const;

  // Reports a fault of `item` at the value that `path` leads to (or as far as it leads). Where `item` is in force and
  // not declared now, the fault lies with what it refers to: the place is that of `cause`, if that is declared.
  void report(const Item& item, Path path, const std::string& message, const Item* cause = nullptr,
              At at = At::value) const;

  // Reports unless `id` is known or empty (an empty one was reported by the reader), or may stand where a file could
  // not be read. True where it is known.
  bool refers(const Item& item, Path path, Entry::EntryCase kind, const std::string& id, At at = At::value) const;

  // Whether what is not here may stand where a file could not be read.
  bool partial() const { return completeness_ == Completeness::partial; }

  Diagnostics& diagnostics() const { return diagnostics_; }

 private:
  // Looking for the nearest name takes time; after so many nobody reads them.
  static constexpr std::size_t kMostSuggestions = 100;
  static constexpr std::size_t kKinds = 10;

  Diagnostics& diagnostics_;
  Completeness completeness_;
  std::vector<Items> items_;
  mutable std::size_t suggestions_ = 0;
};

// The node that the first `steps` of a path lead to from `root`, or the last one on the way.
const YamlNode& walk(const YamlNode& root, Path path, std::size_t steps = std::size_t(-1));

}  // namespace fettle::catalog
