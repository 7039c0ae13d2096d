// One YAML document: a pack, or lists of everything else.

#include <array>
#include <functional>

#include "gateway/catalog/entries.h"
#include "gateway/catalog/suggestion.h"

namespace fettle::catalog {
namespace {

using Append = std::function<void(const Source&, const YamlNode&, Declared&)>;

struct Section {
  std::string_view key;
  Append read;
};

const std::array<Section, 8>& sections() {
  static const std::array<Section, 8> kSections = {{
      {"models", [](const Source& s, const YamlNode& n, Declared& d) { *d.entry.mutable_model() = read_model(s, n); }},
      {"assets", [](const Source& s, const YamlNode& n, Declared& d) { *d.entry.mutable_asset() = read_asset(s, n); }},
      {"sellers",
       [](const Source& s, const YamlNode& n, Declared& d) { *d.entry.mutable_seller() = read_seller(s, n); }},
      {"customers",
       [](const Source& s, const YamlNode& n, Declared& d) { *d.entry.mutable_customer() = read_customer(s, n); }},
      {"sites", [](const Source& s, const YamlNode& n, Declared& d) { *d.entry.mutable_site() = read_site(s, n); }},
      {"plans", [](const Source& s, const YamlNode& n, Declared& d) { *d.entry.mutable_plan() = read_plan(s, n); }},
      {"subscriptions", read_subscription},
      {"mappings",
       [](const Source& s, const YamlNode& n, Declared& d) { *d.entry.mutable_mapping() = read_mapping(s, n); }},
  }};
  return kSections;
}

void append(const Source& source, const YamlNode& node, const Append& read, std::vector<Declared>& out) {
  Declared& declared = out.emplace_back();
  declared.file = &source.file;
  declared.node = &node;
  read(source, node, declared);
}

void read_section(const Source& source, const YamlNode::Member& member, const Append& read,
                  std::vector<Declared>& out) {
  if (member.value->kind == YamlNode::Kind::null) return;  // a list with everything commented out
  if (member.value->kind != YamlNode::Kind::sequence) {
    source.report(member.value->at, "\"" + member.key + "\" is " + kind_in_words(*member.value) +
                                        "; expected a list: one \"- \" in front of each of its " + member.key);
    return;
  }
  for (const YamlNode* item : member.value->items) append(source, *item, read, out);
}

void report_unknown(const Source& source, const YamlNode::Member& member) {
  static constexpr std::array<std::string_view, 10> kKeys = {
      "models", "assets", "sellers", "seller", "customers", "sites", "plans", "subscriptions", "mappings", "pack"};
  const std::string near = nearest(member.key, kKeys);
  source.report(member.key_at,
                "unknown key \"" + member.key + "\"" +
                    (near.empty() ? "; a catalog has models, assets, sellers (or one seller), customers, sites, plans, "
                                    "subscriptions and mappings, a rule pack begins with pack"
                                  : "; did you mean " + near + "?"));
}

}  // namespace

void read_document(const Source& source, const YamlNode& document, std::vector<Declared>& out) {
  if (document.kind == YamlNode::Kind::null) return;
  if (document.kind != YamlNode::Kind::map) {
    source.report(document.at, "the document is " + kind_in_words(document) +
                                   "; expected a map with keys such as models, assets or pack");
    return;
  }
  if (document.find("pack") != nullptr) {
    append(
        source, document,
        [](const Source& s, const YamlNode& n, Declared& d) { *d.entry.mutable_pack() = read_pack(s, n); }, out);
    return;
  }
  for (const YamlNode::Member& member : document.members) {
    bool known = false;
    for (const Section& section : sections()) {
      if (section.key != member.key) continue;
      known = true;
      read_section(source, member, section.read, out);
    }
    if (member.key == "seller") {
      known = true;
      append(
          source, *member.value,
          [](const Source& s, const YamlNode& n, Declared& d) { *d.entry.mutable_seller() = read_seller(s, n); }, out);
    }
    if (!known) report_unknown(source, member);
  }
}

}  // namespace fettle::catalog
