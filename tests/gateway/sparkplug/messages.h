#pragma once
// Short ways to say Sparkplug messages in tests, and what a host made of them as lines of text. Payloads are made with
// the generated code, which knows nothing of our own decoder.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/sparkplug/host_nodes.h"
#include "gateway/sparkplug/payload.pb.h"

namespace fettle::sparkplug::testing {

// One metric; the setters return itself, so that tests read as lists.
struct M {
  wire::Metric metric;

  static M named(const std::string& name) { return M().name(name); }
  static M aliased(std::uint64_t alias) { return M().alias(alias); }
  M& name(const std::string& text);
  M& alias(std::uint64_t number);
  M& at(std::int64_t milliseconds);
  M& type(DataType type);
  M& number(double value);
  M& integer(std::uint32_t value);
  M& whole(std::uint64_t value);  // long_value
  M& flag(bool value);
  M& text(const std::string& value);
  M& bytes(const std::string& value);
  M& null();
  M& historical();
  M& transient();
  M& quality(std::uint32_t value);
};

struct P {
  wire::Payload payload;

  P() = default;
  P(std::optional<std::uint64_t> seq, std::optional<std::int64_t> stamp, const std::vector<M>& metrics = {});
  std::string bytes() const;
};

// A host, a clock, and everything it said as lines:
//   "discovered plant/n1"               "born plant/n1 after absence", "born plant/n1 rebirth", "born plant/n1"
//   "data plant/n1 birth Speed=1@5"     values with name, value, time and flags: ~historical !transient ?unstamped
//   "died plant/n1 @7"  "stale plant/n1 @7"  "rebirth plant/n1 gap"  "refused unknown_alias"
//   "gap plant/n1 opened 5 got 7 missing 2"
class Host {
 public:
  explicit Host(const HostOptions& options = {}, std::int64_t begin = 1'000);

  std::int64_t now = 0;  // ms
  std::string broker = "b1";
  HostNodes nodes;
  Output out;  // of the last call

  // Each returns what the call said, joined by "; ".
  std::string send(const std::string& topic, const std::string& payload);
  std::string send(const std::string& topic, const P& payload) { return send(topic, payload.bytes()); }
  std::string tick(std::int64_t milliseconds);  // lets that much time pass
  std::string lose_broker();

  // "spBv1.0/plant/NBIRTH/n1", with a device where one is given.
  static std::string topic(const std::string& type, const std::string& node = "n1", const std::string& device = "");
  // Node n1 of group plant: metrics Speed (alias 1, Double) and Count (alias 2, Int32), besides bdSeq and Rebirth.
  static P birth(std::uint64_t seq, std::int64_t stamp, std::uint64_t bd_seq = 0);
  // Device: Temperature (alias 11, Double).
  static P device_birth(std::uint64_t seq, std::int64_t stamp);
  static P death(std::uint64_t bd_seq);

 private:
  std::string_view keep(const std::string& text);
  std::deque<std::string> kept_;  // views in `out` reach into what was sent
  std::uint64_t sequence_ = 0;
};

// What `out` says, as lines.
std::string told(const HostNodes& nodes, const Output& out);

}  // namespace fettle::sparkplug::testing
