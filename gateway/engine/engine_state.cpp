// The engine's own part of a checkpoint, and the checkpoint as a whole.

#include "gateway/engine/engine.h"

namespace fettle::engine {
namespace {

constexpr std::uint32_t kFormat = 2;
constexpr std::string_view kOwnKey = "engine";
constexpr std::string_view kDiscovered = "discovered/";

Time time_of(std::int64_t milliseconds) {
  return Time(std::chrono::milliseconds(milliseconds));
}
std::int64_t ms(Time time) {
  return time.time_since_epoch().count();
}

}  // namespace

CheckpointPart Engine::own_part() const {
  EnginePart part;
  part.set_format(kFormat);
  part.set_now_ms(ms(fold_.now));
  for (const SessionClock& clock : fold_.sessions.clocks()) {
    SessionState& saved = *part.add_sessions();
    saved.set_name(clock.name);
    saved.set_down(clock.down);
    saved.set_down_since_ms(ms(clock.down_since));
    saved.set_down_total_ms(clock.down_total.count());
  }
  part.set_next_series(fold_.next_series);
  part.set_last_event(fold_.last_event);
  invoicing_.save(part);
  const Counters& counted = fold_.counters;
  CounterState& counters = *part.mutable_counters();
  counters.set_messages(counted.messages);
  counters.set_readings(counted.readings);
  counters.set_duplicates(counted.duplicates);
  counters.set_conflicts(counted.conflicts);
  counters.set_late(counted.late);
  counters.set_quarantined(counted.quarantined);
  return {std::string(kOwnKey), part.SerializeAsString()};
}

std::string Engine::restore_own(std::span<const CheckpointPart> parts) {
  const std::string unread = "part " + std::string(kOwnKey);
  EnginePart part;
  if (parts.size() != 1 || !part.ParseFromString(parts.front().state) || part.format() != kFormat ||
      part.sessions().empty()) {
    return unread;
  }
  fold_.now = time_of(part.now_ms());
  std::vector<SessionClock> clocks;
  for (const SessionState& saved : part.sessions()) {
    clocks.push_back(
        {saved.name(), saved.down(), time_of(saved.down_since_ms()), rules::Duration(saved.down_total_ms())});
  }
  fold_.sessions.restore(std::move(clocks));
  fold_.next_series = part.next_series();
  fold_.last_event = part.last_event();
  invoicing_.load(part);
  fold_.counters = {part.counters().messages(),  part.counters().readings(), part.counters().duplicates(),
                    part.counters().conflicts(), part.counters().late(),     part.counters().quarantined()};
  return {};
}

void Engine::discovered_parts(std::vector<CheckpointPart>& out) {
  for (const std::string& source : discovery_.take_touched()) {
    out.push_back({std::string(kDiscovered) + source, discovery_.save(source)});
  }
}

std::string Engine::restore_discovered(std::span<const CheckpointPart> parts) {
  for (const CheckpointPart& part : parts) {
    if (!discovery_.load(part.key.substr(kDiscovered.size()), part.state)) return "part " + part.key;
  }
  discovery_.take_touched();
  return {};
}

StoreResult<void> Engine::load_catalog(Sequence as_of) {
  auto rows = store_.load_catalog(as_of);
  if (!rows) return rows.error();
  std::vector<catalog::Entry> entries;
  entries.reserve(rows->size());
  for (CatalogRow& row : *rows) {
    catalog::Entry entry;
    if (!entry.ParseFromString(std::exchange(row.body, {}))) {
      return StoreError{"catalog entry " + row.kind + ' ' + row.id +
                        " cannot be read; restore the store from a backup"};
    }
    entries.push_back(std::move(entry));
  }
  for (std::string& problem : registry_.apply(entries)) reports_.push_back(std::move(problem));
  rebuild_assets();
  rebuild_mappings();
  return {};
}

StoreResult<void> Engine::restore(Sequence checkpoint) {
  std::string problem;
  auto loaded = store_.load_parts([&](CheckpointPart part) {
    std::string key = part.key;
    if (!checkpointer_.restore(std::move(part))) problem = "part " + std::move(key);
    return problem.empty();
  });
  if (!loaded) return loaded;
  if (problem.empty()) problem = checkpointer_.restored(checkpoint);
  if (problem.empty()) return {};
  return StoreError{problem + " of the checkpoint at record " + std::to_string(checkpoint) +
                    " is of another version of Fettle; start the version that wrote it, or restore a backup"};
}

void Engine::begin_checkpoint() {
  if (fold_.replaying && !leave_replay()) return;
  if (checkpointer_.on() || fold_.effects.parts_as_of != 0 || folded_ <= checkpointed()) return;
  checkpointer_.begin(folded_);
}

StoreResult<void> Engine::checkpoint() {
  if (replaying()) return {};
  while (checkpointing()) {
    if (auto done = commit(); !done) return done;
  }
  if (folded_ <= checkpointed()) return commit();
  begin_checkpoint();
  while (checkpointing()) {
    if (auto done = commit(); !done) return done;
  }
  return {};
}

}  // namespace fettle::engine
