#pragma once
// A maintenance rule: its source, its compiled form, and what its words may refer to.
//
// compile() turns the text of a rule into a CompiledRule: a flat program, immutable, shared by every asset that the
// rule watches (and by threads). State per asset lives in AssetRules (asset_rules.h).

#include <boost/system/result.hpp>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rules/diagnostic.h"
#include "rules/unit.h"

namespace fettle::rules {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;

enum class SignalKind : std::uint8_t { gauge, reg, event, state };

// A signal of the model that a rule is written for. Its index in Vocabulary::signals is its SignalIndex.
using SignalIndex = std::uint32_t;
struct SignalDecl {
  std::string name;
  SignalKind kind = SignalKind::gauge;
  Unit unit;
  std::string unit_text;            // as declared, for messages
  std::vector<std::string> states;  // kind state: the texts that a literal may name; a reading's value is the index
};

// What the expressions of a model's rules may refer to.
struct Vocabulary {
  std::vector<SignalDecl> signals;
  Duration max_gap{std::chrono::minutes(15)};  // a value counts at most this long in time-weighted windows and delays
};

// A text and the place of its first character.
struct Located {
  std::string text;
  Position at;
};

struct RuleSource {
  std::string id;                                           // unique within its pack
  std::vector<std::pair<std::string, Located>> parameters;  // constant quantities; overridable per asset
  Located when;
  Located clear;          // empty text: the episode clears when `when` is false
  Located suppress_when;  // empty text: never suppressed
  Duration for_{0};       // on-delay
  Duration keep_for{0};   // off-delay
  Duration cooldown{0};   // after a clear, no new episode is raised for this long
};

class CompiledRule;  // rules/program.h; opaque to callers but for the free functions below

// Compiles a rule against a model's signals. On failure every error of the rule, in order of position.
boost::system::result<std::shared_ptr<const CompiledRule>, Diagnostics> compile(const RuleSource& source,
                                                                                const Vocabulary& vocabulary,
                                                                                const UnitParser& units);

// Reads a constant quantity such as "0.4 s" and expresses it in the unit of the rule's parameter of that name.
// For per-asset overrides. Errors: unknown parameter, not a quantity, wrong unit.
boost::system::result<double, Diagnostics> read_parameter(const CompiledRule& rule, const std::string& name,
                                                          const Located& text, const UnitParser& units);

// The signals that the rule reads, ascending, each once.
const std::vector<SignalIndex>& signals_of(const CompiledRule& rule);

// How far back the rule's operators look: the span of readings that stand as evidence for an episode. At least 1 h.
Duration lookback_of(const CompiledRule& rule);

// A hash of everything that gives the rule's saved state its meaning (operators, windows, signals, parameters' names).
// State saved under one signature is not loaded under another.
std::uint64_t signature_of(const CompiledRule& rule);

// The parameters in order of declaration: name and value in the parameter's own unit, with the unit's text.
struct ParameterValue {
  std::string name;
  double value = 0;
  std::string unit_text;
};
std::vector<ParameterValue> parameters_of(const CompiledRule& rule);

}  // namespace fettle::rules
