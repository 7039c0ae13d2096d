#include "gateway/catalog/whole.h"

#include "gateway/catalog/catalog_diff.h"
#include "gateway/catalog/suggestion.h"

namespace fettle::catalog {
namespace {

std::string label(const Entry& entry) {
  const auto [kind, id] = entry_key(entry);
  return id.empty() ? kind : kind + " " + id;
}

rules::Position place(const YamlNode& root, Path path, At at) {
  if (at == At::key && path.size() > 0) {
    const YamlNode& parent = walk(root, path, path.size() - 1);
    const auto* key = std::get_if<std::string_view>(path.end() - 1);
    const YamlNode::Member* member = key == nullptr ? nullptr : parent.member(*key);
    if (member != nullptr) return member->key_at;
  }
  return walk(root, path).at;
}

}  // namespace

const YamlNode& walk(const YamlNode& root, Path path, std::size_t steps) {
  const YamlNode* at = &root;
  for (const Step& step : path) {
    if (steps-- == 0) break;
    const YamlNode* next = nullptr;
    if (const auto* key = std::get_if<std::string_view>(&step)) {
      next = at->find(*key);
    } else {
      const auto index = static_cast<std::size_t>(std::get<int>(step));
      if (index < at->items.size()) next = at->items[index];
    }
    if (next == nullptr) break;
    at = next;
  }
  return *at;
}

Whole::Whole(const std::vector<Entry>& existing, const std::vector<Declared>& declared, Completeness completeness,
             Diagnostics& diagnostics)
    : diagnostics_(diagnostics), completeness_(completeness), items_(kKinds) {
  for (const Entry& entry : existing) {
    items_[static_cast<std::size_t>(entry.entry_case())][entry_key(entry).second] = {&entry, nullptr, nullptr};
  }
  for (const Declared& each : declared) {
    const auto [kind, id] = entry_key(each.entry);
    if (id.empty()) continue;
    Item& item = items_[static_cast<std::size_t>(each.entry.entry_case())][id];
    if (item.declared != nullptr) {
      const YamlNode& first = *item.declared->node;
      diagnostics_.add(each.file->name(), each.node->at,
                       kind + " " + id + " is declared twice in one apply, first at " + item.declared->file->name() +
                           ":" + std::to_string(first.at.line) + ":" + std::to_string(first.at.column) +
                           "; remove or rename one of the two");
      continue;
    }
    item = {&each.entry, &each, item.entry};
  }
}

const Item* Whole::find(Entry::EntryCase kind, std::string_view id) const {
  const Items& items = of(kind);
  const auto found = items.find(id);
  return found == items.end() ? nullptr : &found->second;
}

std::size_t Whole::size() const {
  std::size_t count = 0;
  for (const Items& items : items_) count += items.size();
  return count;
}

const Model* Whole::model(std::string_view id) const {
  const Item* item = find(Entry::kModel, id);
  return item == nullptr ? nullptr : &item->entry->model();
}
const Asset* Whole::asset(std::string_view id) const {
  const Item* item = find(Entry::kAsset, id);
  return item == nullptr ? nullptr : &item->entry->asset();
}
const Seller* Whole::seller(std::string_view id) const {
  const Item* item = find(Entry::kSeller, id);
  return item == nullptr ? nullptr : &item->entry->seller();
}
const Customer* Whole::customer(std::string_view id) const {
  const Item* item = find(Entry::kCustomer, id);
  return item == nullptr ? nullptr : &item->entry->customer();
}
const Site* Whole::site(std::string_view id) const {
  const Item* item = find(Entry::kSite, id);
  return item == nullptr ? nullptr : &item->entry->site();
}
const RulePack* Whole::pack(std::string_view id) const {
  const Item* item = find(Entry::kPack, id);
  return item == nullptr ? nullptr : &item->entry->pack();
}
const Plan* Whole::plan(std::string_view id) const {
  const Item* item = find(Entry::kPlan, id);
  return item == nullptr ? nullptr : &item->entry->plan();
}

void Whole::report(const Item& item, Path path, const std::string& message, const Item* cause, At at) const {
  const std::string text = label(*item.entry) + ": " + message;
  if (item.declared != nullptr) {
    diagnostics_.add(item.declared->file->name(), place(*item.declared->node, path, at), text);
  } else if (cause != nullptr && cause->declared != nullptr) {
    diagnostics_.add(cause->declared->file->name(), cause->declared->node->at,
                     "as " + label(*cause->entry) + " is declared here, an entry in force no longer fits: " + text);
  } else {
    diagnostics_.add(kInForce, {0, 0}, text);
  }
}

bool Whole::refers(const Item& item, Path path, Entry::EntryCase kind, const std::string& id, At at) const {
  if (id.empty()) return false;
  if (find(kind, id) != nullptr) return true;
  if (completeness_ == Completeness::partial) return false;
  std::string near;
  if (suggestions_ < kMostSuggestions) {
    ++suggestions_;
    std::vector<std::string_view> known;
    for (const auto& [each, unused] : of(kind)) known.emplace_back(each);
    near = nearest(id, known);
  }
  const std::string name = kind_name(kind);
  report(item, path,
         "there is no " + name + " " + id +
             (near.empty() ? "; declare it in these files, or apply it first" : "; did you mean " + near + "?"),
         nullptr, at);
  return false;
}

}  // namespace fettle::catalog
