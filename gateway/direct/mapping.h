#pragma once
// Mappings: how the messages of devices that speak their own JSON become readings of an asset's signals.
//
// Values in, values out; neither catalog nor unit database is known here (gateway/engine/mapping_entries.h makes a
// Mappings out of catalog entries). One thread per Mappings: it reuses its buffers from message to message.

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/direct/mapping_json.h"
#include "gateway/direct/mapping_syntax.h"
#include "gateway/direct/mapping_time.h"
#include "gateway/direct/telemetry.h"

namespace fettle::direct {

inline constexpr std::size_t kMaxMappings = 256;
inline constexpr std::size_t kMaxMappedSignals = 256;  // of one mapping
inline constexpr std::size_t kMaxMappedValues = 256;   // of one signal
inline constexpr std::size_t kMaxMappedName = 64;      // bytes of an asset's or signal's name

// From a device's unit to a model's: ((value * from_scale + from_offset) - to_offset) / to_scale, in this order, so
// that it has the same bits as rules::convert. `none`: the units measure different things.
struct UnitConversion {
  enum class Kind : std::uint8_t { same, linear, none };
  Kind kind = Kind::same;
  double from_scale = 1;
  double from_offset = 0;
  double to_offset = 0;
  double to_scale = 1;

  double operator()(double value) const;
};

struct MappedValue {
  std::string from;
  std::optional<double> from_number;  // `from` read as a number: 1 and 1.0 are the same
  std::string to;
  std::optional<double> to_number;
  bool leave_out = false;  // where `from` stands there is no reading
};

struct SignalMapping {
  Template signal;
  Pointer path;
  // reading = number * multiply / divide + add, then converted. Two whole numbers, so that a scale of 0.1 divides by
  // 10 and 3 becomes 0.3, not 0.30000000000000004.
  double multiply = 1;
  double divide = 1;
  double add = 0;
  std::string unit;                         // for messages
  std::vector<UnitConversion> conversions;  // by ModelSignal::unit; empty: values are in the model's unit
  std::vector<MappedValue> values;          // not empty: only these are known
  bool optional = false;
  bool alternative = false;  // an earlier one yields the same signal, and counts where it is found; set by Mappings
};

enum class PayloadKind : std::uint8_t { json, number, text };

struct Mapping {
  std::string id;
  TopicFilter topic;
  Template asset;
  boost::unordered_flat_map<std::string, std::string> assets;  // what `asset` gives -> asset id
  PayloadKind payload = PayloadKind::json;
  std::optional<Pointer>
      each;  // an array: each element is read by itself, paths begin there (`asset`, `when`: at root)
  std::vector<std::pair<Pointer, MappedValue>> when;  // passed over where another value stands there
  std::optional<Pointer> time;                        // none: when it was received
  std::vector<StampFormat> formats;                   // tried in order
  ZoneClock zone;                                     // of stamps without a zone; empty: those are refused
  std::string zone_name;                              // for messages
  bool time_optional = false;
  std::vector<SignalMapping> signals;
  bool ignore_empty = false;
};

// What a mapping must know of an asset's model.
struct ModelSignal {
  bool state = false;      // its readings are texts
  std::uint32_t unit = 0;  // index into SignalMapping::conversions
  std::string unit_name;   // for messages
};
struct ModelSignals {
  std::string model;
  boost::unordered_flat_map<std::string, ModelSignal> signals;
};

// The id of an asset's model; empty for an unknown asset.
using ModelOf = std::function<std::string_view(std::string_view asset)>;

struct MappedMessage {
  std::string_view topic;
  std::string_view payload;
  Time received;
};

// What one message needs while it is read, reused from message to message.
struct MappingBuffers {
  // Where a value's texts lie in Telemetry::arena, which may move until the message is read.
  struct Span {
    std::size_t signal_at = 0;
    std::size_t signal_size = 0;
    std::size_t text_at = 0;
    std::size_t text_size = 0;
  };
  JsonTree tree;
  std::vector<std::string_view> levels;  // of the topic
  std::string name;                      // of the signal being read
  std::vector<Span> spans;               // by Telemetry::values
};

// Moved, not copied: its indexes point into its mappings and models.
class Mappings {
 public:
  enum class Outcome {
    no_mapping,     // no mapping's topic matches
    readings,       // `out` has at least one value (which may be wrong: ValueKind::wrong says what and where)
    passed_over,    // a mapping matches and says that there is nothing in it for us
    unknown_asset,  // `asset` names it; nothing was read
    malformed,      // `why` says it
  };

  Mappings() = default;
  Mappings(Mappings&&) = default;
  Mappings& operator=(Mappings&&) = default;
  Mappings(const Mappings&) = delete;
  Mappings& operator=(const Mappings&) = delete;
  ~Mappings() = default;
  // Of mappings with crossing or equal topics one wins: the catalog refuses them.
  Mappings(std::vector<Mapping> mappings, std::vector<ModelSignals> models);

  bool empty() const { return mappings_.empty(); }

  // The mapping whose topic matches most closely, or nullptr: literals before {name} and +, these before #.
  const Mapping* match(std::string_view topic) const;

  // match(), then what the message says. `asset` is empty until it is known. In `out` a value of a signal that was
  // expected and is missing is ValueKind::wrong; groups without values are left out. Signals that the asset's model
  // does not have are left out, unless the message itself named them.
  Outcome apply(const MappedMessage& message, const ModelOf& model_of, Telemetry& out, std::string& asset,
                Malformed& why);

 private:
  // A level of all topics together; children by what stands there.
  struct Branch {
    boost::unordered_flat_map<std::string_view, std::uint32_t> literals;
    std::optional<std::uint32_t> any;
    std::optional<std::uint32_t> mapping;       // whose topic ends here
    std::optional<std::uint32_t> mapping_rest;  // whose # stands here
  };
  std::uint32_t grow(std::optional<std::uint32_t> child);
  void plant(std::uint32_t index);
  std::optional<std::uint32_t> search(std::uint32_t branch, std::string_view rest) const;

  std::vector<Mapping> mappings_;
  std::vector<ModelSignals> models_;
  boost::unordered_flat_map<std::string_view, std::uint32_t> model_index_;
  std::vector<Branch> branches_;
  MappingBuffers buffers_;
};

}  // namespace fettle::direct
