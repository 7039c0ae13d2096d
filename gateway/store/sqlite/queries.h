#pragma once
// What both the store and its readers ask of a database. All throw DatabaseError.

#include <optional>
#include <string>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/database.h"
#include "gateway/store/sqlite/frame.h"

namespace fettle::store {

// Columns of usage_record in the order in which take_usage reads them.
inline constexpr const char* kUsageColumns =
    "asset, meter, band, start, end, quantity, readings, first_reading, last_reading, quality, revision";
engine::UsageRow take_usage(Row& row);

// from <= start < to, ordered by (start, band).
std::vector<engine::UsageRow> load_usage(Database& database, const std::string& asset, const std::string& meter,
                                         engine::Time from, engine::Time to);

// For each (kind, id) the newest entry not after `as_of`, ordered by (kind, id).
std::vector<engine::CatalogRow> load_catalog(Database& database, engine::Sequence as_of);
std::vector<engine::SeriesRow> load_series(Database& database);
// Of the newest checkpoint that counts, as Store::load_parts.
void load_parts(Database& database, Compressor& compressor, const std::function<bool(engine::CheckpointPart)>& take);
engine::Sequence load_checkpoint_sequence(Database& database);
engine::Sequence load_committed(Database& database);
engine::Time load_now(Database& database);  // the gateway's time there

}  // namespace fettle::store
