// Arbitrary bytes: whatever arrives, it is readings, passed over or said to be malformed. Most telling with sanitizers.

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

#include "tests/gateway/direct/mapping_sample.h"

namespace fettle::direct {
namespace {

const char* const kMappings = R"(
  - id: whole
    topic: t/{asset}
    asset: "{/dev/id|lower}"
    when: {/kind: up}
    time: {path: /time, format: [iso8601, unix_s, unix_ns], zone: Europe/Berlin, optional: true}
    signals:
      - {signal: temperature, path: /a/0/t, unit: degF, scale: 0.1, optional: true}
      - {signal: mode, path: /s, values: {"ON": "on", false: "off"}}
      - {signal: "{/n}", path: /v, optional: true}
  - id: batch
    topic: b/{asset}/#
    asset: "{asset}"
    each: /r
    time: {path: /at, format: unix_ms}
    signals:
      - {signal: level, path: /l}
  - {id: number, topic: "n/{asset}/{s}", asset: "{asset}", payload: number, signals: [{signal: "{s}"}]}
  - {id: text, topic: "x/{asset}/{s}", asset: "{asset}", payload: text, signals: [{signal: "{s}"}]}
)";

struct Seed {
  std::string topic;
  std::string payload;
};
const Seed kSeeds[] = {
    {"t/m-1",
     R"({"dev": {"id": "M-1"}, "kind": "up", "time": "2025-10-26T02:30:00", "a": [{"t": 500}], "s": "ON", "n": "level", "v": 1})"},
    {"b/m-1/x/y", R"({"r": [{"at": 1700000000123, "l": 1.5e2}, {"at": 1700000000124, "l": "\u00e4\ud83d\ude00"}]})"},
    {"n/m-1/level", "-12.5e3"},
    {"x/m-1/mode", "on"},
};

// Every view must lie in the arena, every number be finite, every group within the values.
void check(const Telemetry& out) {
  const auto inside = [&](std::string_view text) {
    return text.empty() ||
           (text.data() >= out.arena.data() && text.data() + text.size() <= out.arena.data() + out.arena.size());
  };
  std::size_t expected = 0;
  for (const Group& group : out.groups) {
    ASSERT_EQ(group.first, expected);
    expected += group.count;
  }
  ASSERT_EQ(expected, out.values.size());
  for (const Value& value : out.values) {
    ASSERT_TRUE(inside(value.signal) && inside(value.text));
    ASSERT_TRUE(std::isfinite(value.number));
  }
}

TEST(ArbitraryBytes, AreReadingsOrAFaultWithASentence) {
  Trial trial(kMappings);
  std::mt19937 random(20260701);
  const auto below = [&](std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random);
  };
  Telemetry out;
  std::string asset;
  Malformed why;
  int outcomes[5] = {};
  for (int round = 0; round < 60'000; ++round) {
    const Seed& seed = kSeeds[below(std::size(kSeeds))];
    std::string topic = seed.topic;
    std::string payload = seed.payload;
    for (std::size_t flips = below(4); flips > 0; --flips) {
      std::string& text = below(8) == 0 ? topic : payload;
      if (text.empty()) continue;
      const std::size_t at = below(text.size());
      switch (below(4)) {
        case 0:
          text[at] = static_cast<char>(below(256));
          break;
        case 1:
          text.erase(at, below(6) + 1);
          break;
        case 2:
          text.insert(at, text.substr(below(text.size()), below(12)));
          break;
        default:
          text[at] = "{}[]\",:0-9.eE"[below(13)];
      }
    }
    why = {};
    const auto outcome = trial.mappings().apply({topic, payload, trial_now()}, &Trial::model_of, out, asset, why);
    ++outcomes[static_cast<int>(outcome)];
    ASSERT_NO_FATAL_FAILURE(check(out)) << topic << " " << payload;
    ASSERT_EQ(outcome == Mappings::Outcome::malformed, !why.detail.empty());
    ASSERT_EQ(outcome == Mappings::Outcome::readings, !out.values.empty());
  }
  for (const int count : outcomes) EXPECT_GT(count, 100) << "the trial must meet every outcome";
}

}  // namespace
}  // namespace fettle::direct
