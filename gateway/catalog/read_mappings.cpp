// Mappings: foreign JSON to readings. The notations are gateway/direct's own, so that what is checked here is what the
// engine later runs.

#include <algorithm>
#include <array>
#include <set>

#include "gateway/catalog/entries.h"
#include "gateway/catalog/units.h"
#include "gateway/catalog/zones.h"
#include "gateway/direct/mapping.h"

namespace fettle::catalog {
namespace {

constexpr std::array kPayloads = {Word{"json", Mapping::JSON}, Word{"number", Mapping::NUMBER},
                                  Word{"text", Mapping::TEXT}};
constexpr std::array kFormats = {Word{"unix_s", MappedTime::UNIX_S}, Word{"unix_ms", MappedTime::UNIX_MS},
                                 Word{"unix_us", MappedTime::UNIX_US}, Word{"unix_ns", MappedTime::UNIX_NS},
                                 Word{"iso8601", MappedTime::ISO8601}};
constexpr std::array kEmpty = {Word{"quarantine", 0}, Word{"ignore", 1}};
constexpr int kMostAssetNames = 10'000;
constexpr int kMostConditions = 16;

// What the file says, at the character that is wrong.
void report_notation(const Source& source, const Fields& fields, const YamlNode& node, const std::string& name,
                     const direct::SyntaxFault& fault) {
  fields.report(source.file.position_in(node, fault.offset), name + " \"" + node.text + "\" " + fault.message);
}

// A text that may begin with { must stand in quotes, or YAML reads a map.
const YamlNode* read_braced(Fields& fields, std::string_view key, Need need, std::string_view expected) {
  const YamlNode* node = fields.value(key, need, expected);
  if (node != nullptr && node->kind == YamlNode::Kind::map) {
    fields.report(node->at, "\"" + std::string(key) +
                                "\" is a map; put a text with { into quotes: " + std::string(key) + ": \"{" +
                                (node->members.empty() ? std::string("asset") : node->members.front().key) + "}\"");
    return nullptr;
  }
  return node != nullptr && fields.is_text(*node, "\"" + std::string(key) + "\"", expected) ? node : nullptr;
}

std::optional<direct::TopicFilter> read_topic(const Source& source, Fields& fields, Mapping& mapping) {
  const YamlNode* node = fields.scalar("topic", Need::required, "a topic such as tele/{asset}/SENSOR");
  if (node == nullptr) return std::nullopt;
  auto topic = direct::parse_topic_filter(node->text);
  if (topic.has_error()) {
    report_notation(source, fields, *node, "\"topic\"", topic.error());
    return std::nullopt;
  }
  if (!topic->levels.empty() && !topic->levels.front().any) {
    const std::string& root = topic->levels.front().text;
    if (root == "fettle" || root == "spBv1.0") {
      fields.report(node->at, "\"topic\" begins with " + root +
                                  "/, whose messages the gateway reads without a mapping; choose another topic");
    }
  }
  mapping.set_topic(node->text);
  return *topic;
}

std::string read_pointer(const Source& source, Fields& fields, std::string_view key, Need need) {
  // An empty text names the whole document; is_text() would refuse it.
  const YamlNode* node = fields.value(key, need, "a JSON pointer such as /ENERGY/Power");
  if (node == nullptr) return {};
  if (node->kind == YamlNode::Kind::scalar && node->text.empty()) return {};
  if (!fields.is_text(*node, "\"" + std::string(key) + "\"", "a JSON pointer such as /ENERGY/Power")) return {};
  const auto pointer = direct::parse_pointer(node->text);
  if (pointer.has_value()) return node->text;
  report_notation(source, fields, *node, "\"" + std::string(key) + "\"", pointer.error());
  return {};
}

void read_formats(Fields& fields, MappedTime& time) {
  constexpr std::string_view kExpected = "one of unix_s, unix_ms, unix_us, unix_ns and iso8601, or a list of them";
  const YamlNode* node = fields.value("format", Need::required, kExpected);
  if (node == nullptr) return;
  const std::vector<const YamlNode*> one = {node};
  for (const YamlNode* item : node->kind == YamlNode::Kind::sequence ? node->items : one) {
    if (!fields.is_text(*item, "\"format\"", kExpected)) continue;
    const auto* known =
        std::find_if(kFormats.begin(), kFormats.end(), [&](const Word& w) { return w.text == item->text; });
    if (known == kFormats.end()) {
      fields.report(item->at, "\"format\" is \"" + item->text + "\"; expected " + std::string(kExpected));
    } else if (std::find(time.formats().begin(), time.formats().end(), known->value) != time.formats().end()) {
      fields.report(item->at, "\"format\" names " + item->text + " twice; remove one of the two");
    } else {
      time.add_formats(static_cast<MappedTime::Format>(known->value));
    }
  }
  if (node->kind == YamlNode::Kind::sequence && node->items.empty()) {
    fields.report(node->at, "\"format\" is empty; expected " + std::string(kExpected));
  }
}

MappedTime read_time(const Source& source, const YamlNode& node, const std::string& mapping) {
  Fields fields(source, node, mapping + ", time");
  MappedTime time;
  time.set_path(read_pointer(source, fields, "path", Need::required));
  read_formats(fields, time);
  if (const YamlNode* zone = fields.scalar("zone", Need::optional, "a zone such as Europe/Berlin or UTC")) {
    const std::string fault = zone_fault(zone->text);
    if (!fault.empty()) fields.report(zone->at, "\"zone\": " + fault);
    time.set_zone(zone->text);
    const bool texts =
        std::find(time.formats().begin(), time.formats().end(), MappedTime::ISO8601) != time.formats().end();
    if (!texts && time.formats_size() > 0) {
      fields.report(zone->at, "\"zone\" is of times written as text; add iso8601 to \"format\" or remove it");
    }
  }
  time.set_optional(fields.flag("optional"));
  fields.finish();
  return time;
}

void read_values(Fields& fields, MappedSignal& signal) {
  fields.map("values", "a map of what the device sends to what it means", [&](const YamlNode::Member& member) {
    MappedText& value = *signal.add_values();
    value.set_from(member.key);
    if (member.value->kind == YamlNode::Kind::null) {
      value.set_leave_out(true);
    } else if (fields.is_text(*member.value, "the value \"" + member.key + "\"", "a state, a number, or null")) {
      value.set_to(member.value->text);
    }
  });
  if (static_cast<std::size_t>(signal.values_size()) > direct::kMaxMappedValues) {
    fields.report("values", "has " + std::to_string(signal.values_size()) + " values; at most " +
                                std::to_string(direct::kMaxMappedValues) + " are allowed");
  }
}

void read_conversion(Fields& fields, MappedSignal& signal) {
  constexpr std::string_view kUnit = "the device's unit, such as degF";
  if (const YamlNode* unit = fields.scalar("unit", Need::optional, kUnit)) {
    if (parse_unit(unit->text)) {
      signal.set_unit(unit->text);
    } else {
      fields.report(unit->at, "\"unit\" is \"" + unit->text + "\", which is no unit; expected " + std::string(kUnit));
    }
  }
  if (const auto scale = fields.decimal("scale", Need::optional, "what the device's number is multiplied with")) {
    if (scale->units == 0) fields.report("scale", "\"scale\" is 0, which would make every reading 0");
    signal.set_scale(billing::to_string(shortest(*scale)));
  }
  if (const auto offset = fields.decimal("offset", Need::optional, "what is added after scaling")) {
    signal.set_offset(billing::to_string(shortest(*offset)));
  }
}

MappedSignal read_signal(const Source& source, const YamlNode& node, const Mapping& mapping,
                         const std::optional<direct::TopicFilter>& topic, const std::string& what) {
  const YamlNode* named = node.find("signal");
  const bool readable = named != nullptr && named->kind == YamlNode::Kind::scalar && !named->text.empty();
  Fields fields(source, node, what + ", signal" + (readable ? " " + named->text : ""));
  MappedSignal signal;
  if (const YamlNode* name = read_braced(fields, "signal", Need::required, "a signal's name, or \"{signal}\"")) {
    if (topic) {
      const auto read = direct::parse_template(name->text, *topic);
      if (read.has_error()) {
        report_notation(source, fields, *name, "\"signal\"", read.error());
      } else if (read->fixed() && !valid_name(name->text)) {
        fields.report(name->at,
                      "\"signal\" is \"" + name->text +
                          "\", which is no signal's name: it begins with a-z and goes on with a-z, 0-9 and _");
      } else {
        signal.set_signal(name->text);
      }
    }
  }
  if (mapping.payload() == Mapping::JSON) {
    signal.set_path(read_pointer(source, fields, "path", Need::required));
  } else if (fields.value("path", Need::optional, "no path") != nullptr) {
    fields.report("path", "the payload is one value and has no paths; remove \"path\", or set payload: json");
  }
  read_conversion(fields, signal);
  read_values(fields, signal);
  signal.set_optional(fields.flag("optional"));
  fields.finish();
  return signal;
}

void read_signals(const Source& source, Fields& fields, const std::optional<direct::TopicFilter>& topic,
                  Mapping& mapping) {
  fields.list("signals", Need::required, "a list of signals, each with signal and path", [&](const YamlNode& item) {
    *mapping.add_signals() = read_signal(source, item, mapping, topic, fields.what());
  });
  if (static_cast<std::size_t>(mapping.signals_size()) > direct::kMaxMappedSignals) {
    fields.report("signals", "has " + std::to_string(mapping.signals_size()) + " signals; at most " +
                                 std::to_string(direct::kMaxMappedSignals) + " are allowed");
  }
  if (mapping.payload() != Mapping::JSON && mapping.signals_size() > 1) {
    fields.report("signals", "the payload is one value, and it can be one signal's only; keep one of them");
  }
}

void read_asset(const Source& source, Fields& fields, const std::optional<direct::TopicFilter>& topic,
                Mapping& mapping) {
  if (const YamlNode* node = read_braced(fields, "asset", Need::required, "a text such as \"{asset}\"")) {
    if (topic) {
      const auto read = direct::parse_template(node->text, *topic);
      if (read.has_error()) report_notation(source, fields, *node, "\"asset\"", read.error());
    }
    mapping.set_asset(node->text);
  }
  fields.map("assets", "a map of the devices' names to assets' ids", [&](const YamlNode::Member& member) {
    MappedText& name = *mapping.add_assets();
    name.set_from(member.key);
    if (fields.is_text(*member.value, "the asset of \"" + member.key + "\"", "an asset's id")) {
      name.set_to(member.value->text);
    }
  });
  if (mapping.assets_size() > kMostAssetNames) {
    fields.report("assets", "has " + std::to_string(mapping.assets_size()) + " names; at most " +
                                std::to_string(kMostAssetNames) + " are allowed");
  }
}

void read_when(Fields& fields, Mapping& mapping) {
  fields.map("when", "a map of JSON pointers to the values that must stand there", [&](const YamlNode::Member& member) {
    const auto pointer = direct::parse_pointer(member.key);
    if (pointer.has_error()) {
      fields.report(member.key_at, "\"when\": \"" + member.key + "\" " + pointer.error().message);
    }
    MappedText& condition = *mapping.add_when();
    condition.set_from(member.key);
    if (fields.is_text(*member.value, "the value at \"" + member.key + "\"", "a text, a number, true or false")) {
      condition.set_to(member.value->text);
    }
  });
  if (mapping.when_size() > kMostConditions) {
    fields.report("when", "has " + std::to_string(mapping.when_size()) + " conditions; at most " +
                              std::to_string(kMostConditions) + " are allowed");
  }
}

}  // namespace

Mapping read_mapping(const Source& source, const YamlNode& node) {
  Fields fields(source, node, entry_label("mapping", node));
  Mapping mapping;
  mapping.set_id(fields.id("id", Need::required, "the mapping's id, such as tasmota"));
  mapping.set_title(fields.text("title", Need::optional, "a title"));
  mapping.set_payload(static_cast<Mapping::Payload>(fields.word("payload", Need::optional, kPayloads, Mapping::JSON)));
  const auto topic = read_topic(source, fields, mapping);
  read_asset(source, fields, topic, mapping);
  if (node.find("each") != nullptr) {
    mapping.set_each(read_pointer(source, fields, "each", Need::optional));
    mapping.set_has_each(true);
  }
  read_when(fields, mapping);
  if (const YamlNode* time = fields.value("time", Need::optional, "a map with path and format")) {
    *mapping.mutable_time() = read_time(source, *time, fields.what());
  }
  read_signals(source, fields, topic, mapping);
  mapping.set_ignore_empty(fields.word("empty", Need::optional, kEmpty, 0) == 1);
  if (mapping.payload() != Mapping::JSON) {
    for (const std::string_view key : {"each", "when", "time"}) {
      if (node.find(key) == nullptr) continue;
      fields.report(key, "\"" + std::string(key) + "\" looks into JSON, and the payload is one value; remove it");
    }
  }
  fields.finish();
  return mapping;
}

}  // namespace fettle::catalog
