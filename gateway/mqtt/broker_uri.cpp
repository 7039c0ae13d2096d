#include "gateway/mqtt/broker_uri.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace fettle::mqtt_adapter {
namespace {

constexpr std::size_t kLongestHost = 253;  // characters of a name in the DNS (RFC 1035, 2.3.4)

struct Scheme {
  std::string_view text;
  bool tls;
};
constexpr std::array<Scheme, 4> kSchemes{{{"tcp://", false}, {"mqtt://", false}, {"ssl://", true}, {"mqtts://", true}}};

bool host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool address6_character(char c) {
  return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || (c >= '0' && c <= '9') || c == ':' || c == '.';
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value == 0 || value > 65'535) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

}  // namespace

std::string BrokerUri::for_paho() const {
  const bool address6 = host.find(':') != std::string::npos;
  return (tls ? "ssl://" : "tcp://") + (address6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

std::optional<BrokerUri> parse_broker_uri(std::string_view text) {
  const auto* scheme =
      std::find_if(kSchemes.begin(), kSchemes.end(), [&](const Scheme& known) { return text.starts_with(known.text); });
  if (scheme == kSchemes.end()) return std::nullopt;
  text.remove_prefix(scheme->text.size());
  BrokerUri uri;
  uri.tls = scheme->tls;
  uri.port = uri.tls ? kTlsPort : kPlainPort;
  std::string_view rest;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    uri.host = text.substr(1, close - 1);
    rest = text.substr(close + 1);
    if (!std::all_of(uri.host.begin(), uri.host.end(), address6_character)) return std::nullopt;
  } else {
    const std::size_t colon = std::min(text.find(':'), text.size());
    uri.host = text.substr(0, colon);
    rest = text.substr(colon);
    if (!std::all_of(uri.host.begin(), uri.host.end(), host_character)) return std::nullopt;
  }
  if (uri.host.empty() || uri.host.size() > kLongestHost) return std::nullopt;
  if (rest.empty()) return uri;
  if (!rest.starts_with(':')) return std::nullopt;
  const auto port = parse_port(rest.substr(1));
  if (!port) return std::nullopt;
  uri.port = *port;
  return uri;
}

}  // namespace fettle::mqtt_adapter
