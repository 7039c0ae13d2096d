// Models with their signals and meters, and assets.

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "gateway/catalog/entries.h"
#include "gateway/catalog/units.h"

namespace fettle::catalog {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr milliseconds kDefaultMaxGap = minutes(15);
constexpr milliseconds kDefaultLateness = seconds(60);
constexpr std::uint8_t kFinestResolution = 9;  // decimals
constexpr int kMostStates = 64;
constexpr int kMostSources = 16;
constexpr milliseconds kShortestKeep = std::chrono::hours(24);

constexpr std::array kSignalKinds = {Word{"gauge", GAUGE}, Word{"register", REGISTER}, Word{"event", EVENT},
                                     Word{"state", STATE}};
constexpr std::array kMeterKinds = {Word{"difference", DIFFERENCE}, Word{"sum", SUM}, Word{"count", COUNT}};
constexpr std::array kUploads = {Word{"live", LIVE}, Word{"batch", BATCH}};

// Words of the rule language, and of the telemetry message.
constexpr std::array<std::string_view, 8> kReservedNames = {"ts", "true", "false",  "null",
                                                            "in", "then", "within", "every"};

std::string read_name(Fields& fields, std::string_view expected) {
  const YamlNode* node = fields.scalar("name", Need::required, expected);
  if (node == nullptr) return {};
  if (!valid_name(node->text)) {
    fields.report(node->at,
                  "\"name\" is \"" + node->text +
                      "\"; a signal's name begins with a-z and goes on with a-z, 0-9 and _, at most 64 of them");
    return {};
  }
  if (std::find(kReservedNames.begin(), kReservedNames.end(), node->text) != kReservedNames.end()) {
    fields.report(node->at, "\"" + node->text + "\" is a reserved word and cannot name a signal; choose another name");
    return {};
  }
  return node->text;
}

void read_unit(Fields& fields, Signal& signal) {
  constexpr std::string_view kExpected = "a unit such as degC, mm/s or kWh, or 1 for a plain number";
  if (signal.kind() == STATE) {
    const std::string unit = fields.text("unit", Need::optional, "no unit: a state has none");
    if (!unit.empty() && unit != "1") fields.report("unit", "a state has no unit; remove \"unit\"");
    signal.set_unit("1");
    return;
  }
  const YamlNode* node = fields.scalar("unit", Need::required, kExpected);
  if (node == nullptr) return;
  if (parse_unit(node->text)) {
    signal.set_unit(node->text);
  } else {
    fields.report(node->at, "\"unit\" is \"" + node->text + "\", which is no unit; expected " + std::string(kExpected));
  }
}

void read_states(Fields& fields, Signal& signal) {
  const auto need = signal.kind() == STATE ? Need::required : Need::optional;
  std::set<std::string> seen;
  fields.list("states", need, "a list of the texts that the signal may take", [&](const YamlNode& item) {
    if (!fields.is_text(item, "a state", "a text such as inspection")) return;
    if (item.text.size() > 64) fields.report(item.at, "a state has at most 64 bytes");
    if (!seen.insert(item.text).second) fields.report(item.at, "the state " + item.text + " is listed twice");
    signal.add_states(item.text);
  });
  if (signal.states_size() > kMostStates) {
    fields.report("states", "has " + std::to_string(signal.states_size()) + " states; at most " +
                                std::to_string(kMostStates) + " are allowed");
  }
  if (signal.kind() != STATE && signal.kind() != SIGNAL_KIND_UNSPECIFIED && signal.states_size() > 0) {
    fields.report("states", "only a signal of kind state has states; remove them or change \"kind\"");
    signal.clear_states();
  }
}

void read_resolution(Fields& fields, Signal& signal) {
  constexpr std::string_view kExpected = "1, 0.1, 0.01 ... down to 0.000000001, or a whole number";
  const YamlNode* node = fields.scalar("resolution", Need::optional, kExpected);
  if (node == nullptr) return;
  signal.set_resolution(node->text);  // even where it is wrong: then meters need not report that it is missing
  const auto read = billing::Decimal::parse(node->text);
  const billing::Decimal step = read.has_value() ? shortest(*read) : billing::Decimal{};
  const bool fits = step.units > 0 && (step.scale == 0 || (step.units == 1 && step.scale <= kFinestResolution));
  if (fits) {
    signal.set_resolution(billing::to_string(step));
    return;
  }
  fields.report(node->at, "\"resolution\" is \"" + node->text + "\"; expected " + std::string(kExpected) +
                              ": quantities are counted in it and printed with its decimals");
}

std::string positive(Fields& fields, std::string_view key, std::string_view expected) {
  const auto read = fields.decimal(key, Need::optional, expected);
  if (!read) return {};
  if (read->units > 0) return billing::to_string(*read);
  fields.report(key,
                "\"" + std::string(key) + "\" is " + billing::to_string(*read) + "; expected " + std::string(expected));
  return {};
}

void read_register(Fields& fields, const YamlNode& node, Signal& signal) {
  signal.set_rollover(positive(fields, "rollover", "the count at which the register starts again at 0, above 0"));
  signal.set_max_rate(positive(fields, "max_rate", "the largest plausible increase per hour, above 0"));
  signal.set_expected_interval_ms(fields.duration("expected_interval", milliseconds(0)).count());
  if (signal.kind() != REGISTER || signal.rollover().empty()) return;
  if (node.find("max_rate") == nullptr) {
    fields.report("rollover", "\"rollover\" needs \"max_rate\": without it a rollover cannot be told from a fault");
  }
  const auto width = billing::Decimal::parse(signal.rollover());
  const auto step = billing::Decimal::parse(signal.resolution());
  if (width.has_value() && step.has_value() && step->units > 0 && !multiple_of(*width, *step)) {
    fields.report("rollover", "\"rollover\" is " + signal.rollover() +
                                  "; expected a whole multiple of the resolution " + signal.resolution());
  }
}

// Keys that say nothing about a signal of this kind.
void refuse_misplaced(const Fields& fields, const YamlNode& node, const Signal& signal) {
  if (signal.kind() == SIGNAL_KIND_UNSPECIFIED || signal.kind() == REGISTER) return;
  for (const std::string_view key : {"rollover", "max_rate", "expected_interval"}) {
    if (node.find(key) == nullptr) continue;
    fields.report(key,
                  "\"" + std::string(key) + "\" belongs to a signal of kind register; remove it or change \"kind\"");
  }
  if (signal.kind() != EVENT && node.find("resolution") != nullptr) {
    fields.report("resolution",
                  "\"resolution\" belongs to metered signals (kind register or event); remove it or change \"kind\"");
  }
}

void read_keep(Fields& fields, const YamlNode& node, Signal& signal) {
  const milliseconds keep = fields.duration("keep", milliseconds(0));
  const YamlNode* written = node.find("keep");
  if (written != nullptr && parse_duration(written->text) && keep < kShortestKeep) {
    fields.report("keep", "\"keep\" is " + written->text + "; expected 1d or more, or no such key: kept for ever");
  }
  signal.set_keep_ms(keep.count());
}

Signal read_signal(const Source& source, const YamlNode& node, const std::string& model) {
  const YamlNode* name = node.find("name");
  const bool named = name != nullptr && name->kind == YamlNode::Kind::scalar && valid_name(name->text);
  Fields fields(source, node, model + ", signal" + (named ? " " + name->text : ""));
  Signal signal;
  signal.set_name(read_name(fields, "a name such as motor_temperature"));
  signal.set_kind(static_cast<SignalKind>(fields.word("kind", Need::required, kSignalKinds, SIGNAL_KIND_UNSPECIFIED)));
  read_unit(fields, signal);
  read_states(fields, signal);
  read_resolution(fields, signal);
  read_register(fields, node, signal);
  refuse_misplaced(fields, node, signal);
  signal.set_metric(fields.text("metric", Need::optional, "the name of the Sparkplug metric that brings it"));
  if (signal.metric() == signal.name()) signal.clear_metric();
  read_keep(fields, node, signal);
  fields.finish();
  return signal;
}

Meter read_meter(const Source& source, const YamlNode& node, const std::string& model) {
  Fields fields(source, node, model + ", " + entry_label("meter", node));
  Meter meter;
  meter.set_id(fields.id("id", Need::required, "the meter's id"));
  meter.set_kind(static_cast<MeterKind>(fields.word("kind", Need::required, kMeterKinds, METER_KIND_UNSPECIFIED)));
  meter.set_signal(fields.text("signal", Need::required, "the name of a signal of this model"));
  meter.set_dimension(fields.text("dimension", Need::optional, "the name of a state signal of this model"));
  meter.set_title(fields.text("title", Need::optional, "a title as printed"));
  if (meter.title().empty()) meter.set_title(meter.id());
  fields.finish();
  return meter;
}

// "group/node" or "group/node/device", as in a Sparkplug topic.
bool valid_source(std::string_view text) {
  int parts = 1;
  bool empty = true;
  for (const char c : text) {
    if (c == '+' || c == '#') return false;
    if (c != '/') {
      empty = false;
      continue;
    }
    if (empty) return false;
    empty = true;
    ++parts;
  }
  return !empty && (parts == 2 || parts == 3);
}

void read_sources(Fields& fields, Asset& asset) {
  std::set<std::string> seen;
  fields.list("sources", Need::optional, "a list of Sparkplug sources such as plant/line-1/press-3",
              [&](const YamlNode& item) {
                // One for every item, so that the place of each is found by its index.
                std::string& source = *asset.add_sources();
                if (!fields.is_text(item, "a source", "a text such as plant/line-1/press-3")) return;
                if (!valid_source(item.text)) {
                  fields.report(item.at, "the source \"" + item.text +
                                             "\" is no Sparkplug source; expected group/node or group/node/device, "
                                             "without + and #");
                } else if (!seen.insert(item.text).second) {
                  fields.report(item.at, "the source " + item.text + " is listed twice; remove one of the two");
                } else {
                  source = item.text;
                }
              });
  if (asset.sources_size() > kMostSources) {
    fields.report("sources", "has " + std::to_string(asset.sources_size()) + " sources; at most " +
                                 std::to_string(kMostSources) + " are allowed");
  }
}

// The metric that brings a signal: each at most one.
void refuse_shared_metrics(const Fields& fields, const YamlNode& node, const Model& model) {
  std::map<std::string, std::string> signal_of;
  for (const Signal& signal : model.signals()) {
    if (signal.name().empty()) continue;
    const std::string& metric = signal.metric().empty() ? signal.name() : signal.metric();
    const auto [at, added] = signal_of.emplace(metric, signal.name());
    if (added || at->second == signal.name()) continue;
    fields.report(node.find("signals")->at, "the metric " + metric + " would bring two signals, " + at->second +
                                                " and " + signal.name() + "; give one of them another metric");
  }
}

}  // namespace

Model read_model(const Source& source, const YamlNode& node) {
  Fields fields(source, node, entry_label("model", node));
  Model model;
  model.set_id(fields.id("id", Need::required, "the model's id, such as lift/gen2"));
  model.set_title(fields.text("title", Need::optional, "a title"));
  std::set<std::string> names;
  fields.list("signals", Need::required, "a list of signals, each with name, kind and unit", [&](const YamlNode& item) {
    *model.add_signals() = read_signal(source, item, fields.what());
    const std::string& name = model.signals(model.signals_size() - 1).name();
    if (!name.empty() && !names.insert(name).second) {
      fields.report(item.at, "the signal " + name + " is declared twice; remove or rename one of the two");
    }
  });
  if (model.signals_size() > 0) refuse_shared_metrics(fields, node, model);
  std::set<std::string> meters;
  fields.list("meters", Need::optional, "a list of meters, each with id, kind and signal", [&](const YamlNode& item) {
    *model.add_meters() = read_meter(source, item, fields.what());
    const std::string& id = model.meters(model.meters_size() - 1).id();
    if (!id.empty() && !meters.insert(id).second) {
      fields.report(item.at, "the meter " + id + " is declared twice; remove or rename one of the two");
    }
  });
  model.set_max_gap_ms(fields.duration("max_gap", kDefaultMaxGap).count());
  model.set_lateness_ms(fields.duration("lateness", kDefaultLateness).count());
  if (model.max_gap_ms() == 0)
    fields.report("max_gap", "\"max_gap\" is 0; expected more: a value must hold for a while");
  model.set_upload(static_cast<Upload>(fields.word("upload", Need::optional, kUploads, LIVE)));
  fields.finish();
  return model;
}

Asset read_asset(const Source& source, const YamlNode& node) {
  Fields fields(source, node, entry_label("asset", node));
  Asset asset;
  asset.set_id(fields.id("id", Need::required, "the asset's id, such as lift-001"));
  if (asset.id().find('/') != std::string::npos) {
    fields.report("id", "\"id\" is \"" + asset.id() +
                            "\"; an asset's id stands in MQTT topics and has no /; write - or . instead");
    asset.clear_id();
  }
  asset.set_model(fields.text("model", Need::required, "the id of a model"));
  asset.set_serial(fields.text("serial", Need::optional, "the serial number"));
  asset.set_customer(fields.text("customer", Need::optional, "the id of a customer"));
  asset.set_site(fields.text("site", Need::optional, "the id of a site"));
  if (const auto date = fields.date("commissioned", Need::required)) {
    const auto* day = std::get_if<std::chrono::year_month_day>(&*date);
    const Time at = day != nullptr ? Time(std::chrono::sys_days(*day)) : std::get<Time>(*date);
    asset.set_commissioned_ms(at.time_since_epoch().count());
  }
  fields.map("parameters", "a map of pack/rule.parameter: quantity", [&](const YamlNode::Member& member) {
    if (!fields.is_text(*member.value, "the parameter \"" + member.key + "\"", "a quantity such as 0.5 s")) return;
    (*asset.mutable_parameters())[member.key] = member.value->text;
  });
  read_sources(fields, asset);
  fields.finish();
  return asset;
}

}  // namespace fettle::catalog
