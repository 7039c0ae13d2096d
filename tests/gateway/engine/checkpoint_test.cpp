// Checkpoints in slices: copy-on-write, bounded, forgotten where they never became whole.

#include "gateway/engine/checkpointer.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/gateway/engine/contents.h"
#include "tests/gateway/engine/tape.h"

namespace fettle::engine::trial {
namespace {

// An owner of numbers, each a part.
class Numbers : public PartSource {
 public:
  explicit Numbers(std::size_t count) : values(count, 0) { list.resize(count); }

  void set(std::uint32_t number, int value) {
    list.touch(number, [this](std::uint32_t n) { return save(n); });
    values[number] = value;
  }
  CheckpointPart save(std::uint32_t number) const {
    return {"number/" + std::to_string(number), std::to_string(values[number])};
  }

  bool owns(std::string_view key) const override { return key.starts_with("number/"); }
  void begin_round() override { list.begin_round(); }
  bool take(std::int64_t& room, std::vector<CheckpointPart>& out) override {
    return list.take(room, out, [this](std::uint32_t n) { return save(n); });
  }
  std::size_t early_bytes() const override { return list.early_bytes(); }
  bool restore(CheckpointPart part) override {
    values.at(std::stoul(part.key.substr(7))) = std::stoi(part.state);
    return true;
  }
  std::string restored() override {
    list.all_saved();
    return {};
  }

  std::vector<int> values;
  PartList list;
};

TEST(ARound, HasEveryPartAsItWasWhenTheRoundBeganWhateverChangesMeanwhile) {
  std::mt19937 random(5);
  Numbers numbers(40);
  Checkpointer checkpointer;
  checkpointer.add(numbers);
  std::map<std::string, std::string> saved;
  Sequence sequence = 0;
  for (int round = 0; round < 30; ++round) {
    for (int change = 0; change < 15; ++change)
      numbers.set(static_cast<std::uint32_t>(random() % 40), static_cast<int>(random() % 1000));
    const std::vector<int> expected = numbers.values;
    checkpointer.begin(++sequence);
    while (checkpointer.on()) {
      Effects effects;
      checkpointer.add_slice(effects, 30);
      EXPECT_EQ(effects.parts_as_of, sequence);
      for (const CheckpointPart& part : effects.parts) saved[part.key] = part.state;
      checkpointer.committed(effects);
      numbers.set(static_cast<std::uint32_t>(random() % 40), static_cast<int>(random() % 1000));
    }
    for (std::uint32_t n = 0; n < 40; ++n) {
      EXPECT_EQ(saved["number/" + std::to_string(n)], std::to_string(expected[n])) << "round " << round;
    }
  }
}

TEST(ARound, KeepsSlicesWithinTheirRoom) {
  Numbers numbers(100);
  Checkpointer checkpointer;
  checkpointer.add(numbers);
  checkpointer.begin(1);
  std::size_t slices = 0;
  while (checkpointer.on()) {
    Effects effects;
    checkpointer.add_slice(effects, 50);
    std::size_t bytes = 0;
    for (const CheckpointPart& part : effects.parts) bytes += part.key.size() + part.state.size();
    EXPECT_LE(bytes, 50U + 12U);
    checkpointer.committed(effects);
    ++slices;
  }
  EXPECT_GE(slices, 15U);
  EXPECT_EQ(checkpointer.figures().parts, 100U);
}

TEST(ARound, SavesOnlyWhatChangedSinceTheLastOne) {
  Numbers numbers(100);
  Checkpointer checkpointer;
  checkpointer.add(numbers);
  for (Sequence round = 1; round <= 2; ++round) {
    checkpointer.begin(round);
    numbers.set(7, 5);  // in the first one it is saved early
    Effects effects;
    checkpointer.add_slice(effects, 1'000'000);
    EXPECT_EQ(effects.parts.size(), round == 1 ? 100U : 1U);
    EXPECT_TRUE(effects.checkpoint);
    checkpointer.committed(effects);
  }
}

TEST(ARound, GivesTheSameSliceAgainAfterACommitThatFailed) {
  Numbers numbers(3);
  Checkpointer checkpointer;
  checkpointer.add(numbers);
  checkpointer.begin(4);
  Effects effects;
  checkpointer.add_slice(effects, 1);
  checkpointer.add_slice(effects, 1);  // the commit failed, and comes again
  EXPECT_EQ(effects.parts.size(), 1U);
  checkpointer.committed(effects);
  EXPECT_TRUE(checkpointer.on());
}

// ---- in the engine -------------------------------------------------------------------------------------------------

TEST(TheEngine, LoadsTheCheckpointThatCountsAndForgetsTheOneInTheMaking) {
  Tape tape;
  tape.catalog(kStart, whole_plant());
  tape.reading(kStart, "a", "pulse", "0.3");
  tape.make_checkpoint(kStart);
  tape.reading(kStart + std::chrono::minutes(1), "a", "pulse", "0.4");
  store::MemoryStore store;
  {
    Engine engine(store, lookups());
    engine.start().value();
    play(engine, tape, one_batch(), 3);
    EXPECT_EQ(engine.checkpointed(), 3U);
    engine.fold(tape.record(4));
    Effects unfinished;
    unfinished.first = 4;
    unfinished.committed = 3;
    unfinished.parts_as_of = 4;
    unfinished.parts.push_back({"asset/a", "half of a checkpoint"});
    ASSERT_TRUE(store.commit(unfinished));
  }
  Engine engine(store, lookups());
  EXPECT_EQ(engine.start().value(), 3U);
  play(engine, tape, one_batch(), 4);
  ASSERT_TRUE(engine.checkpoint());
  std::int64_t pulsed = 0;
  for (const auto& [key, row] : store.all_usage()) pulsed += key.meter == "pulsed" ? row.quantity : 0;
  EXPECT_EQ(pulsed, 7);
}

TEST(TheEngine, RefusesAPartThatItCannotReadAndNamesIt) {
  store::MemoryStore store;
  Tape tape;
  tape.catalog(kStart, whole_plant());
  play_all(store, tape, one_batch());
  Effects broken;
  broken.first = 2;
  broken.committed = 1;
  broken.parts_as_of = 2;
  broken.parts.push_back({"asset/a", "nonsense"});
  broken.checkpoint = true;
  ASSERT_TRUE(store.commit(broken));
  Engine engine(store, lookups());
  const auto started = engine.start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message.find("asset/a"), std::string::npos) << started.error().message;
}

TEST(TheEngine, WritesUsageOfAnHourWhenItIsOverAndOfTheCurrentOneWithTheCheckpoint) {
  Tape tape;
  tape.catalog(kStart, whole_plant());
  tape.reading(kStart, "a", "stroke", "1");
  tape.reading(kStart + std::chrono::hours(1), "a", "stroke", "1");
  store::MemoryStore store;
  Engine engine(store, lookups());
  engine.start().value();
  for (Sequence record = 1; record <= 3; ++record) {
    engine.fold(tape.record(record));
    ASSERT_TRUE(engine.commit());
    EXPECT_EQ(store.all_usage().size(), record == 3 ? 1U : 0U);
  }
  ASSERT_TRUE(engine.checkpoint());
  EXPECT_EQ(store.all_usage().size(), 2U);
}

}  // namespace
}  // namespace fettle::engine::trial
