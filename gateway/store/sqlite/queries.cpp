#include "gateway/store/sqlite/queries.h"

#include "gateway/store/sqlite/part_writer.h"

namespace fettle::store {

engine::UsageRow take_usage(Row& row) {
  engine::UsageRow usage;
  row.into(usage.key.asset, usage.key.meter, usage.key.band, usage.key.start, usage.end, usage.quantity, usage.readings,
           usage.first_reading, usage.last_reading, usage.quality, usage.revision);
  return usage;
}

std::vector<engine::UsageRow> load_usage(Database& database, const std::string& asset, const std::string& meter,
                                         engine::Time from, engine::Time to) {
  std::vector<engine::UsageRow> usage;
  Statement(database, std::string("SELECT ") + kUsageColumns +
                          " FROM usage_record WHERE asset = ?1 AND meter = ?2 AND start >= ?3 AND start < ?4 "
                          "ORDER BY start, band")
      .each([&](Row& row) { usage.push_back(take_usage(row)); }, asset, meter, from, to);
  return usage;
}

std::vector<engine::CatalogRow> load_catalog(Database& database, engine::Sequence as_of) {
  std::vector<engine::CatalogRow> rows;
  Statement(database,
            "SELECT kind, id, sequence, body FROM catalog_entry AS entry WHERE sequence = "
            "(SELECT max(sequence) FROM catalog_entry WHERE kind = entry.kind AND id = entry.id AND sequence <= ?1) "
            "ORDER BY kind, id")
      .each(
          [&](Row& row) {
            engine::CatalogRow& entry = rows.emplace_back();
            row.into(entry.kind, entry.id, entry.sequence, entry.body);
          },
          as_of);
  return rows;
}

std::vector<engine::SeriesRow> load_series(Database& database) {
  std::vector<engine::SeriesRow> rows;
  Statement(database, "SELECT id, asset, signal FROM series ORDER BY id").each([&](Row& row) {
    engine::SeriesRow& series = rows.emplace_back();
    row.into(series.id, series.asset, series.signal);
  });
  return rows;
}

void load_parts(Database& database, Compressor& compressor, const std::function<bool(engine::CheckpointPart)>& take) {
  bool wanted = true;
  // Of the two versions that a key may have, the newer of those that count; bare columns beside max() are of its row.
  Statement(database, "SELECT key, state, max(as_of) FROM checkpoint_part WHERE as_of <= ?1 GROUP BY key ORDER BY key")
      .each(
          [&](Row& row) {
            engine::CheckpointPart part;
            row.into(part.key);
            const std::string_view bytes = row.bytes();
            if (bytes.empty() || !wanted) return;
            auto state = compressor.open(kPartKind, bytes);
            if (!state) {
              throw DatabaseError(SQLITE_CORRUPT, database.file().string() + ": part " + part.key +
                                                      " of the checkpoint " + state.error().message +
                                                      ". Keep a copy of the file and restore the newest backup.");
            }
            part.state = std::move(*state);
            wanted = take(std::move(part));
          },
          load_checkpoint_sequence(database));
}

engine::Sequence load_checkpoint_sequence(Database& database) {
  return static_cast<engine::Sequence>(database.integer("SELECT sequence FROM checkpoint"));
}

engine::Sequence load_committed(Database& database) {
  return static_cast<engine::Sequence>(database.integer("SELECT sequence FROM committed"));
}

engine::Time load_now(Database& database) {
  return engine::Time(engine::Time::duration(database.integer("SELECT now FROM committed")));
}

}  // namespace fettle::store
