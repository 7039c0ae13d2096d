#include "gateway/direct/mapping_reader.h"

#include <algorithm>
#include <cmath>

namespace fettle::direct {
namespace {

constexpr std::size_t kMostListed = 8;  // names in a message

std::string place_of(const Pointer& path) {
  return path.text.empty() ? "the message itself" : path.text;
}

void append(std::string& out, std::string_view text, Letters letters) {
  for (const char c : text) {
    if (letters == Letters::lower && c >= 'A' && c <= 'Z') {
      out += static_cast<char>(c - 'A' + 'a');
    } else if (letters == Letters::upper && c >= 'a' && c <= 'z') {
      out += static_cast<char>(c - 'a' + 'A');
    } else {
      out += c;
    }
  }
}

bool is_value(const JsonNode& node) {
  return node.kind != JsonNode::Kind::object && node.kind != JsonNode::Kind::array;
}

bool stands_for(const MappedValue& value, const JsonNode& node) {
  if (!is_value(node)) return false;
  if (node.text == value.from) return true;
  return node.kind == JsonNode::Kind::number && value.from_number && number_of(node.text) == value.from_number;
}

std::string known_values(const SignalMapping& signal) {
  std::string out;
  for (std::size_t i = 0; i < signal.values.size(); ++i) {
    if (i == kMostListed) return out + " and more";
    out += (i == 0 ? "" : ", ") + signal.values[i].from;
  }
  return out;
}

}  // namespace

void split_levels(std::string_view topic, std::size_t count, std::vector<std::string_view>& out) {
  out.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t slash = topic.find('/');
    out.push_back(topic.substr(0, slash));
    topic = slash == std::string_view::npos ? std::string_view() : topic.substr(slash + 1);
  }
}

std::optional<std::string> MappingReader::open(std::string_view payload) {
  switch (mapping_.payload) {
    case PayloadKind::number:
      return buffers_.tree.number(payload);
    case PayloadKind::text:
      return buffers_.tree.text(payload);
    case PayloadKind::json:
      break;
  }
  return buffers_.tree.parse(payload);
}

bool MappingReader::wanted() const {
  return std::all_of(mapping_.when.begin(), mapping_.when.end(), [&](const auto& condition) {
    const JsonNode* node = buffers_.tree.find(buffers_.tree.root(), condition.first);
    return node != nullptr && stands_for(condition.second, *node);
  });
}

std::optional<std::string> MappingReader::fill(const Template& source, const JsonNode& from, std::string& out) const {
  out.clear();
  for (const Template::Piece& piece : source.pieces) {
    std::string_view text = piece.text;
    if (piece.kind == Template::Piece::Kind::level) text = buffers_.levels[piece.level];
    if (piece.kind == Template::Piece::Kind::path) {
      const JsonNode* node = buffers_.tree.find(from, piece.path);
      if (node == nullptr) {
        return "nothing stands at " + piece.path.text + ", which " + source.text + " is made from; " +
               buffers_.tree.where_it_ends(from, piece.path);
      }
      if (!is_value(*node) || node->kind == JsonNode::Kind::null) {
        return "at " + piece.path.text + ", which " + source.text + " is made from, stands " + in_words(*node) +
               "; expected a text or a number";
      }
      text = node->text;
    }
    if (out.size() + text.size() > kMaxMappedName) {
      return source.text + " gives more than " + std::to_string(kMaxMappedName) + " bytes: " + excerpt(out) +
             " and then " + excerpt(text);
    }
    append(out, text, piece.letters);
  }
  if (out.empty()) return source.text + " gives an empty text";
  return std::nullopt;
}

std::optional<std::string> MappingReader::read_asset(std::string& asset) {
  if (auto fault = fill(mapping_.asset, buffers_.tree.root(), asset)) {
    asset.clear();
    return fault;
  }
  const auto renamed = mapping_.assets.find(asset);
  if (renamed != mapping_.assets.end()) asset = renamed->second;
  return std::nullopt;
}

std::optional<std::string> MappingReader::read(const ModelSignals& model, Telemetry& out) {
  if (!mapping_.each) {
    if (auto fault = read_element(buffers_.tree.root(), model, out)) return fault;
  } else {
    const JsonNode* list = buffers_.tree.find(buffers_.tree.root(), *mapping_.each);
    if (list == nullptr || list->kind != JsonNode::Kind::array) {
      if (list == nullptr && mapping_.ignore_empty) return std::nullopt;
      return "expected an array at " + place_of(*mapping_.each) + "; " +
             (list == nullptr ? buffers_.tree.where_it_ends(buffers_.tree.root(), *mapping_.each)
                              : "there is " + in_words(*list));
    }
    const JsonNode* element = buffers_.tree.first(*list);
    for (std::uint32_t i = 0; i < list->count; ++i) {
      if (auto fault = read_element(*element, model, out)) return "element " + std::to_string(i) + ": " + *fault;
      element = buffers_.tree.after(*element);
    }
  }
  if (found_ == 0) {
    out.values.clear();
    out.groups.clear();
    if (mapping_.ignore_empty) return std::nullopt;
    return nothing_found(model);
  }
  for (std::size_t i = 0; i < buffers_.spans.size(); ++i) {
    const std::string_view arena = out.arena;
    out.values[i].signal = arena.substr(buffers_.spans[i].signal_at, buffers_.spans[i].signal_size);
    out.values[i].text = arena.substr(buffers_.spans[i].text_at, buffers_.spans[i].text_size);
  }
  return std::nullopt;
}

std::optional<std::string> MappingReader::read_element(const JsonNode& element, const ModelSignals& model,
                                                       Telemetry& out) {
  const std::size_t first = out.values.size();
  for (const SignalMapping& signal : mapping_.signals) {
    const JsonNode* node = buffers_.tree.find(element, signal.path);
    const bool missing = node == nullptr || node->kind == JsonNode::Kind::null;
    if (missing && signal.optional) continue;
    if (auto fault = fill(signal.signal, element, buffers_.name)) return fault;
    const auto form = model.signals.find(buffers_.name);
    if (form == model.signals.end() && signal.signal.fixed()) continue;  // another model's signal
    if (signal.alternative && already_read(first, out)) continue;
    if (out.values.size() >= kMaxReadings) {
      too_many_ = true;
      return "more than " + std::to_string(kMaxReadings) + " readings in one message; send several messages";
    }
    if (missing) {
      add(ValueKind::wrong, 0,
          "missing: nothing stands at " + place_of(signal.path) + " (" +
              (node == nullptr ? buffers_.tree.where_it_ends(element, signal.path)
                               : place_of(signal.path) + " is null") +
              ")",
          out);
      continue;
    }
    ++found_;
    read_value(signal, *node, form == model.signals.end() ? ModelSignal() : form->second, out);
  }
  if (out.values.size() == first) return std::nullopt;
  Group group{std::nullopt, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(out.values.size() - first)};
  if (auto fault = read_time(element, group.time)) return fault;
  out.groups.push_back(group);
  return std::nullopt;
}

bool MappingReader::already_read(std::size_t first, const Telemetry& out) const {
  for (std::size_t i = first; i < out.values.size(); ++i) {
    const MappingBuffers::Span& span = buffers_.spans[i];
    if (std::string_view(out.arena).substr(span.signal_at, span.signal_size) == buffers_.name) return true;
  }
  return false;
}

std::optional<std::string> MappingReader::read_time(const JsonNode& element, std::optional<Time>& time) const {
  if (!mapping_.time) return std::nullopt;
  const JsonNode* node = buffers_.tree.find(element, *mapping_.time);
  if (node == nullptr || node->kind == JsonNode::Kind::null) {
    if (mapping_.time_optional) return std::nullopt;
    return "expected the time at " + place_of(*mapping_.time) + "; " +
           (node == nullptr ? buffers_.tree.where_it_ends(element, *mapping_.time) : "null stands there");
  }
  std::string expected;
  for (const StampFormat format : mapping_.formats) {
    time = stamp_of(*node, format, mapping_.zone, received_);
    if (time) return std::nullopt;
    switch (format) {
      case StampFormat::unix_s:
        expected += " or seconds since 1970";
        break;
      case StampFormat::unix_ms:
        expected += " or milliseconds since 1970";
        break;
      case StampFormat::unix_us:
        expected += " or microseconds since 1970";
        break;
      case StampFormat::unix_ns:
        expected += " or nanoseconds since 1970";
        break;
      case StampFormat::iso8601:
        expected += mapping_.zone ? " or an ISO 8601 time that exists in zone " + mapping_.zone_name
                                  : std::string(" or an ISO 8601 time with a zone (the mapping names none)");
    }
  }
  return "at " + place_of(*mapping_.time) + " stands " + in_words(*node) + "; expected" +
         (expected.empty() ? " no time" : expected.substr(3));
}

void MappingReader::read_value(const SignalMapping& signal, const JsonNode& node, const ModelSignal& form,
                               Telemetry& out) {
  if (!is_value(node)) {
    add(ValueKind::wrong, 0, in_words(node) + " at " + place_of(signal.path), out);
    return;
  }
  const MappedValue* value = nullptr;
  for (const MappedValue& each : signal.values) {
    if (!stands_for(each, node)) continue;
    value = &each;
    break;
  }
  if (value != nullptr && value->leave_out) return;
  if (value == nullptr && !signal.values.empty()) {
    add(ValueKind::wrong, 0,
        in_words(node) + " at " + place_of(signal.path) + ", and the mapping knows only " + known_values(signal), out);
  } else if (form.state) {
    add(ValueKind::text, 0, value != nullptr ? std::string_view(value->to) : node.text, out);
  } else {
    read_number(signal, node, value, form, out);
  }
}

void MappingReader::read_number(const SignalMapping& signal, const JsonNode& node, const MappedValue* value,
                                const ModelSignal& form, Telemetry& out) {
  std::optional<double> number;
  if (value != nullptr) {
    number = value->to_number;
  } else if (node.kind == JsonNode::Kind::boolean) {
    number = node.flag ? 1.0 : 0.0;
  } else {
    number = number_of(node.text);
  }
  if (!number) {
    add(ValueKind::wrong, 0,
        value != nullptr ? excerpt(value->to) + " by the mapping" : in_words(node) + " at " + place_of(signal.path),
        out);
    return;
  }
  double result = *number * signal.multiply / signal.divide + signal.add;
  if (form.unit < signal.conversions.size()) {
    const UnitConversion& conversion = signal.conversions[form.unit];
    if (conversion.kind == UnitConversion::Kind::none) {
      add(ValueKind::wrong, 0,
          "in " + signal.unit + " by the mapping, which is no measure of the model's " + form.unit_name, out);
      return;
    }
    result = conversion(result);
  }
  if (std::isfinite(result)) {
    add(ValueKind::number, result, {}, out);
  } else {
    add(ValueKind::wrong, 0, in_words(node) + ", too large once converted", out);
  }
}

void MappingReader::add(ValueKind kind, double number, std::string_view text, Telemetry& out) {
  MappingBuffers::Span span;
  span.signal_at = out.arena.size();
  span.signal_size = buffers_.name.size();
  out.arena.append(buffers_.name);
  span.text_at = out.arena.size();
  span.text_size = text.size();
  out.arena.append(text);
  buffers_.spans.push_back(span);
  out.values.push_back({{}, kind, number, {}});
}

std::string MappingReader::nothing_found(const ModelSignals& model) const {
  std::string paths;
  std::size_t listed = 0;
  for (const SignalMapping& signal : mapping_.signals) {
    if (signal.signal.fixed() && !model.signals.contains(signal.signal.text)) continue;
    if (listed++ == kMostListed) break;
    paths += (listed == 1 ? "" : ", ") + place_of(signal.path);
  }
  if (listed == 0) return "the asset's model has none of the mapping's signals; declare them there";
  const JsonNode& root = buffers_.tree.root();
  const std::string there =
      root.kind == JsonNode::Kind::object ? buffers_.tree.where_it_ends(root, Pointer()) : "it is " + in_words(root);
  return "the message has nothing at " + paths + (listed > kMostListed ? " and more" : "") + "; " + there;
}

}  // namespace fettle::direct
