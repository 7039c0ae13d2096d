// Usage does not depend on the order of arrival, on what arrives twice, on how records are cut into batches, nor on
// restarts: it is what a naive walk over the sorted readings gives.

#include "gateway/engine/metering.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "billing/register.h"
#include "tests/gateway/engine/contents.h"
#include "tests/gateway/engine/tape.h"

namespace fettle::engine::trial {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;

const std::vector<std::string> kModes{"day", "night", "off"};

// What one seed stands for.
struct Case {
  std::string zone;
  std::vector<Time> cuts;  // where the subscription begins and, in some, ends
  struct Sent {
    std::string signal;
    Time time;
    std::int64_t number = 0;  // in counts; a state's index
    auto operator<=>(const Sent&) const = default;
  };
  std::vector<std::vector<Sent>> messages;
};

Time random_time(std::mt19937& random, int span_hours) {
  // Few distinct instants, many of them on full hours and quarters: neighbours, conflicts and edges of cells.
  const auto quarter = std::uniform_int_distribution<int>(0, span_hours * 4)(random);
  const auto shift = std::uniform_int_distribution<int>(0, 5)(random);
  const milliseconds odd(shift == 0 ? 1 : shift == 1 ? -1 : shift == 2 ? 437'123 : 0);
  return std::max(kStart + quarter * minutes(15) + odd, kStart);
}

Case random_case(std::uint32_t seed) {
  std::mt19937 random(seed);
  const auto one_of = [&](int most) { return std::uniform_int_distribution<int>(0, most - 1)(random); };
  Case made;
  made.zone = std::vector<std::string>{"UTC", "Half/Past", "Sum/Mer"}[seed % 3];
  const int span = one_of(2) == 0 ? 5 : 80;
  made.cuts.push_back(random_time(random, span / 2));
  if (one_of(2) == 0) made.cuts.push_back(made.cuts[0] + minutes(1) + minutes(one_of(span * 60)));
  std::set<Time> stamps;
  const int count = 15 + one_of(50);
  while (stamps.size() < static_cast<std::size_t>(count)) stamps.insert(random_time(random, span));
  std::int64_t energy = 99'000;  // it rolls over at 100,000
  std::set<Case::Sent> all;
  for (const Time time : stamps) {
    energy += one_of(4) == 0 ? 0 : one_of(900);
    if (one_of(25) == 0) energy = one_of(100'000);
    energy %= 100'000;
    std::vector<Case::Sent> message;
    const int what = one_of(8);
    if (what % 2 == 0) message.push_back({"energy", time, energy});
    if (what >= 3) message.push_back({"pulse", time, one_of(30) - 3});
    if (what == 6) message.push_back({"pulse", time, one_of(30)});
    if (what == 1 || what == 7) message.push_back({"mode", time, one_of(3)});
    if (what == 2) message.push_back({"stroke", time, 1});
    if (one_of(9) == 0) made.messages.push_back({{"energy", time, one_of(100'000)}});  // a conflict, mostly
    if (one_of(9) == 0) made.messages.push_back({{"mode", time, one_of(3)}});
    if (!message.empty()) made.messages.push_back(std::move(message));
  }
  return made;
}

std::string json_value(const Case::Sent& sent) {
  if (sent.signal == "mode") return '"' + kModes[static_cast<std::size_t>(sent.number)] + '"';
  const std::int64_t steps = sent.signal == "energy" ? 100 : sent.signal == "pulse" ? 10 : 1;
  return (sent.number < 0 ? "-" : "") + std::to_string(std::abs(sent.number) / steps) +
         (steps == 1 ? ""
                     : std::to_string(static_cast<double>(std::abs(sent.number) % steps) / static_cast<double>(steps))
                           .substr(1, 3));
}

// ---- the naive model ---------------------------------------------------------------------------------------------

class Naive {
 public:
  Naive(const Case& of, const billing::Zone& zone) : case_(of), zone_(zone) {
    std::set<Case::Sent> all;
    for (const auto& message : of.messages) all.insert(message.begin(), message.end());
    for (const Case::Sent& sent : all) by_signal_[sent.signal].emplace(sent.time, sent.number);
  }

  std::map<UsageKey, std::string> usage() {
    for (const auto& [time, number] : by_signal_["pulse"]) {
      add("pulsed", mode_at(time), time, number);
      add("pulses", mode_at(time), time, 1);
    }
    for (const auto& [time, number] : by_signal_["stroke"]) add("strokes", "", time, 1);
    add_energy();
    std::map<UsageKey, std::string> texts;
    for (const auto& [key, row] : rows_) texts[key] = usage_text(row);
    return texts;
  }

 private:
  billing::Period cell_of(Time time) const {
    billing::Period cell = zone_.hour_of(time);
    for (const Time cut : case_.cuts) {
      if (cut > cell.start && cut < cell.end) (cut <= time ? cell.start : cell.end) = cut;
    }
    return cell;
  }
  // The newest state at or before; of several at one time the largest.
  std::string mode_at(Time time) {
    std::string mode;
    for (const auto& [at, number] : by_signal_["mode"]) {
      if (at <= time) mode = kModes[static_cast<std::size_t>(number)];
    }
    return mode;
  }
  UsageRow& row(const std::string& meter, const std::string& band, Time in) {
    const billing::Period cell = cell_of(in);
    UsageRow& found = rows_[{"a", meter, band, cell.start}];
    found.end = cell.end;
    return found;
  }
  static void rest_on(UsageRow& row, Time first, Time last) {
    row.first_reading = row.readings == 0 ? first : std::min(row.first_reading, first);
    row.last_reading = row.readings == 0 ? last : std::max(row.last_reading, last);
    ++row.readings;
  }
  void add(const std::string& meter, const std::string& band, Time time, std::int64_t quantity) {
    UsageRow& into = row(meter, band, time);
    into.quantity += quantity;
    rest_on(into, time, time);
  }
  void add_energy() {
    std::map<Time, std::int64_t> canonical;
    for (const auto& [time, number] : by_signal_["energy"]) canonical[time] = std::max(canonical[time], number);
    const billing::RegisterSpec spec{100'000, 10'000, hours(2)};
    for (auto older = canonical.begin(), newer = older; older != canonical.end(); older = newer) {
      if (++newer == canonical.end()) break;
      const auto step = billing::step_between(spec, older->first, older->second, newer->first, newer->second);
      if (step.kind == billing::StepKind::disputed) {
        UsageRow& into = row("drawn", "", newer->first);
        rest_on(into, older->first, newer->first);
        into.quality = UsageQuality::disputed;
        continue;
      }
      spread(older->first, newer->first, step);
    }
  }
  // Instant by instant of the cells' edges; each edge's share of the whole is rounded down.
  void spread(Time from, Time to, const billing::Step& step) {
    std::int64_t before = 0;
    for (Time at = from; at < to; at = cell_of(at).end) {
      const Time until = std::min(cell_of(at).end, to);
      const std::int64_t so_far = step.increment * (until - from).count() / (to - from).count();
      if (so_far > before) {
        UsageRow& into = row("drawn", "", at);
        into.quantity += so_far - before;
        rest_on(into, from, to);
        if (step.interpolated) into.quality = std::max(into.quality, UsageQuality::interpolated);
      }
      before = so_far;
    }
  }

  const Case& case_;
  const billing::Zone& zone_;
  std::map<std::string, std::set<std::pair<Time, std::int64_t>>> by_signal_;
  std::map<UsageKey, UsageRow> rows_;
};

// ---- the laws ----------------------------------------------------------------------------------------------------

using Message = std::vector<Case::Sent>;

std::string json_of(const Message& message) {
  std::string json = "{\"ts\":" + std::to_string(ms(message.front().time));
  for (const Case::Sent& sent : message) json += ",\"" + sent.signal + "\":" + json_value(sent);
  return json + '}';
}

std::string catalog_text(const Case& of, std::int64_t end_ms) {
  return model_text() + parties_text(of.zone) + asset_text("a") + pack_text() + plan_text() +
         subscription_text("sub", "a", of.cuts.front(), end_ms);
}
std::int64_t end_of(const Case& of) {
  return of.cuts.size() > 1 ? ms(of.cuts.back()) : 0;
}

Tape tape_of(const Case& of, const std::vector<Message>& messages) {
  Tape tape;
  tape.catalog(kStart + hours(200), catalog_text(of, end_of(of)));
  for (const Message& message : messages) tape.telemetry(kStart + hours(200), "a", json_of(message));
  return tape;
}

std::vector<Message> shuffled(std::vector<Message> messages, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::shuffle(messages.begin(), messages.end(), random);
  return messages;
}

std::string text(const std::map<UsageKey, std::string>& usage) {
  std::string out;
  for (const auto& [key, row] : usage) {
    out += key.meter + ' ' + key.band + ' ' + std::to_string(ms(key.start)) + ' ' + row + '\n';
  }
  return out;
}

class Usage : public testing::TestWithParam<std::uint32_t> {
 protected:
  Usage() : made(random_case(GetParam())), zone(*lookups().zones(made.zone)) {
    expected = text(Naive(made, zone).usage());
  }

  void expect_same(store::MemoryStore& store) {
    EXPECT_EQ(text(measured_usage(store)), expected);
    for (const auto& [key, row] : store.all_usage()) {
      if (row.readings == 0) {
        EXPECT_EQ(row.quantity, 0);
      }
    }
  }
  void expect_same(const std::vector<Message>& messages, const Cuts& cuts) {
    store::MemoryStore store;
    play_all(store, tape_of(made, messages), cuts);
    expect_same(store);
  }

  Case made;
  billing::Zone zone;
  std::string expected;
};

TEST_P(Usage, InOrderOfTimeIsTheNaiveWalk) {
  ASSERT_FALSE(expected.empty());
  expect_same(made.messages, one_batch());
}

TEST_P(Usage, DoesNotDependOnTheOrderOfArrival) {
  expect_same(shuffled(made.messages, GetParam() + 1), one_batch());
}

TEST_P(Usage, DoesNotDependOnWhatArrivesTwice) {
  std::vector<Message> twice = made.messages;
  twice.insert(twice.end(), made.messages.begin(), made.messages.end());
  expect_same(shuffled(twice, GetParam() + 2), at_random(GetParam()));
}

TEST_P(Usage, DoesNotDependOnHowBatchesAreCut) {
  const auto messages = shuffled(made.messages, GetParam() + 3);
  expect_same(messages, every(1));
  expect_same(messages, at_random(GetParam() + 5));
}

TEST_P(Usage, DoesNotDependOnRestarts) {
  const Tape tape = tape_of(made, shuffled(made.messages, GetParam() + 4));
  store::MemoryStore store;
  std::mt19937 random(GetParam());
  for (Sequence to = 0; to < tape.last();) {
    to = std::min<Sequence>(tape.last(), to + 1 + random() % 12);
    Engine engine(store, lookups());
    engine.start().value();
    play(engine, tape, at_random(GetParam() + 9), to);  // what was not committed by now is lost and folded again
  }
  play_all(store, tape, one_batch());
  expect_same(store);
}

TEST_P(Usage, DoesNotDependOnWhenTheSubscriptionsEndBecameKnown) {
  Tape tape;
  tape.catalog(kStart + hours(200), catalog_text(made, 0));
  const auto messages = shuffled(made.messages, GetParam() + 6);
  std::mt19937 random(GetParam());
  const std::size_t wrong_at = random() % messages.size();
  const std::size_t known_at = random() % messages.size();
  for (std::size_t i = 0; i < messages.size(); ++i) {
    // First an end that is taken back, then the true one.
    if (i == std::min(wrong_at, known_at)) {
      tape.catalog(kStart + hours(200),
                   subscription_text("sub", "a", made.cuts.front() + minutes(7), ms(made.cuts.front() + minutes(100))));
    }
    if (i == std::max(wrong_at, known_at)) {
      tape.catalog(kStart + hours(200), subscription_text("sub", "a", made.cuts.front(), end_of(made)));
    }
    tape.telemetry(kStart + hours(200), "a", json_of(messages[i]));
  }
  store::MemoryStore store;
  play_all(store, tape, at_random(GetParam()));
  expect_same(store);
}

INSTANTIATE_TEST_SUITE_P(Seeds, Usage, testing::Range(0U, 330U));

// ---- by hand -----------------------------------------------------------------------------------------------------

TEST(UsageByHand, ARegistersDifferenceIsSpreadOverTheHoursOfTheCustomersZone) {
  Tape tape;
  tape.catalog(kStart, model_text() + parties_text("Half/Past") + asset_text("a") + plan_text() +
                           subscription_text("sub", "a", kStart - hours(1), 0));
  tape.reading(kStart, "a", "energy", "10");
  tape.reading(kStart + hours(1), "a", "energy", "11.01");
  store::MemoryStore store;
  play_all(store, tape, one_batch());
  ASSERT_EQ(store.all_usage().size(), 2U);
  const UsageRow& first = store.all_usage().begin()->second;
  const UsageRow& second = store.all_usage().rbegin()->second;
  EXPECT_EQ(first.key, (UsageKey{"a", "drawn", "", kStart - minutes(30)}));
  EXPECT_EQ(first.end, kStart + minutes(30));
  EXPECT_EQ(first.quantity, 50);
  EXPECT_EQ(second.quantity, 51);
  EXPECT_EQ(second.last_reading, kStart + hours(1));
  EXPECT_EQ(second.quality, UsageQuality::measured);
}

TEST(UsageByHand, ACellThatLostItsReadingsForgetsWhenTheyWere) {
  Tape tape;
  tape.catalog(kStart + hours(9), whole_plant());
  const auto send = [&](Time at, std::string_view signal, std::string_view value) {
    tape.telemetry(kStart + hours(9), "a", trial::json_of(at, signal, value));
  };
  send(kStart + minutes(10), "pulse", "0.5");    // no mode known: band ""
  send(kStart + minutes(5), "mode", "\"day\"");  // so it was day
  send(kStart + minutes(4), "pulse", "0.3");     // and this one came before it was known
  store::MemoryStore store;
  play_all(store, tape, one_batch());
  const UsageRow& none = store.all_usage().at({"a", "pulsed", "", kStart});
  EXPECT_EQ(none.quantity, 3);
  EXPECT_EQ(none.readings, 1U);
  EXPECT_EQ(none.first_reading, kStart + minutes(4));
  EXPECT_EQ(none.last_reading, kStart + minutes(4));
  EXPECT_EQ(store.all_usage().at({"a", "pulsed", "day", kStart}).quantity, 5);
}

TEST(UsageByHand, AReadingThatComesAfterAYearOfSilenceIsAffordable) {
  Tape tape;
  const Time end = kStart + hours(24 * 365);
  tape.catalog(end, whole_plant());
  tape.telemetry(end, "a", trial::json_of(kStart, "energy", "1"));
  tape.telemetry(end, "a", trial::json_of(end, "energy", "900"));
  tape.telemetry(end, "a", trial::json_of(kStart + hours(1), "energy", "1.5"));
  store::MemoryStore store;
  play_all(store, tape, one_batch());
  std::int64_t sum = 0;
  for (const auto& [key, row] : store.all_usage()) sum += row.quantity;
  EXPECT_EQ(sum, 89'900);
}

TEST(Counts, AreWholeStepsOfTheResolution) {
  SignalInfo signal;
  signal.numerator = 100;
  EXPECT_EQ(Metering::counts(signal, 0.07), 7);
  EXPECT_EQ(Metering::counts(signal, -0.125), -13);  // half away from zero
  EXPECT_EQ(Metering::counts(signal, 9.1e13), std::nullopt);
  signal.numerator = 1;
  signal.step = 25;
  EXPECT_EQ(Metering::counts(signal, 110), 100) << "rounded to the step, and still in ones";
}

}  // namespace
}  // namespace fettle::engine::trial
