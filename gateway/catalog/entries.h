#pragma once
// From YAML to entries: what each kind of entry looks like in a file. Each reader checks an entry by itself; what it
// refers to is checked when all are read (checks.h).

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/catalog/fields.h"
#include "gateway/engine/catalog.pb.h"

namespace fettle::catalog {

// An entry with the place it was written at.
struct Declared {
  Entry entry;
  const YamlFile* file = nullptr;
  const YamlNode* node = nullptr;
  // A subscription's bare dates: days of the customer's zone, known once the customer is.
  std::optional<std::chrono::year_month_day> start_day;
  std::optional<std::chrono::year_month_day> end_day;
};

Model read_model(const Source& source, const YamlNode& node);
Asset read_asset(const Source& source, const YamlNode& node);
Seller read_seller(const Source& source, const YamlNode& node);
Customer read_customer(const Source& source, const YamlNode& node);
Site read_site(const Source& source, const YamlNode& node);
Plan read_plan(const Source& source, const YamlNode& node);
void read_subscription(const Source& source, const YamlNode& node, Declared& out);
Mapping read_mapping(const Source& source, const YamlNode& node);
RulePack read_pack(const Source& source, const YamlNode& document);
// The key `tests` of a rule.
void read_rule_tests(const Source& source, Fields& fields, Rule& rule);

// A scalar's text, with its place.
Located located_of(const YamlNode& node);

// The entries of one YAML document, appended.
void read_document(const Source& source, const YamlNode& document, std::vector<Declared>& out);

}  // namespace fettle::catalog
