// Exactly once: wherever a crash or a refusing disk hits, what stands in the end is what stands without them. And
// however the journal is cut into batches.

#include <gtest/gtest.h>

#include <random>

#include "gateway/store/sqlite/sqlite_store.h"
#include "tests/gateway/engine/contents.h"
#include "tests/gateway/engine/tape.h"
#include "tests/gateway/temporary_folder.h"

namespace fettle::engine::trial {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

struct Death {};  // of the process

enum class Dies { before, after };  // the write

// A store whose process dies at the n-th call (counted from 1), or whose disk refuses the n-th write.
class Mortal : public Store {
 public:
  explicit Mortal(store::MemoryStore& inner) : inner_(inner) {}

  void die_at_write(std::uint64_t number, Dies how) {
    fatal_write_ = number;
    how_ = how;
  }
  void die_at_read(std::uint64_t number) { fatal_read_ = number; }
  void refuse_write(std::uint64_t number) { refused_write_ = number; }
  std::uint64_t writes() const { return writes_; }
  std::uint64_t reads() const { return reads_; }

  StoreResult<void> commit(const Effects& effects) override {
    return write([&] { return inner_.commit(effects); });
  }
  Sequence committed() override { return inner_.committed(); }
  StoreResult<Sequence> checkpointed() override { return inner_.checkpointed(); }
  StoreResult<void> load_parts(const std::function<bool(CheckpointPart)>& take) override {
    return inner_.load_parts(take);
  }
  StoreResult<std::vector<CatalogRow>> load_catalog(Sequence as_of) override { return inner_.load_catalog(as_of); }
  StoreResult<std::vector<SeriesRow>> load_series() override { return inner_.load_series(); }
  StoreResult<std::vector<StoredReading>> readings(SeriesId series, Time from, Time to, Sequence before) override {
    read();
    return inner_.readings(series, from, to, before);
  }
  StoreResult<std::optional<UsageRow>> usage(const UsageKey& key) override {
    read();
    return inner_.usage(key);
  }
  StoreResult<std::vector<UsageRow>> usage(const std::string& asset, const std::string& meter, Time from,
                                           Time to) override {
    read();
    return inner_.usage(asset, meter, from, to);
  }
  StoreResult<std::vector<PostedLine>> posted(const std::string& subscription) override {
    read();
    return inner_.posted(subscription);
  }
  StoreResult<std::uint32_t> last_invoice_number(const std::string& seller, int year) override {
    read();
    return inner_.last_invoice_number(seller, year);
  }

 private:
  template <typename Write>
  StoreResult<void> write(Write now) {
    ++writes_;
    if (writes_ == refused_write_) inner_.fail_next("no space left on the disk");
    if (writes_ == fatal_write_ && how_ == Dies::before) throw Death();
    auto done = now();
    if (writes_ == fatal_write_) throw Death();
    return done;
  }
  void read() {
    if (++reads_ == fatal_read_) throw Death();
  }

  store::MemoryStore& inner_;
  std::uint64_t writes_ = 0;
  std::uint64_t reads_ = 0;
  std::uint64_t fatal_write_ = 0;
  std::uint64_t fatal_read_ = 0;
  std::uint64_t refused_write_ = 0;
  Dies how_ = Dies::before;
};

// ---- a life of three months ----------------------------------------------------------------------------------------

constexpr std::chrono::days kMonth{31};

// Everything that a gateway meets: two presses with readings in order and out of it, twice, in conflict and wrong;
// ticks, outages, catalog changes, orders closed, months billed. Over months, so that a few records reach far.
class Life {
 public:
  explicit Life(std::uint32_t seed, int steps) : random_(seed) {
    tape.catalog(kStart, whole_plant());
    tape.session_up(kStart);
    for (int step = 0; step < steps; ++step) {
      now_ += seconds(10 + one_of(90));
      if (step % (steps / 3) == steps / 3 - 1) end_month();
      one_step(step);
      if (one_of(2) == 0) tape.tick(now_ += seconds(5));
    }
  }

  Tape tape;

 private:
  int one_of(int most) { return std::uniform_int_distribution<int>(0, most - 1)(random_); }

  void end_month() {
    now_ += kMonth;
    tape.tick(now_);
    tape.reading(now_, "a", "energy", energy());
    tape.run_invoices(now_, now_);
    tape.run_invoices(now_ + seconds(1), now_ + std::chrono::days(12));
    now_ += seconds(2);
  }

  std::string energy() {
    counts_ += one_of(40);
    return std::to_string(counts_ / 100) + '.' + std::to_string(100 + counts_ % 100).substr(1);
  }

  void one_step(int step) {
    const std::string asset = one_of(3) == 0 ? "b" : "a";
    const Time stamp = one_of(4) == 0 ? now_ - seconds(one_of(one_of(2) == 0 ? 55 : 4000)) : now_;
    switch (one_of(14)) {
      case 0:
      case 1:
      case 2:
      case 3:
        hot_ = one_of(12) == 0 ? !hot_ : hot_;
        tape.telemetry(now_, asset, json_of(stamp, "temperature", std::to_string((hot_ ? 85 : 60) + one_of(4))));
        break;
      case 4:
      case 5:
        tape.telemetry(now_, "a", json_of(stamp, "energy", energy()));
        break;
      case 6:
      case 7:
        tape.telemetry(now_, asset, json_of(stamp, "pulse", "0." + std::to_string(one_of(10))));
        break;
      case 8:
        tape.telemetry(now_, asset, json_of(stamp, "mode", one_of(2) == 0 ? "\"day\"" : "\"night\""));
        break;
      case 9:
        tape.telemetry(now_, one_of(2) == 0 ? "ghost" : asset, "{\"ts\":1,\"pressure\":3}");
        break;
      case 10:
        again();
        break;
      case 11:
        down_ ? tape.session_up(now_) : tape.session_down(now_);
        down_ = one_of(5) == 0 ? !down_ : false;
        if (!down_) tape.session_up(now_);
        break;
      case 12:
        rare(step);
        break;
      default:
        tape.tick(now_);
    }
  }

  // A broker that delivers twice.
  void again() {
    const journal::Record old = tape.record(tape.last() - static_cast<Sequence>(one_of(2)));
    if (old.kind == journal::Kind::message) tape.append(old.kind, now_, std::string(old.body));
  }

  void rare(int step) {
    switch (one_of(4)) {
      case 0:
        tape.close_order(now_, order_);
        order_ = content_id("WO-", "care", "hot", "a", now_);
        break;
      case 1:
        tape.catalog(now_, pack_text(2 + step, hot_rule("temperature > limit", one_of(2) == 0 ? "P2" : "P4")));
        break;
      case 2:
        tape.catalog(now_, subscription_text("sub", "a b", kStart - hours(240), one_of(2) == 0 ? 0 : ms(now_)));
        break;
      default:
        tape.make_checkpoint(now_);
    }
  }

  std::mt19937 random_;
  Time now_ = kStart;
  std::int64_t counts_ = 1000;
  bool hot_ = false;
  bool down_ = false;
  std::string order_ = "WO-NONE";
};

// The lives of a gateway over one store until it has seen the whole tape. Returns how many there were.
template <typename NextLife>
int live_on(const Tape& tape, NextLife next_life) {
  for (int lives = 1;; ++lives) {
    try {
      next_life(lives);
      return lives;
    } catch (const Death&) {
      if (lives > 2 * static_cast<int>(tape.last())) throw;
    }
  }
}

class Once : public testing::Test {
 protected:
  Once() : tape(Life(7, 600).tape), cuts(at_random(11)) {
    store::MemoryStore store;
    answers = play_all(store, tape, cuts);
    expected = contents_of(store);
  }
  void expect_same(store::MemoryStore& store, const std::string& what) {
    ASSERT_EQ(difference(expected, contents_of(store)), "") << what;
  }

  Tape tape;
  Cuts cuts;
  std::vector<std::string> expected;
  std::vector<Engine::Answer> answers;
};

TEST_F(Once, TheScriptHasOfEverything) {
  const auto count = [&](std::string_view kind) {
    return std::count_if(expected.begin(), expected.end(),
                         [&](const std::string& line) { return line.starts_with(std::string(kind) + '|'); });
  };
  EXPECT_GE(count("reading"), 300);
  EXPECT_GE(count("episode"), 4);
  EXPECT_GE(count("order"), 2);
  EXPECT_GE(count("invoice"), 2);
  EXPECT_GE(count("line"), 8);
  EXPECT_GE(count("usage"), 50);
  EXPECT_GE(count("quarantine"), 15);
  EXPECT_GE(answers.size(), 20U);
}

TEST_F(Once, BatchesOfOneRecordGiveTheSameAsOneBatch) {
  for (const Cuts& other : {every(1), one_batch(), every(4096), at_random(99)}) {
    store::MemoryStore store;
    play_all(store, tape, other);
    expect_same(store, "cut otherwise");
  }
}

TEST_F(Once, ADeathAtAnyWriteChangesNothing) {
  store::MemoryStore undisturbed;
  Mortal counting(undisturbed);
  play_all(counting, tape, cuts);
  for (std::uint64_t write = 1; write <= counting.writes(); ++write) {
    const Dies how = write % 2 == 0 ? Dies::before : Dies::after;
    store::MemoryStore store;
    live_on(tape, [&](int life) {
      Mortal mortal(store);
      if (life == 1) mortal.die_at_write(write, how);
      play_all(mortal, tape, cuts);
    });
    expect_same(store, "write " + std::to_string(write));
  }
}

TEST_F(Once, ADeathAfterEveryRecordChangesNothing) {
  store::MemoryStore store;
  for (Sequence to = 1; to <= tape.last(); ++to) {
    Engine engine(store, lookups());
    engine.start().value();
    play(engine, tape, at_random(static_cast<std::uint32_t>(to / 40)), to);
  }
  play_all(store, tape, cuts);
  expect_same(store, "each record");
}

// A checkpoint in slices is at most five writes.
TEST_F(Once, ADeathAtEverySixthWriteChangesNothing) {
  store::MemoryStore store;
  const int lives = live_on(tape, [&](int life) {
    Mortal mortal(store);
    mortal.die_at_write(6, life % 2 == 0 ? Dies::before : Dies::after);
    play_all(mortal, tape, at_random(static_cast<std::uint32_t>(life)));
  });
  EXPECT_GT(lives, 20);
  expect_same(store, "every sixth write");
}

TEST_F(Once, ADeathWhileTheStoreIsReadChangesNothing) {
  store::MemoryStore undisturbed;
  Mortal counting(undisturbed);
  play_all(counting, tape, cuts);
  ASSERT_GT(counting.reads(), 100U);
  for (std::uint64_t read = 1; read <= counting.reads(); read += counting.reads() / 40) {
    store::MemoryStore store;
    live_on(tape, [&](int life) {
      Mortal mortal(store);
      if (life == 1) mortal.die_at_read(read);
      play_all(mortal, tape, cuts);
    });
    expect_same(store, "read " + std::to_string(read));
  }
}

// As EngineLoop does: again until it works.
void play_stubbornly(Store& store, const Tape& tape, const Cuts& cuts, std::vector<Engine::Answer>& answers) {
  Engine engine(store, lookups());
  engine.start().value();
  const auto persist = [](auto write) {
    while (!write()) {
    }
  };
  while (engine.folded() < tape.last()) {
    const journal::Record record = tape.record(engine.folded() + 1);
    const bool alone = Engine::needs_checkpoint(record);
    if (alone) persist([&] { return engine.checkpoint(); });
    engine.fold(record);
    const Cut cut = cuts(record.sequence);
    if (alone || cut == Cut::checkpoint) {
      persist([&] { return engine.checkpoint(); });
    } else if (cut == Cut::commit) {
      persist([&] { return engine.commit(); });
    }
  }
  persist([&] { return engine.checkpoint(); });
  answers = engine.take_answers();
}

TEST_F(Once, AFullDiskAtAnyWriteOnlyDelays) {
  store::MemoryStore undisturbed;
  Mortal counting(undisturbed);
  play_all(counting, tape, cuts);
  for (std::uint64_t write = 1; write <= counting.writes(); ++write) {
    store::MemoryStore store;
    Mortal mortal(store);
    mortal.refuse_write(write);
    std::vector<Engine::Answer> late_answers;
    play_stubbornly(mortal, tape, cuts, late_answers);
    expect_same(store, "write " + std::to_string(write));
    ASSERT_EQ(late_answers.size(), answers.size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
      EXPECT_EQ(late_answers[i].sequence, answers[i].sequence);
      EXPECT_EQ(late_answers[i].outcome.text, answers[i].outcome.text);
    }
  }
}

TEST_F(Once, AFullDiskWhileFoldingGoesOnLosesNothing) {
  store::MemoryStore store;
  Engine engine(store, lookups());
  engine.start().value();
  for (Sequence next = 1; next <= tape.last(); ++next) {
    if (Engine::needs_checkpoint(tape.record(next))) {
      ASSERT_TRUE(engine.checkpoint());
    }
    engine.fold(tape.record(next));
    store.fail_next("no space left on the disk");
    ASSERT_FALSE(engine.commit());
    if (Engine::needs_checkpoint(tape.record(next))) {
      store.fail_next("no space left on the disk");
      ASSERT_FALSE(engine.checkpoint());
      ASSERT_TRUE(engine.checkpoint());
    }
  }
  ASSERT_TRUE(engine.checkpoint());
  expect_same(store, "refused each time");
}

TEST_F(Once, AnswersComeOnceAndOnlyWhenCommitted) {
  store::MemoryStore store;
  Engine engine(store, lookups());
  engine.start().value();
  Tape short_tape;
  short_tape.catalog(kStart, whole_plant());
  short_tape.close_order(kStart, "WO-NONE");
  engine.fold(short_tape.record(1));
  engine.fold(short_tape.record(2));
  EXPECT_TRUE(engine.take_answers().empty());
  store.fail_next("no space left on the disk");
  ASSERT_FALSE(engine.commit());
  EXPECT_TRUE(engine.take_answers().empty());
  ASSERT_TRUE(engine.commit());
  const auto given = engine.take_answers();
  ASSERT_EQ(given.size(), 2U);
  EXPECT_EQ(given[1].sequence, 2U);
  EXPECT_TRUE(engine.take_answers().empty());
}

TEST_F(Once, SqliteHoldsTheSameAfterRestartsAtRandomRecords) {
  const fettle::test::TemporaryFolder folder;
  const auto file = folder.path() / "store.db";
  std::mt19937 random(3);
  for (Sequence to = 0; to < tape.last();) {
    to = std::min<Sequence>(tape.last(), to + 1 + random() % 60);
    const auto store = store::SqliteStore::open(file, store::Durability::process).value();
    Engine engine(*store, lookups());
    engine.start().value();
    play(engine, tape, at_random(static_cast<std::uint32_t>(to)), to);
  }
  const auto store = store::SqliteStore::open(file, store::Durability::process).value();
  play_all(*store, tape, cuts);
  const auto reader = store::Reader::open(file).value();
  EXPECT_EQ(difference(expected, contents_of(*reader)), "");
}

class LongLife : public testing::TestWithParam<std::uint32_t> {};

TEST_P(LongLife, IsTheSameWithRestartsAnywhere) {
  const Tape tape = Life(GetParam(), 3000).tape;
  store::MemoryStore undisturbed;
  play_all(undisturbed, tape, one_batch());
  store::MemoryStore store;
  std::mt19937 random(GetParam());
  for (Sequence to = 0; to < tape.last();) {
    to = std::min<Sequence>(tape.last(), to + 1 + random() % 200);
    Engine engine(store, lookups());
    engine.start().value();
    play(engine, tape, at_random(static_cast<std::uint32_t>(random() % 1000)), to);
  }
  play_all(store, tape, one_batch());
  EXPECT_EQ(difference(contents_of(undisturbed), contents_of(store)), "");
}

INSTANTIATE_TEST_SUITE_P(Seeds, LongLife, testing::Range(0U, 6U));

}  // namespace
}  // namespace fettle::engine::trial
