#include <google/protobuf/stubs/logging.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "gateway/sparkplug/arrays.h"
#include "gateway/sparkplug/compressed.h"
#include "gateway/sparkplug/payload.h"
#include "gateway/sparkplug/payload.pb.h"
#include "gateway/sparkplug/value.h"
#include "tests/fuzz/entries.h"
#include "tests/gateway/sparkplug/judge.h"

namespace fettle::sparkplug::testing {
namespace {

void check(bool holds, const std::string& what) {
  if (holds) return;
  std::cerr << "broken law: " << what << '\n';
  std::abort();
}

// Everything a reader may ask of a value, under every type there is.
void interpret(const Value& value, std::vector<Value>& elements) {
  for (std::uint32_t number = 0; number <= 35; ++number) {
    const auto type = static_cast<DataType>(number);
    const auto integer = integer_of(value, type);
    const auto number_said = number_of(value, type);
    check(!integer || number_said, "an integer that is no number");
    text_of(value, type);
    if (value.kind != ValueKind::bytes || !is_array(type)) continue;
    elements.clear();
    const auto refused = decode_array(type, value.text, elements);
    const auto count = count_elements(type, value.text);
    check(refused.has_value() || count == elements.size(), "an array whose elements were counted wrongly");
  }
}

void interpret_all(const Payload& payload) {
  std::vector<Value> elements;
  for (const auto* metrics : {&payload.metrics, &payload.members}) {
    for (const Metric& metric : *metrics) {
      interpret(metric.value, elements);
      quality_of(payload, metric);
      if (metric.timestamp) time_of(*metric.timestamp);
      check(is_utf8(metric.name), "a name that is no UTF-8");
    }
  }
  for (const Value& cell : payload.cells) interpret(cell, elements);
  for (const Property& property : payload.properties) interpret(property.value, elements);
}

// Unwraps what says that it is compressed; what is inside must keep the laws of any payload.
void unwrap_all(Payload& payload) {
  if (!is_compressed(payload)) return;
  constexpr std::size_t kLimit = 64U << 10U;  // bytes
  static std::string inflated;
  if (const auto refused = unwrap(payload, kLimit, inflated)) {
    check(!refused->reason.empty() && !refused->detail.empty(), "a compressed payload refused without a reason");
    return;
  }
  check(inflated.size() <= kLimit, "more bytes than the limit came out of a compressed payload");
  const std::string differs = difference(inflated, payload);
  check(differs.empty(), "in a compressed payload, " + differs);
  interpret_all(payload);
}

}  // namespace

void fuzz_payload(std::string_view bytes) {
  const google::protobuf::LogSilencer quiet;
  static Payload payload;  // reused, as the gateway does
  if (const auto refused = decode(bytes, payload)) {
    check(!refused->reason.empty() && !refused->detail.empty(), "a refusal without a reason");
    return;
  }
  check(payload.metrics.size() + payload.members.size() <= kMaxMetrics, "more metrics than the limit");
  std::string differs = difference(bytes, payload);
  check(differs.empty(), differs);
  interpret_all(payload);
  unwrap_all(payload);

  wire::Payload theirs;
  theirs.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
  const std::string again = theirs.SerializeAsString();
  static Payload second;
  const auto refused = decode(again, second);
  check(!refused, "refused after Protobuf encoded it again: " + (refused ? refused->detail : std::string()));
  differs = difference(again, second);
  check(differs.empty(), "after Protobuf encoded it again, " + differs);
}

}  // namespace fettle::sparkplug::testing
