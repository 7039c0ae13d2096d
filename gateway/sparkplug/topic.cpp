#include "gateway/sparkplug/topic.h"

#include <array>
#include <utility>

#include "gateway/sparkplug/value.h"

namespace fettle::sparkplug {
namespace {

constexpr std::array<std::string_view, 9> kTypeNames = {"NBIRTH", "NDEATH", "NDATA", "NCMD", "DBIRTH",
                                                        "DDEATH", "DDATA",  "DCMD",  "STATE"};
constexpr std::size_t kMaxShown = 120;  // bytes of a foreign text in a message to a person

// A text from outside, fit to stand in a message: cut, and without control characters.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text.substr(0, kMaxShown)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  if (text.size() > kMaxShown) out += "...";
  return out + '"';
}

// Cuts the text before the next '/' off the front of `rest`; nothing if `rest` is used up.
std::optional<std::string_view> next_level(std::optional<std::string_view>& rest) {
  if (!rest) return std::nullopt;
  const std::size_t slash = rest->find('/');
  const std::string_view level = rest->substr(0, slash);
  if (slash == std::string_view::npos) {
    rest.reset();
  } else {
    rest->remove_prefix(slash + 1);
  }
  return level;
}

std::optional<MessageType> type_named(std::string_view name) {
  for (std::size_t i = 0; i + 1 < kTypeNames.size(); ++i) {  // STATE stands in another place
    if (kTypeNames[i] == name) return static_cast<MessageType>(i);
  }
  return std::nullopt;
}

Malformed bad(std::string_view topic, const std::string& what) {
  return {"bad_topic", "topic " + quoted(topic) + ": " + what};
}

}  // namespace

std::string_view name_of(MessageType type) {
  return kTypeNames[static_cast<std::size_t>(type)];
}

bool has_device(MessageType type) {
  return type == MessageType::dbirth || type == MessageType::ddeath || type == MessageType::ddata ||
         type == MessageType::dcmd;
}

Result<Topic> parse_topic(std::string_view topic) {
  std::optional<std::string_view> rest = topic;
  if (next_level(rest) != kNamespace) {
    return Malformed{"not_sparkplug", "topic " + quoted(topic) + " is not of Sparkplug B; expected spBv1.0/..."};
  }
  const auto second = next_level(rest);
  const auto third = next_level(rest);
  const auto fourth = next_level(rest);
  const auto fifth = next_level(rest);
  if (!second || !third) return bad(topic, "too short; expected spBv1.0/<group>/<type>/<node>");
  Topic out;
  if (*second == name_of(MessageType::state) && !fourth) {
    if (const auto problem = problem_of_id(*third)) return bad(topic, "the host id " + *problem);
    out.host = *third;
    return out;
  }
  const auto type = type_named(*third);
  if (!type) {
    return Malformed{"unknown_type", "topic " + quoted(topic) + ": " + quoted(*third) +
                                         " is no message type; expected NBIRTH, NDEATH, NDATA, NCMD, DBIRTH, DDEATH, "
                                         "DDATA or DCMD"};
  }
  if (!fourth) return bad(topic, "no edge node id; expected spBv1.0/<group>/<type>/<node>");
  if (rest)
    return bad(topic, "more levels than Sparkplug has; expected at most spBv1.0/<group>/<type>/<node>/<device>");
  if (has_device(*type) && !fifth) return bad(topic, "a message of this type names a device as fifth level");
  if (!has_device(*type) && fifth) return bad(topic, "a message of this type names no device");
  if (const auto problem = problem_of_id(*second)) return bad(topic, "the group id " + *problem);
  if (const auto problem = problem_of_id(*fourth)) return bad(topic, "the edge node id " + *problem);
  if (fifth) {
    if (const auto problem = problem_of_id(*fifth)) return bad(topic, "the device id " + *problem);
    out.device = *fifth;
  }
  out.type = *type;
  out.group = *second;
  out.node = *fourth;
  return out;
}

std::string format_topic(MessageType type, std::string_view group, std::string_view node, std::string_view device) {
  std::string out;
  out.reserve(kNamespace.size() + group.size() + node.size() + device.size() + 10);
  out.append(kNamespace).append(1, '/').append(group).append(1, '/').append(name_of(type)).append(1, '/').append(node);
  if (!device.empty()) out.append(1, '/').append(device);
  return out;
}

std::string state_topic(std::string_view host) {
  return std::string(kNamespace) + '/' + std::string(name_of(MessageType::state)) + '/' + std::string(host);
}

std::optional<std::string> problem_of_id(std::string_view id) {
  if (id.empty()) return "is empty";
  if (id.size() > kMaxIdBytes) {
    return "has " + std::to_string(id.size()) + " bytes; at most " + std::to_string(kMaxIdBytes);
  }
  for (const char c : id) {
    if (c == '+' || c == '/' || c == '#') return std::string("contains '") + c + "', which MQTT keeps for itself";
    if (c == '\0') return "contains a NUL";
  }
  if (!is_utf8(id)) return "is no UTF-8";
  return std::nullopt;
}

}  // namespace fettle::sparkplug
