#pragma once
// Sparkplug topics (specification 3.0, chapter 4): spBv1.0/<group>/<type>/<node>[/<device>] and spBv1.0/STATE/<host>.
//
// Views only; nothing is copied. Pure.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/sparkplug/malformed.h"

namespace fettle::sparkplug {

inline constexpr std::string_view kNamespace = "spBv1.0";
// Of a group, node, device or host id, in bytes. The specification names none; MQTT's bound for a topic is 65,535.
inline constexpr std::size_t kMaxIdBytes = 1'024;

enum class MessageType : std::uint8_t { nbirth, ndeath, ndata, ncmd, dbirth, ddeath, ddata, dcmd, state };

// "NBIRTH" ... "STATE".
std::string_view name_of(MessageType type);
// DBIRTH, DDEATH, DDATA and DCMD name a device; the others must not (topic-structure-namespace-device-id-*).
bool has_device(MessageType type);

struct Topic {  // views into the text that was parsed
  MessageType type = MessageType::state;
  std::string_view group;   // empty for STATE
  std::string_view node;    // empty for STATE
  std::string_view device;  // empty unless has_device(type)
  std::string_view host;    // of STATE
};

// reason: not_sparkplug (another namespace), unknown_type (a fourth word the specification does not list), bad_topic.
Result<Topic> parse_topic(std::string_view topic);

// Asks for ids that problem_of_id() finds nothing against. `device` only where has_device(type).
std::string format_topic(MessageType type, std::string_view group, std::string_view node, std::string_view device = {});
std::string state_topic(std::string_view host);

// What is wrong with a group, node, device or host id, as "is empty", "contains '+'" ...; nothing if it is valid:
// UTF-8, not empty, none of + / # and no NUL (MQTT 3.1.1, 1.5.3), at most kMaxIdBytes.
std::optional<std::string> problem_of_id(std::string_view id);

}  // namespace fettle::sparkplug
