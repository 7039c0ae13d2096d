#pragma once
// What must hold across entries. Each check reports everything it finds; none stops another.

#include "gateway/catalog/catalog_reader.h"
#include "gateway/catalog/whole.h"

namespace fettle::catalog {

// Meters fit their signals; assets' and sites' references; a model that is replaced keeps what stored readings rest on.
void check_equipment(const Whole& whole);

// Plans' references and prices; subscriptions' references, owners, terms, currency and VAT.
void check_offers(const Whole& whole);

// Rules compile against their models and have tests that can be run, at least one where one is wanted; assets'
// parameters fit their rules.
void check_packs(const Whole& whole, RuleTests wanted);

// Topics that cross; signals that no model has, or none in a unit or with states that fit; assets' other names.
void check_mappings(const Whole& whole);

}  // namespace fettle::catalog
