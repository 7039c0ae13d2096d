// A host whose state is saved and loaded anywhere in between says the same as one that ran through.

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <utility>

#include "tests/gateway/sparkplug/messages.h"
#include "tests/gateway/sparkplug/scripts.h"

namespace fettle::sparkplug::testing {
namespace {

// Saved parts by key, as a store would keep them.
using Parts = std::map<std::string, std::string>;

// Which parts changed since they were taken last.
class Changes {
 public:
  void watch(HostNodes& nodes) {
    nodes.before_changes([this](HostNodes::Changed part) { changed_.insert(part); });
  }
  std::set<HostNodes::Changed> take() { return std::exchange(changed_, {}); }

 private:
  std::set<HostNodes::Changed> changed_;
};

void save_changed(const HostNodes& nodes, Changes& changes, Parts& parts) {
  for (const HostNodes::Changed& changed : changes.take()) parts[nodes.key(changed)] = nodes.save(changed);
}

Parts save_all(const HostNodes& nodes) {
  Parts parts;
  for (std::uint32_t node = 0; node < nodes.nodes(); ++node) {
    for (const HostNodes::Part part : {HostNodes::Part::tables, HostNodes::Part::session}) {
      parts[nodes.key({node, part})] = nodes.save({node, part});
    }
  }
  return parts;
}

HostNodes load_all(const Parts& parts, const HostOptions& options) {
  HostNodes nodes(options);
  for (const char* suffix : {"/tables", "/session"}) {
    for (const auto& [key, bytes] : parts) {
      if (!key.ends_with(suffix)) continue;
      const auto problem = nodes.load(bytes);
      EXPECT_FALSE(problem) << key << ": " << problem->detail;
    }
  }
  return nodes;
}

TEST(State, LoadedInTheMiddleGivesTheSameOutputs) {
  for (unsigned seed = 0; seed < 600; ++seed) {
    const Script script = random_script(seed, 120);
    std::mt19937 random(seed ^ 0x5EEDU);
    HostNodes through(script.options);
    HostNodes restarted(script.options);
    Changes changes;
    changes.watch(restarted);
    Parts parts;
    Output first;
    Output second;
    for (std::size_t i = 0; i < script.steps.size(); ++i) {
      if (random() % 7 == 0) {  // a checkpoint, of what changed since the last one; sometimes a restart after it
        save_changed(restarted, changes, parts);
        ASSERT_EQ(parts, save_all(restarted)) << "seed " << seed << ", step " << i << ": what did not say it changed";
        if (random() % 2 == 0) {
          restarted = load_all(parts, script.options);
          changes.watch(restarted);
        }
      }
      first.clear();
      second.clear();
      run_step(script.steps[i], through, first);
      run_step(script.steps[i], restarted, second);
      ASSERT_EQ(told(restarted, second), told(through, first)) << "seed " << seed << ", step " << i;
      ASSERT_EQ(restarted.next_due(), through.next_due()) << "seed " << seed << ", step " << i;
      ASSERT_EQ(restarted.waiting_bytes(), through.waiting_bytes()) << "seed " << seed << ", step " << i;
    }
    for (SourceId id = 0; id < through.sources(); ++id) {
      ASSERT_EQ(restarted.source(id).path, through.source(id).path) << "seed " << seed;
      ASSERT_EQ(restarted.source(id).generation, through.source(id).generation) << "seed " << seed;
      ASSERT_EQ(restarted.source(id).metrics.size(), through.source(id).metrics.size()) << "seed " << seed;
    }
  }
}

// The scripts reach what they are there for; otherwise the test above would prove little.
TEST(State, TheScriptsShowEveryKindOfEvent) {
  std::map<EventKind, int> kinds;
  std::map<GapState, int> gaps;
  for (unsigned seed = 0; seed < 600; ++seed) {
    const Script script = random_script(seed, 120);
    HostNodes nodes(script.options);
    Output out;
    for (const Step& step : script.steps) run_step(step, nodes, out);
    for (const Event& event : out.events) {
      ++kinds[event.kind];
      if (event.kind == EventKind::gap) ++gaps[event.gap];
    }
  }
  EXPECT_EQ(kinds.size(), 8u);
  EXPECT_EQ(gaps.size(), 3u);
  for (const auto& [kind, count] : kinds) EXPECT_GE(count, 100) << static_cast<int>(kind);
  for (const auto& [state, count] : gaps) EXPECT_GE(count, 50) << static_cast<int>(state);
}

TEST(State, OnlyWhatChangedIsSavedAgain) {
  Host host;
  Changes changes;
  changes.watch(host.nodes);
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  host.send(Host::topic("NBIRTH", "n2"), Host::birth(0, 900));
  EXPECT_EQ(changes.take().size(), 4u) << "tables and session of two nodes";
  host.send(Host::topic("NDATA", "n2"), P(1, 950, {M::aliased(1).number(1)}));
  const auto changed = changes.take();
  ASSERT_EQ(changed.size(), 1u);
  EXPECT_EQ(host.nodes.key(*changed.begin()), "plant/n2/session");
  EXPECT_LT(host.nodes.save(*changed.begin()).size(), 400u);
}

// What is saved when it says that it will change, and what is saved later because it did not, are together the state of
// one moment.
TEST(State, ChangesAreToldBeforeTheyAreMade) {
  std::size_t early = 0;
  for (unsigned seed = 0; seed < 600; ++seed) {
    const Script script = random_script(seed, 120);
    HostNodes nodes(script.options);
    Output out;
    const std::size_t middle = script.steps.size() / 2 + seed % 20;
    Parts as_it_was;
    Parts saved;
    std::uint32_t known = 0;
    nodes.before_changes([&](HostNodes::Changed part) {
      if (part.node < known && saved.try_emplace(nodes.key(part), nodes.save(part)).second) ++early;
    });
    for (std::size_t i = 0; i < script.steps.size(); ++i) {
      if (i == middle) {
        as_it_was = save_all(nodes);
        known = static_cast<std::uint32_t>(nodes.nodes());
      }
      run_step(script.steps[i], nodes, out);
    }
    for (const auto& [key, state] : save_all(nodes)) {
      if (as_it_was.contains(key)) saved.try_emplace(key, state);
    }
    ASSERT_EQ(saved, as_it_was) << "seed " << seed;
  }
  EXPECT_GT(early, 600U);
}

TEST(State, ThatIsDamagedIsRefused) {
  Host host;
  host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
  host.send(Host::topic("NDATA"), P(2, 950, {M::aliased(1).number(1)}));
  const std::string tables = host.nodes.save({0, HostNodes::Part::tables});
  const std::string session = host.nodes.save({0, HostNodes::Part::session});
  HostNodes nodes;
  EXPECT_TRUE(nodes.load("nonsense"));
  EXPECT_TRUE(nodes.load(""));
  EXPECT_TRUE(nodes.load(session)) << "a session before its tables";
  ASSERT_FALSE(nodes.load(tables));
  EXPECT_TRUE(nodes.load(tables)) << "the same tables twice";
  for (std::size_t at = 0; at < session.size(); ++at) {
    std::string bytes = session;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
    HostNodes other;
    ASSERT_FALSE(other.load(tables));
    const auto problem = other.load(bytes);
    Output out;
    other.tick(Time(std::chrono::milliseconds(5'000)), out);  // whatever was loaded does no harm
    if (problem) {
      EXPECT_EQ(problem->reason, "bad_state");
    }
  }
}

}  // namespace
}  // namespace fettle::sparkplug::testing
