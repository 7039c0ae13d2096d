#include "gateway/engine/engine.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

namespace fettle::engine {
namespace {

constexpr std::int64_t kUnlimited = std::numeric_limits<std::int64_t>::max();

}  // namespace

Engine::Engine(Store& store, Lookups lookups, EngineOptions options, sparkplug::HostOptions host)
    : store_(store),
      fold_{options, {}, {}, 0, 0, {}, {}, 0, false, {}},
      registry_(std::move(lookups)),
      history_(store),
      metering_(fold_, store, history_),
      maintenance_(fold_, history_),
      invoicing_(store, registry_),
      asset_parts_(assets_, registry_, metering_),
      intake_(fold_, history_, metering_, maintenance_, [this](const AssetState& asset) { asset_parts_.touch(asset); }),
      claims_(discovery_, intake_, registry_, assets_,
              [this](AssetState& asset, Origin& origin) { refold(asset, origin); }),
      direct_(fold_, intake_, claims_),
      sparkplug_(
          fold_, intake_, registry_, assets_, discovery_,
          [this](const AssetState& asset) { asset_parts_.touch(asset); }, host),
      own_parts_(
          {"engine"}, [this](auto& out) { out.push_back(own_part()); },
          [this](auto parts) { return restore_own(parts); }),
      discovered_parts_(
          {"discovered/"}, [this](auto& out) { discovered_parts(out); },
          [this](auto parts) { return restore_discovered(parts); }) {
  for (PartSource* source :
       std::initializer_list<PartSource*>{&own_parts_, &asset_parts_, &discovered_parts_, &sparkplug_}) {
    checkpointer_.add(*source);
  }
}

Engine::~Engine() = default;

StoreResult<Sequence> Engine::start() {
  committed_ = store_.committed();
  auto checkpoint = store_.checkpointed();
  if (!checkpoint) return checkpoint.error();
  if (auto loaded = load_catalog(*checkpoint); !loaded) return loaded.error();
  if (*checkpoint > 0) {
    if (auto restored = restore(*checkpoint); !restored) return restored.error();
  }
  folded_ = *checkpoint;
  fold_.replaying = replaying();
  counted_before_ = fold_.counters;
  finish_batch();
  return folded_;
}

bool Engine::needs_checkpoint(const journal::Record& record) {
  if (record.kind != journal::Kind::command) return false;
  Command command;
  return command.ParseFromArray(record.body.data(), static_cast<int>(record.body.size())) &&
         (command.has_run_invoices() || command.has_make_checkpoint());
}

void Engine::fold(const journal::Record& record) {
  // Effects of records up to `committed_` stand already; from the next one on they are collected again.
  if (fold_.replaying && folded_ == committed_) leave_replay();
  fold_.folding = record.sequence;
  fold_.replaying = replaying();
  fold_.now = std::max(fold_.now, record.received);
  switch (record.kind) {
    case journal::Kind::message:
      fold_message(record);
      break;
    case journal::Kind::session:
      fold_session(record);
      break;
    case journal::Kind::tick:
      for (AssetState& asset : assets_) intake_.advance(asset);
      sparkplug_.tick();
      break;
    case journal::Kind::command:
      fold_command(record);
      break;
    case journal::Kind::catalog:
      fold_catalog(record);
      break;
    case journal::Kind::sparkplug:
      ++fold_.counters.messages;
      sparkplug_.fold(record);
      break;
  }
  folded_ = record.sequence;
}

// ---- commits -------------------------------------------------------------------------------------------------------

// What the batch leaves to be told at its end.
void Engine::complete_effects() {
  sparkplug_.finish_batch();
  discovery_.rows(fold_.effects.discovered, fold_.effects.claimed);
}

void Engine::finish_batch() {
  fold_.effects = Effects();
  history_.begin_batch(folded_ + 1);
  metering_.begin_batch();
  pending_answers_.clear();
}

// Throws away what was collected while replaying. Whether the fold has come to where the store stands.
bool Engine::leave_replay() {
  complete_effects();
  finish_batch();
  fold_.replaying = replaying();
  if (!fold_.replaying) counted_before_ = fold_.counters;
  return !fold_.replaying;
}

StoreResult<void> Engine::commit() {
  if (fold_.replaying && !leave_replay()) return {};
  if (folded_ == committed_ && !checkpointing()) return {};
  Effects& effects = fold_.effects;
  complete_effects();
  // What an invoice run posted commits together with the state that knows it.
  checkpointer_.add_slice(effects, effects.invoices.empty() ? slice_bytes_ : kUnlimited);
  effects.first = committed_ + 1;
  effects.committed = folded_;
  effects.now = fold_.now;
  effects.counters = fold_.counters;
  if (auto done = store_.commit(effects); !done) return done.error();
  committed_ = folded_;
  checkpointer_.committed(effects);
  std::move(pending_answers_.begin(), pending_answers_.end(), std::back_inserter(answers_));
  finish_batch();
  return {};
}

bool Engine::wants_commit_before(const journal::Record& record) const {
  if (!replaying() && fold_.effects.readings.size() >= kBatchReadings) return true;
  return checkpointing() && (record.kind == journal::Kind::catalog || checkpointer_.pressed());
}

std::vector<Engine::Answer> Engine::take_answers() {
  return std::exchange(answers_, {});
}
std::vector<std::string> Engine::take_reports() {
  return std::exchange(reports_, {});
}

// ---- records -------------------------------------------------------------------------------------------------------

void Engine::fold_message(const journal::Record& record) {
  ++fold_.counters.messages;
  const auto message = journal::decode_message(record.body);
  if (!message) {
    const Origin nowhere(record.sequence, record.received, Sessions::kDirect, {}, std::string_view());
    intake_.quarantine(nowhere, 0, "malformed", "the journal record is no message; it was written by another version");
    return;
  }
  Origin origin(record.sequence, record.received, Sessions::kDirect, message->topic, message->payload);
  if (message->cut()) {
    intake_.quarantine(origin, 0, "too_large",
                       std::to_string(message->size) + " bytes are over the limit (max_payload); only the first " +
                           std::to_string(message->payload.size()) + " were kept: send smaller messages");
    return;
  }
  const auto topic = DirectIntake::parse(message->topic);
  if (!topic || !DirectIntake::ours(*topic)) {
    fold_foreign(origin);
    return;
  }
  const auto index = registry_.asset_index(topic->asset);
  direct_.fold(*topic, index ? &assets_[*index] : nullptr, origin);
}

// A topic that is not ours: some mapping's, or nobody's.
void Engine::fold_foreign(Origin& origin) {
  std::string asset;
  direct::Malformed why;
  const auto model_of = [this](std::string_view id) -> std::string_view {
    const auto index = registry_.asset_index(id);
    return index ? std::string_view(assets_[*index].info->model->id) : std::string_view();
  };
  switch (mappings_.apply({origin.topic, origin.payload, origin.received}, model_of, mapped_, asset, why)) {
    case direct::Mappings::Outcome::no_mapping:
      intake_.quarantine(origin, 0, "unknown_topic",
                         "expected fettle/v1/<asset>/telemetry, .../event (JSON) or .../batch (Protobuf), or a topic "
                         "of one of the catalog's mappings");
      return;
    case direct::Mappings::Outcome::readings:
      direct_.apply(mapped_, assets_[*registry_.asset_index(asset)], origin);
      return;
    case direct::Mappings::Outcome::passed_over:
      return;
    case direct::Mappings::Outcome::unknown_asset:
      claims_.unknown_asset(asset, {}, origin);
      return;
    case direct::Mappings::Outcome::malformed:
      intake_.quarantine(origin, 0, why.reason, why.detail);
      return;
  }
}

// A kept message whose asset is known now.
void Engine::refold(AssetState& asset, Origin& origin) {
  const auto topic = DirectIntake::parse(origin.topic);
  if (topic && DirectIntake::ours(*topic)) {
    direct_.fold(*topic, &asset, origin);
  } else {
    fold_foreign(origin);
  }
}

void Engine::fold_session(const journal::Record& record) {
  const auto session = journal::decode_session(record.body);
  if (!session) return;
  // Nodes go stale while their session's time still runs.
  if (!session->up) {
    for (const SessionClock& clock : fold_.sessions.clocks()) {
      const bool meant = session->name == Sessions::kStart || session->name == clock.name;
      if (meant && !clock.down && clock.name != Sessions::kDirectName) sparkplug_.session_down(clock.name);
    }
  }
  fold_.sessions.change(session->name, fold_.now, session->up);
  if (session->up && session->name != Sessions::kDirectName) sparkplug_.session_up(session->name);
}

Outcome Engine::run_invoices(const RunInvoices& command) {
  const auto last_reading = [this](const std::string& asset, const std::string& meter) -> std::optional<Time> {
    const auto index = registry_.asset_index(asset);
    if (!index) return std::nullopt;
    const AssetState& state = assets_[*index];
    for (const MeterInfo& info : state.info->model->meters) {
      if (info.id == meter && state.series[info.signal].spoken()) return state.series[info.signal].head;
    }
    return std::nullopt;
  };
  return invoicing_.run(Time(std::chrono::milliseconds(command.until_ms())), fold_.now, last_reading, fold_.effects);
}

Outcome Engine::close_order(const CloseWorkOrder& command) {
  AssetState* asset = Maintenance::asset_of(assets_, command.id());
  if (asset != nullptr) asset_parts_.touch(*asset);
  return maintenance_.close(asset, command);
}

void Engine::fold_command(const journal::Record& record) {
  Command command;
  Outcome outcome{false, "the journal record is no command; it was written by another version"};
  if (command.ParseFromArray(record.body.data(), static_cast<int>(record.body.size()))) {
    switch (command.command_case()) {
      case Command::kCloseWorkOrder:
        outcome = close_order(command.close_work_order());
        break;
      case Command::kRunInvoices:
        outcome = run_invoices(command.run_invoices());
        break;
      case Command::kMakeCheckpoint:
        outcome = {true, "{}"};
        break;
      case Command::kEventsDelivered:
        fold_.effects.delivered = std::max(fold_.effects.delivered, command.events_delivered().up_to());
        outcome = {true, "{}"};
        break;
      case Command::COMMAND_NOT_SET:
        break;
    }
  }
  pending_answers_.push_back({record.sequence, std::move(outcome)});
}

}  // namespace fettle::engine
