#include "gateway/catalog/rule_tests.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

#include "gateway/catalog/suggestion.h"
#include "gateway/catalog/texts.h"
#include "gateway/catalog/units.h"

namespace fettle::catalog {
namespace {

using std::chrono::milliseconds;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string quoted(std::string_view text) {
  return "\"" + std::string(text) + "\"";
}

// The place of a byte of a text, counted as the rules' lexer does: by the text alone.
rules::Position place(const Located& text, std::size_t offset) {
  rules::Position at{text.line(), text.column()};
  for (const char c : std::string_view(text.text()).substr(0, offset)) {
    at = c == '\n' ? rules::Position{at.line + 1, 1} : rules::Position{at.line, at.column + 1};
  }
  return at;
}

enum class Shape : std::uint8_t { constant, ramp, wave, steps, gap };

struct ShapeForm {
  std::string_view name;
  Shape shape;
  std::size_t least;  // arguments
  std::size_t most;
  std::string_view form;
  std::string_view example;
};
constexpr std::size_t kAny = std::size_t(-1);
constexpr std::array<ShapeForm, 5> kShapes = {{
    {"constant", Shape::constant, 3, 3, "constant(<value>, <how long>, every <interval>)",
     "constant(20 degC, 1d, every 5m)"},
    {"ramp", Shape::ramp, 4, 4, "ramp(<from>, <to>, <how long>, every <interval>)", "ramp(2 s, 2.6 s, 3d, every 5m)"},
    {"wave", Shape::wave, 5, 5, "wave(<low>, <high>, <period>, <how long>, every <interval>)",
     "wave(18 degC, 24 degC, 1d, 14d, every 5m)"},
    {"steps", Shape::steps, 2, kAny, "steps(<value>, <value> ..., every <interval>)", "steps(1 bar, 2 bar, every 1h)"},
    {"gap", Shape::gap, 1, 1, "gap(<how long>)", "gap(2h)"},
}};

// A piece of a series' text.
struct Argument {
  std::string_view text;   // without the blanks around it
  std::size_t offset = 0;  // in the series' text
};

// Reads the series of one signal, one after the other, and lays its readings down.
class SignalReader {
 public:
  SignalReader(const Signal& signal, std::size_t room, rules::Diagnostics& diagnostics)
      : signal_(signal), unit_(parse_unit(signal.unit()).value_or(rules::Unit{})), room_(room), out_(diagnostics) {}

  void series(const Located& text);
  void points(const TestSignal& readings);

  std::vector<TimedValue>& values() { return values_; }
  milliseconds end() const { return cursor_; }

 private:
  void report(std::size_t offset, std::string message) {
    out_.push_back({place(*text_, offset), "signal " + signal_.name() + ": " + std::move(message)});
  }
  std::optional<std::vector<Argument>> arguments(std::size_t open, const ShapeForm& form);
  std::optional<double> value(const Argument& argument);
  std::optional<double> state(const Argument& argument);
  std::optional<milliseconds> duration(const Argument& argument, std::string_view what);
  std::optional<milliseconds> every(const Argument& argument);
  bool fits(std::size_t count, milliseconds length);
  void lay(const ShapeForm& form, const std::vector<Argument>& given);
  void lay_shape(Shape shape, const std::vector<double>& values, milliseconds period, milliseconds length,
                 milliseconds step);

  const Signal& signal_;
  const rules::Unit unit_;
  const std::size_t room_;  // readings that may be laid down
  rules::Diagnostics& out_;
  const Located* text_ = nullptr;  // being read
  std::vector<TimedValue> values_;
  milliseconds cursor_{0};
};

// The arguments between the bracket at `open` and the one that closes it, which ends the text.
std::optional<std::vector<Argument>> SignalReader::arguments(std::size_t open, const ShapeForm& form) {
  const std::string_view text = text_->text();
  std::vector<Argument> found;
  std::size_t begin = open + 1;
  int lists = 0;
  char quote = 0;
  for (std::size_t i = open + 1; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == quote) quote = 0;
      continue;
    }
    if (c == '"' || c == '\'') quote = c;
    if (c == '[') ++lists;
    if (c == ']') --lists;
    if (c != ',' && c != ')') continue;
    std::string_view piece = text.substr(begin, i - begin);
    std::size_t offset = begin + std::min(piece.find_first_not_of(" \t\r\n["), piece.size());
    piece = text.substr(offset, i - offset);
    if (form.shape == Shape::steps) piece = piece.substr(0, piece.find_last_not_of(" \t\r\n]") + 1);
    found.push_back({trimmed(piece), offset});
    begin = i + 1;
    if (c == ',') continue;
    if (!trimmed(text.substr(i + 1)).empty()) {
      report(i + 1, "more text follows the series; write several as a list: [" + std::string(form.example) + ", ...]");
      return std::nullopt;
    }
    if (lists != 0) {
      report(open, "[ and ] do not match; expected " + std::string(form.form));
      return std::nullopt;
    }
    return found;
  }
  report(text.size(), "the ( of " + std::string(form.name) + " is not closed; expected " + std::string(form.form));
  return std::nullopt;
}

std::optional<double> SignalReader::state(const Argument& argument) {
  std::string_view text = argument.text;
  const bool has_quotes =
      text.size() >= 2 && (text.front() == '"' || text.front() == '\'') && text.back() == text.front();
  if (has_quotes) text = text.substr(1, text.size() - 2);
  for (int i = 0; i < signal_.states_size(); ++i) {
    if (signal_.states(i) == text) return i;
  }
  const std::string near = nearest(text, signal_.states());
  std::string known;
  for (const std::string& each : signal_.states()) known += (known.empty() ? "" : ", ") + each;
  report(argument.offset, quoted(text) + " is no state of it; expected one of " + known +
                              (near.empty() ? "" : "; did you mean " + near + "?"));
  return std::nullopt;
}

std::optional<double> SignalReader::value(const Argument& argument) {
  if (signal_.kind() == STATE) return state(argument);
  const std::string_view text = argument.text;
  const std::string unit_name = signal_.unit() == "1" ? "a plain number" : "a quantity in " + signal_.unit();
  double number = 0;
  const char* const begin = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), number);
  if (error != std::errc() || !std::isfinite(number)) {
    report(argument.offset, quoted(text) + " is no value; expected " + unit_name + " or a unit that converts");
    return std::nullopt;
  }
  const std::string_view unit_text = trimmed(text.substr(static_cast<std::size_t>(end - text.data())));
  if (unit_text.empty()) {
    if (unit_ == rules::Unit{}) return number;
    report(argument.offset, quoted(text) + " has no unit; expected " + unit_name + ", such as " + std::string(text) +
                                " " + signal_.unit());
    return std::nullopt;
  }
  const std::size_t unit_offset = argument.offset + static_cast<std::size_t>(unit_text.data() - text.data());
  const auto unit = parse_unit(unit_text);
  if (!unit) {
    report(unit_offset, quoted(unit_text) + " is no unit; expected " + unit_name + " or a unit that converts");
    return std::nullopt;
  }
  if (!rules::commensurable(*unit, unit_)) {
    report(unit_offset, quoted(unit_text) + " does not convert to the signal's unit " + signal_.unit());
    return std::nullopt;
  }
  return *unit == unit_ ? number : rules::convert(number, *unit, unit_);
}

std::optional<milliseconds> SignalReader::duration(const Argument& argument, std::string_view what) {
  const auto found = parse_duration(argument.text);
  if (found && found->count() > 0) return found;
  report(argument.offset, quoted(argument.text) + " is not " + std::string(what) + "; expected " + kDurationForm);
  return std::nullopt;
}

std::optional<milliseconds> SignalReader::every(const Argument& argument) {
  constexpr std::string_view kWord = "every";
  std::string_view rest = argument.text;
  if (rest.starts_with(kWord)) {
    rest = trimmed(rest.substr(kWord.size()));
    const auto found = parse_duration(rest);
    if (found && found->count() > 0) return found;
  }
  report(argument.offset, quoted(argument.text) + " is not the interval of the readings; expected every and " +
                              kDurationForm + ": every 5m");
  return std::nullopt;
}

// Whether so much more may be laid down; reports where not. Asked before anything is.
bool SignalReader::fits(std::size_t count, milliseconds length) {
  if (length > kLongestTest - cursor_) {
    report(0, "the test would last longer than a year (366d); make it shorter");
    return false;
  }
  if (count <= room_ && values_.size() <= room_ - count) return true;
  report(0, "the test would have more than " + std::to_string(kMostTestReadings) +
                " readings; make it shorter, or let them come less often");
  return false;
}

void SignalReader::lay_shape(Shape shape, const std::vector<double>& values, milliseconds period, milliseconds length,
                             milliseconds step) {
  std::size_t i = 0;
  for (milliseconds at{0}; at < length; at += step, ++i) {
    double value = values[0];
    if (shape == Shape::steps) value = values[i];
    if (shape == Shape::ramp) {
      const double share = static_cast<double>(at.count()) / static_cast<double>(length.count());
      value = values[0] + (values[1] - values[0]) * share;
    }
    if (shape == Shape::wave) {
      const double turn = static_cast<double>((at % period).count()) / static_cast<double>(period.count());
      value = values[0] + (values[1] - values[0]) * (turn <= 0.5 ? 2 * turn : 2 - 2 * turn);
    }
    values_.push_back({cursor_ + at, value});
  }
}

void SignalReader::lay(const ShapeForm& form, const std::vector<Argument>& given) {
  if (form.shape == Shape::gap) {
    const auto length = duration(given[0], "how long nothing comes");
    if (length && fits(0, *length)) cursor_ += *length;
    return;
  }
  const auto step = every(given.back());
  const std::size_t times = form.shape == Shape::steps ? 0 : form.shape == Shape::wave ? 2 : 1;
  const std::size_t value_count = given.size() - 1 - times;
  std::vector<double> values;
  for (std::size_t i = 0; i < value_count; ++i) {
    if (const auto found = value(given[i])) values.push_back(*found);
  }
  if (signal_.kind() == STATE && (form.shape == Shape::ramp || form.shape == Shape::wave)) {
    report(0, "is a state, and nothing lies between two states; use constant() or steps()");
    return;
  }
  std::optional<milliseconds> period = milliseconds(1);
  if (form.shape == Shape::wave) period = duration(given[value_count], "the wave's period");
  std::optional<milliseconds> length;
  if (form.shape != Shape::steps) {
    length = duration(given[given.size() - 2], "how long the series lasts");
  } else if (step) {
    if (*step > kLongestTest) {
      report(given.back().offset, "readings come at least once in 366d");
      return;
    }
    length = *step * static_cast<std::int64_t>(value_count);
  }
  if (!step || !period || !length || values.size() != value_count) return;
  const auto count = static_cast<std::size_t>((*length + *step - milliseconds(1)) / *step);
  if (!fits(count, *length)) return;
  lay_shape(form.shape, values, *period, *length, *step);
  cursor_ += *length;
}

void SignalReader::series(const Located& text) {
  text_ = &text;
  const std::string_view whole = text.text();
  const std::size_t begin = std::min(whole.find_first_not_of(" \t\r\n"), whole.size());
  std::size_t end = begin;
  while (end < whole.size() && whole[end] >= 'a' && whole[end] <= 'z') ++end;
  const std::string_view name = whole.substr(begin, end - begin);
  const auto form =
      std::find_if(kShapes.begin(), kShapes.end(), [&](const ShapeForm& each) { return each.name == name; });
  if (form == kShapes.end()) {
    std::array<std::string_view, kShapes.size()> names;
    std::transform(kShapes.begin(), kShapes.end(), names.begin(), [](const ShapeForm& each) { return each.name; });
    const std::string near = nearest(name, names);
    report(begin, (name.empty() ? quoted(whole) : quoted(name)) + " is no series; " +
                      (near.empty() ? std::string("expected ") + kSeriesForm : "did you mean " + near + "?"));
    return;
  }
  const std::size_t open = std::min(whole.find_first_not_of(" \t\r\n", end), whole.size());
  if (open == whole.size() || whole[open] != '(') {
    report(open, "expected ( after " + std::string(name) + ", as in " + std::string(form->example));
    return;
  }
  const auto given = arguments(open, *form);
  if (!given) return;
  if (given->size() < form->least || given->size() > form->most) {
    report(begin, std::string(name) + "() has " + std::to_string(given->size()) + " argument" +
                      (given->size() == 1 ? "" : "s") + "; expected " + std::string(form->form) + ", such as " +
                      std::string(form->example));
    return;
  }
  lay(*form, *given);
}

void SignalReader::points(const TestSignal& readings) {
  for (const TestPoint& point : readings.points()) {
    text_ = &point.at();
    const auto at = parse_duration(trimmed(point.at().text()));
    if (!at) {
      report(0, quoted(point.at().text()) + " is no time since the test's begin; expected " + kDurationForm + ", or 0");
    } else if (!values_.empty() && *at <= values_.back().at) {
      report(0, quoted(point.at().text()) + " is not after the point before it; write points in the order of time");
    }
    text_ = &point.value();
    const auto number = value({trimmed(point.value().text()), 0});
    if (!at || !number) continue;
    if (*at > kLongestTest || values_.size() >= room_) {
      fits(1, *at);
      return;
    }
    values_.push_back({*at, *number});
    cursor_ = std::max(cursor_, *at);
  }
}

int index_of(const Model& model, const std::string& name) {
  for (int i = 0; i < model.signals_size(); ++i) {
    if (model.signals(i).name() == name) return i;
  }
  return -1;
}

void report_unknown(const Model& model, const Located& name, rules::Diagnostics& out) {
  std::vector<std::string> known;
  for (const Signal& signal : model.signals()) known.push_back(signal.name());
  const std::string near = nearest(name.text(), known);
  out.push_back({place(name, 0), "model " + model.id() + " has no signal " + quoted(name.text()) +
                                     (near.empty() ? "; a test's readings are of signals of the rule's model"
                                                   : "; did you mean " + near + "?")});
}

}  // namespace

std::size_t Timeline::size() const {
  std::size_t count = 0;
  for (const SignalReadings& each : signals) count += each.values.size();
  return count;
}

boost::system::result<Timeline, rules::Diagnostics> read_timeline(const RuleTest& test, const Model& model) {
  Timeline timeline;
  rules::Diagnostics diagnostics;
  std::size_t room = kMostTestReadings;
  for (const TestSignal& readings : test.readings()) {
    const int index = index_of(model, readings.signal().text());
    if (index < 0) {
      report_unknown(model, readings.signal(), diagnostics);
      continue;
    }
    SignalReader reader(model.signals(index), room, diagnostics);
    for (const Located& text : readings.series()) reader.series(text);
    reader.points(readings);
    room -= std::min(room, reader.values().size());
    timeline.end = std::max(timeline.end, reader.end());
    timeline.signals.push_back({index, std::move(reader.values())});
  }
  if (!diagnostics.empty()) return diagnostics;
  return timeline;
}

std::optional<TimeRange> read_range(std::string_view text) {
  text = trimmed(text);
  TimeRange range;
  if (const std::size_t dots = text.find(".."); dots != std::string_view::npos) {
    const auto least = parse_duration(trimmed(text.substr(0, dots)));
    const auto most = parse_duration(trimmed(text.substr(dots + 2)));
    if (!least || !most || *least > *most) return std::nullopt;
    return TimeRange{*least, *most};
  }
  const std::string_view sign = text.substr(0, 2);
  if (sign != ">=" && sign != "<=" && sign != "==") return std::nullopt;
  const auto bound = parse_duration(trimmed(text.substr(2)));
  if (!bound) return std::nullopt;
  if (sign != "<=") range.least = *bound;
  if (sign != ">=") range.most = *bound;
  return range;
}

}  // namespace fettle::catalog
