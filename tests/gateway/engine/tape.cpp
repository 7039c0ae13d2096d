#include "tests/gateway/engine/tape.h"

#include <iterator>
#include <stdexcept>

namespace fettle::engine::trial {
namespace {

constexpr std::int64_t kSmallSlice = 100;  // bytes: a checkpoint of a few assets takes several commits

void must(const StoreResult<void>& done) {
  if (!done) throw std::runtime_error(done.error().message);
}

}  // namespace

Sequence Tape::append(journal::Kind kind, Time received, std::string body) {
  if (!records_.empty() && received < records_.back().received) throw std::invalid_argument("received times go back");
  records_.push_back({kind, received, std::move(body)});
  return last();
}

journal::Record Tape::record(Sequence sequence) const {
  const Kept& kept = records_.at(sequence - 1);
  return {sequence, kept.kind, kept.received, kept.body};
}

Sequence Tape::message(Time received, std::string_view topic, std::string_view payload) {
  std::string body;
  encode(journal::Message{static_cast<std::uint32_t>(payload.size()), topic, payload}, body);
  return append(journal::Kind::message, received, std::move(body));
}

Sequence Tape::telemetry(Time received, std::string_view asset, std::string_view json) {
  return message(received, "fettle/v1/" + std::string(asset) + "/telemetry", json);
}

Sequence Tape::reading(Time at, std::string_view asset, std::string_view signal, std::string_view json_value) {
  return telemetry(at, asset, json_of(at, signal, json_value));
}

Sequence Tape::tick(Time received) {
  return append(journal::Kind::tick, received, {});
}

void Tape::ticks(Time from, Time to, std::chrono::milliseconds step) {
  for (Time at = from; at < to; at += step) tick(at);
}

Sequence Tape::session_up(Time received) {
  std::string body;
  encode(journal::Session{true, "direct"}, body);
  return append(journal::Kind::session, received, std::move(body));
}

Sequence Tape::session_down(Time received) {
  std::string body;
  encode(journal::Session{false, "direct"}, body);
  return append(journal::Kind::session, received, std::move(body));
}

Sequence Tape::catalog(Time received, const std::string& text) {
  return append(journal::Kind::catalog, received, catalog_of(text).SerializeAsString());
}

Sequence Tape::close_order(Time received, std::string_view id) {
  Command command;
  command.mutable_close_work_order()->set_id(std::string(id));
  command.mutable_close_work_order()->set_actor("ann");
  command.mutable_close_work_order()->set_reason("done");
  return append(journal::Kind::command, received, command.SerializeAsString());
}

Sequence Tape::run_invoices(Time received, Time until) {
  Command command;
  command.mutable_run_invoices()->set_until_ms(ms(until));
  return append(journal::Kind::command, received, command.SerializeAsString());
}

Sequence Tape::make_checkpoint(Time received) {
  Command command;
  command.mutable_make_checkpoint();
  return append(journal::Kind::command, received, command.SerializeAsString());
}

std::string json_of(Time at, std::string_view signal, std::string_view json_value) {
  return "{\"ts\":" + std::to_string(ms(at)) + ",\"" + std::string(signal) + "\":" + std::string(json_value) + '}';
}

Cuts one_batch() {
  return [](Sequence) { return Cut::none; };
}

Cuts every(Sequence records) {
  return [records](Sequence sequence) { return sequence % records == 0 ? Cut::commit : Cut::none; };
}

Cuts at_random(std::uint32_t seed) {
  return [seed](Sequence sequence) {
    std::minstd_rand random(seed * 7919U + static_cast<std::uint32_t>(sequence) * 104729U + 1U);
    random.discard(3);
    const auto dice = random() % 280;
    if (dice < 7) return Cut::checkpoint;
    return dice < 47 ? Cut::commit : Cut::none;
  };
}

void play(Engine& engine, const Tape& tape, const Cuts& cuts, Sequence to) {
  engine.set_slice_bytes(kSmallSlice);
  while (engine.folded() < to) {
    const journal::Record record = tape.record(engine.folded() + 1);
    const bool alone = Engine::needs_checkpoint(record);
    if (alone) must(engine.checkpoint());
    engine.fold(record);
    const Cut cut = cuts(record.sequence);
    if (cut == Cut::checkpoint && !alone && record.sequence % 3 != 0) {
      engine.begin_checkpoint();  // its slices go with the commits that follow
    } else if (alone || (cut == Cut::checkpoint && !engine.replaying())) {
      must(engine.checkpoint());
    } else if (cut != Cut::none) {
      must(engine.commit());
    }
  }
}

std::vector<Engine::Answer> play_all(Store& store, const Tape& tape, const Cuts& cuts) {
  Engine engine(store, lookups());
  engine.start().value();
  play(engine, tape, cuts, tape.last());
  must(engine.checkpoint());
  return engine.take_answers();
}

}  // namespace fettle::engine::trial
