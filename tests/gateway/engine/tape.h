#pragma once
// A journal in memory, and the engine fed from it as the gateway feeds it, cut into batches as a test wants.

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "gateway/engine/command.pb.h"
#include "gateway/engine/engine.h"
#include "tests/gateway/engine/plant.h"

namespace fettle::engine::trial {

class Tape {
 public:
  // Each appends one record and returns its sequence. Received times must not go back.
  Sequence message(Time received, std::string_view topic, std::string_view payload);
  Sequence telemetry(Time received, std::string_view asset, std::string_view json);
  // One reading stamped and received at the same time.
  Sequence reading(Time at, std::string_view asset, std::string_view signal, std::string_view json_value);
  Sequence tick(Time received);
  void ticks(Time from, Time to, std::chrono::milliseconds every);  // from, from + every, ... < to
  Sequence session_up(Time received);
  Sequence session_down(Time received);
  Sequence catalog(Time received, const std::string& text);
  Sequence close_order(Time received, std::string_view id);
  Sequence run_invoices(Time received, Time until);
  Sequence make_checkpoint(Time received);
  Sequence append(journal::Kind kind, Time received, std::string body);

  Sequence last() const { return records_.size(); }
  journal::Record record(Sequence sequence) const;

 private:
  struct Kept {
    journal::Kind kind;
    Time received;
    std::string body;
  };
  std::vector<Kept> records_;
};

// {"ts": ms, "signal": value}
std::string json_of(Time at, std::string_view signal, std::string_view json_value);

// What happens after a record.
enum class Cut { none, commit, checkpoint };
using Cuts = std::function<Cut(Sequence)>;

Cuts one_batch();
Cuts every(Sequence records);
// Commits after about one record of 7, checkpoints after about one of 40; the same for the same seed.
Cuts at_random(std::uint32_t seed);

// Feeds the records after what the engine has folded, up to and with `to`, as EngineLoop does: with a checkpoint
// around the records that need one. Other checkpoints are made at once, or in small slices with the commits that
// follow. Throws what a store that cannot be written says.
void play(Engine& engine, const Tape& tape, const Cuts& cuts, Sequence to);

// Everything, on a new engine over the store, with a checkpoint at the end. What the engine answered.
std::vector<Engine::Answer> play_all(Store& store, const Tape& tape, const Cuts& cuts);

}  // namespace fettle::engine::trial
