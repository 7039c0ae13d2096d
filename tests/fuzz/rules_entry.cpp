#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "tests/fuzz/entries.h"
#include "tests/rules/rule_bench.h"

namespace fettle::rules {
namespace {

constexpr std::size_t kMaxSteps = 256;
constexpr std::size_t kStepBytes = 3;
constexpr std::size_t kRestartEvery = 8;  // steps
constexpr Duration kMaxGap = std::chrono::minutes(15);

void check(bool holds, const std::string& what) {
  if (holds) return;
  std::cerr << "broken law: " << what << '\n';
  std::abort();
}

std::string_view line_of(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

void check_refusal(const Diagnostics& diagnostics) {
  check(!diagnostics.empty(), "a rule refused without a reason");
  for (const Diagnostic& diagnostic : diagnostics) {
    check(!diagnostic.message.empty() && diagnostic.at.line >= 1 && diagnostic.at.column >= 1,
          "a diagnostic without words or place");
  }
}

bool same(const std::vector<Transition>& a, const std::vector<Transition>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Transition& x, const Transition& y) {
    return x.kind == y.kind && x.at == y.at && x.since == y.since && x.reason == y.reason;
  });
}

// Three bytes a step: what happens and how much later, to which signal, and the value.
class Play {
 public:
  explicit Play(std::shared_ptr<const RuleSet> set) : set_(std::move(set)), through_(set_), restarted_(set_) {}

  void step(std::uint8_t how, std::uint8_t which, std::uint8_t value) {
    if (++steps_ % kRestartEvery == 0) restart();
    // 0 to 3 are readings, a quarter of them late; 4 is time alone, 5 a lost session, 6 and 7 the entitlement.
    const auto late = Duration((how & 0x40U) != 0 ? 90'000 : 0);
    now_ += Duration(1'000) * ((how >> 3U) & 0x07U) * ((how & 0x80U) != 0 ? 600 : 1);
    const auto signal = static_cast<SignalIndex>(which % test_vocabulary().signals.size());
    out_.clear();
    again_.clear();
    for (auto [rules, out] : {std::pair{&through_, &out_}, std::pair{&restarted_, &again_}}) {
      act(*rules, how & 0x07U, {signal, value_of(signal, value), quality_of(which)}, late, *out);
    }
    check(same(out_, again_), "other transitions after a restart");
    check(through_.raised(0) == restarted_.raised(0), "another state after a restart");
  }

 private:
  static Quality quality_of(std::uint8_t which) { return which >= 0xF0U ? Quality::bad : Quality::good; }
  static double value_of(SignalIndex signal, std::uint8_t value) {
    return signal == kMode ? value % 3 : static_cast<double>(value) / 4.0 - 16.0;
  }

  void act(AssetRules& rules, unsigned what, const SignalReading& reading, Duration late,
           std::vector<Transition>& out) const {
    switch (what) {
      case 4:
        return rules.advance(at(now_), at(now_), out);
      case 5:
        return rules.mark_stale(std::span(&reading.signal, 1), at(now_));
      case 6:
      case 7:
        return rules.set_entitled(0, what == 6, at(now_), out);
      default:
        return rules.apply(at(now_ - late), at(now_), std::span(&reading, 1), out);
    }
  }

  void restart() {
    std::string saved;
    restarted_.save_all(saved);
    AssetRules fresh(set_);
    check(fresh.load_all(saved), "a state that cannot be loaded");
    std::string again;
    fresh.save_all(again);
    check(again == saved, "a state that is saved otherwise after it was loaded");
    restarted_ = std::move(fresh);
  }

  std::shared_ptr<const RuleSet> set_;  // shared by both
  AssetRules through_;
  AssetRules restarted_;
  Duration now_{0};
  std::size_t steps_ = 0;
  std::vector<Transition> out_;
  std::vector<Transition> again_;
};

}  // namespace

void fuzz_rules(std::string_view bytes) {
  std::string_view rest = bytes;
  RuleSource source = rule_when(std::string(line_of(rest)));
  source.clear = {std::string(line_of(rest)), {2, 1}};
  source.suppress_when = {std::string(line_of(rest)), {3, 1}};
  source.parameters = {{"limit", {"3 bar", {4, 1}}}};
  source.for_ = std::chrono::minutes(2);
  source.cooldown = std::chrono::minutes(5);
  const auto compiled = compile(source, test_vocabulary(), test_units);
  if (!compiled) return check_refusal(compiled.error());
  const auto set = std::make_shared<const RuleSet>(std::vector{*compiled}, test_vocabulary().signals.size(), kMaxGap);
  Play play(set);
  for (std::size_t step = 0; step < kMaxSteps && rest.size() >= kStepBytes; ++step) {
    play.step(static_cast<std::uint8_t>(rest[0]), static_cast<std::uint8_t>(rest[1]),
              static_cast<std::uint8_t>(rest[2]));
    rest.remove_prefix(kStepBytes);
  }
}

}  // namespace fettle::rules
