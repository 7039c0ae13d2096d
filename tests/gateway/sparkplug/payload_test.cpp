// The decoder: what it reads, what it refuses, and that damage never harms it.

#include "gateway/sparkplug/payload.h"

#include <gtest/gtest.h>

#include "gateway/sparkplug/value.h"
#include "tests/gateway/sparkplug/covers.h"
#include "tests/gateway/sparkplug/judge.h"
#include "tests/gateway/sparkplug/messages.h"
#include "tests/gateway/sparkplug/samples.h"

namespace fettle::sparkplug::testing {
namespace {

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>((value & 0x7FU) | 0x80U);
  return out + static_cast<char>(value);
}
std::string field(std::uint32_t number, std::uint64_t value) {
  return varint(number << 3U) + varint(value);
}
std::string field(std::uint32_t number, const std::string& bytes) {
  return varint(number << 3U | 2U) + varint(bytes.size()) + bytes;
}

TEST(Decoder, ReadsEverySampleAsProtobufDoes) {
  for (const SamplePayload& sample : sample_payloads()) {
    Payload payload;
    const auto problem = decode(sample.bytes, payload);
    ASSERT_FALSE(problem) << sample.name << ": " << problem->detail;
    EXPECT_EQ(difference(sample.bytes, payload), "") << sample.name;
  }
}

TEST(Decoder, ForgetsThePayloadBefore) {
  Payload payload;
  for (const SamplePayload& sample : sample_payloads()) ASSERT_FALSE(decode(sample.bytes, payload));
  ASSERT_FALSE(decode("", payload));
  EXPECT_EQ(difference("", payload), "");
}

TEST(Decoder, SkipsFieldsNobodyKnows) {
  const std::string metric = field(1, "Speed") + field(200, "extension") + varint(201U << 3U | 1U) + "12345678" +
                             varint(202U << 3U | 5U) + "1234" + field(10, 7);
  const std::string bytes = field(99, 5) + field(2, metric) + field(3, 1);
  Payload payload;
  const auto problem = decode(bytes, payload);
  ASSERT_FALSE(problem) << problem->detail;
  ASSERT_EQ(payload.metrics.size(), 1u);
  EXPECT_EQ(payload.metrics[0].name, "Speed");
  EXPECT_EQ(integer_of(payload.metrics[0].value, DataType::int32), 7);
  EXPECT_EQ(difference(bytes, payload), "");
}

TEST(Decoder, TakesTheLastOfAFieldGivenTwiceAsProtobufDoes) {
  const std::string bytes =
      field(3, 1) + field(2, field(10, 1) + field(11, 2) + field(1, "a") + field(1, "b")) + field(3, 9);
  Payload payload;
  ASSERT_FALSE(decode(bytes, payload));
  EXPECT_EQ(payload.seq, 9u);
  EXPECT_EQ(payload.metrics[0].name, "b");
  EXPECT_EQ(difference(bytes, payload), "");
}

TEST(Decoder, ReadsTypesOfADataSetPackedOrNot) {
  const std::string names = field(2, "a") + field(2, "b");
  const std::string row = field(4, field(1, field(1, 5)) + field(1, field(1, 6)));
  for (const std::string& types : {field(3, 3) + field(3, 7), field(3, varint(3) + varint(7))}) {
    std::string set = names;
    set.append(types).append(row);
    const std::string bytes = field(2, field(17, set));
    Payload payload;
    const auto problem = decode(bytes, payload);
    ASSERT_FALSE(problem) << problem->detail;
    EXPECT_EQ(payload.columns[1].datatype, 7u);
    EXPECT_EQ(difference(bytes, payload), "");
  }
}

struct RefusedBytes {
  std::string title;
  std::string bytes;
  const char* reason;
};

TEST(Decoder, RefusesWhatItCannotTrust) {
  COVERS("payloads-propertyset-keys-array-size", "payloads-propertyset-values-array-size",
         "payloads-template-parameter-name-type", "payloads-template-ref-instance");
  const std::string key = field(1, "k");
  const std::string value = field(2, field(3, 1));
  const RefusedBytes rows[] = {
      {"text", "hello", "malformed"},
      {"a cut tag", "\x80", "malformed"},
      {"a number of eleven bytes", varint(3U << 3U) + std::string(10, '\xFF') + '\x01', "malformed"},
      {"a field with number 0", std::string("\x00\x01", 2), "malformed"},
      {"a length beyond the end", field(2, "").substr(0, 1) + varint(5) + "abc", "malformed"},
      {"a length of six bytes", varint(2U << 3U | 2U) + std::string(5, '\x80') + '\0', "malformed"},
      {"a field number of six bytes", '\x98' + std::string(4, '\x80') + '\0' + '\x07', "malformed"},
      {"a length of 2^63", varint(2U << 3U | 2U) + varint(1ULL << 63U), "malformed"},
      {"seq as text", field(3, "1"), "malformed"},
      {"a name as number", field(2, field(1, 5)), "malformed"},
      {"a cut double", field(2, varint(13U << 3U | 1U) + "1234567"), "malformed"},
      {"a cut float", field(2, varint(12U << 3U | 5U) + "123"), "malformed"},
      {"a group", varint(7U << 3U | 3U) + varint(7U << 3U | 4U), "malformed"},
      {"a name that is no UTF-8", field(2, field(1, "\xFFx")), "not_utf8"},
      {"a name of 1,025 bytes", field(2, field(1, std::string(1'025, 'n'))), "name_too_long"},
      {"a property key that is no UTF-8", field(2, field(9, field(1, "\xC3") + value)), "not_utf8"},
      {"a parameter name that is no UTF-8", field(2, field(18, field(3, field(1, "\xC3")))), "not_utf8"},
      {"a template reference that is no UTF-8", field(2, field(18, field(4, "\xC3"))), "not_utf8"},
      {"a key without a value", field(2, field(9, key)), "malformed"},
      {"a value without a key", field(2, field(9, key + value + value)), "malformed"},
      {"properties twice", field(2, field(9, key + value) + field(9, key + value)), "malformed"},
      {"metadata twice", field(2, field(8, "") + field(8, "")), "malformed"},
      {"a template twice", field(2, field(18, "") + field(18, "")), "malformed"},
      {"a data set twice", field(2, field(17, "") + field(17, "")), "malformed"},
      {"columns without types", field(2, field(17, field(2, "a"))), "malformed"},
      {"types without columns", field(2, field(17, field(3, 3))), "malformed"},
      {"fewer columns than said", field(2, field(17, field(1, 2) + field(2, "a") + field(3, 3))), "malformed"},
      {"a row too short", field(2, field(17, field(2, "a") + field(3, 3) + field(4, ""))), "malformed"},
      {"a row too long", field(2, field(17, field(2, "a") + field(3, 3) + field(4, field(1, "") + field(1, "")))),
       "malformed"},
      {"templates nine deep",
       [] {
         std::string inner;
         for (int i = 0; i < 9; ++i) inner = field(18, inner.empty() ? inner : field(2, inner));
         return field(2, inner);
       }(),
       "too_deep"},
      {"property sets nine deep",
       [] {
         std::string set;
         for (int i = 0; i < 9; ++i) set = field(1, "k") + field(2, i == 0 ? field(3, 1) : field(9, set));
         return field(2, field(9, set));
       }(),
       "too_deep"},
      {"more metrics than allowed", [] {
         std::string bytes;
         for (std::size_t i = 0; i <= kMaxMetrics; ++i) bytes += field(2, "");
         return bytes;
       }(),
       "too_many_metrics"},
      {"more members than allowed", [] {
         std::string members;
         for (std::size_t i = 0; i < kMaxMetrics; ++i) members += field(2, "");
         return field(2, field(18, members));
       }(),
       "too_many_metrics"},
      {"more cells than allowed", [] {
         std::string set;
         for (int i = 0; i < 1'000; ++i) set += field(2, "") + field(3, 3);
         for (int i = 0; i < 101; ++i) set += field(4, "");
         return field(2, field(17, set));
       }(),
       "too_many_cells"},
      {"more rows than allowed", [] {
         std::string set;
         for (std::size_t i = 0; i <= kMaxCells; ++i) set += field(4, "");
         return field(2, field(17, set));
       }(),
       "too_many_cells"},
      {"more properties than allowed", [] {
         std::string set;
         for (std::size_t i = 0; i <= kMaxProperties; ++i) set += field(1, "") + field(2, "");
         return field(2, field(9, set));
       }(),
       "too_many_properties"},
      {"more bytes than allowed", std::string(kMaxPayloadBytes + 1, '\0'), "too_large"},
  };
  for (const RefusedBytes& row : rows) {
    Payload payload;
    const auto problem = decode(row.bytes, payload);
    ASSERT_TRUE(problem) << row.title;
    EXPECT_EQ(problem->reason, row.reason) << row.title << ": " << problem->detail;
    EXPECT_FALSE(problem->detail.empty()) << row.title;
    EXPECT_LE(payload.cells.capacity(), kMaxCells) << row.title;
  }
}

TEST(Decoder, AcceptsWhatIsJustWithinTheLimits) {
  std::string templates;
  for (int i = 0; i < 8; ++i) templates = field(18, templates.empty() ? templates : field(2, templates));
  std::string metrics;
  for (std::size_t i = 0; i < kMaxMetrics; ++i) metrics += field(2, "");
  for (const std::string& bytes : {field(2, templates), metrics, field(2, field(1, std::string(kMaxNameBytes, 'n')))}) {
    Payload payload;
    const auto problem = decode(bytes, payload);
    ASSERT_FALSE(problem) << problem->detail;
    EXPECT_EQ(difference(bytes, payload), "");
  }
}

TEST(Decoder, SaysWhereItStumbled) {
  Payload payload;
  const auto problem = decode(field(3, 1) + field(2, field(1, "ok")) + field(2, field(13, 5)), payload);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->detail.substr(0, 27), "byte 11 of 12, at metric 2:") << problem->detail;
}

// ---- damage

void check(const std::string& bytes, const std::string& what) {
  Payload payload;
  const auto problem = decode(bytes, payload);
  if (problem) return;
  ASSERT_EQ(difference(bytes, payload), "") << what;
}

TEST(Decoder, SurvivesEveryTruncationAndEveryByteChanged) {
  for (const SamplePayload& sample : sample_payloads()) {
    for (std::size_t end = 0; end < sample.bytes.size(); ++end) {
      check(sample.bytes.substr(0, end), sample.name + " cut at " + std::to_string(end));
    }
    for (std::size_t at = 0; at < sample.bytes.size(); ++at) {
      std::string bytes = sample.bytes;
      for (int value = 0; value < 256; ++value) {
        bytes[at] = static_cast<char>(value);
        check(bytes, sample.name + " with byte " + std::to_string(at) + " = " + std::to_string(value));
      }
    }
  }
}

TEST(Hosts, SurviveEveryTruncationAndEveryByteChanged) {
  for (const SamplePayload& sample : sample_payloads()) {
    Host host;
    host.send(Host::topic("NBIRTH"), Host::birth(0, 900));
    host.send(Host::topic("DBIRTH", "n1", "d1"), Host::device_birth(1, 901));
    for (std::size_t at = 0; at < sample.bytes.size(); ++at) {
      for (const int change : {0x01, 0x08, 0x80, 0xFF}) {
        std::string bytes = sample.bytes;
        bytes[at] = static_cast<char>(bytes[at] ^ change);
        for (const char* type : {"NBIRTH", "NDATA", "NDEATH"}) host.send(Host::topic(type), bytes);
        for (const char* type : {"DBIRTH", "DDATA", "DDEATH"}) host.send(Host::topic(type, "n1", "d1"), bytes);
        host.tick(700);
      }
      host.send(Host::topic("NDATA"), sample.bytes.substr(0, at));
    }
    host.send(Host::topic("NBIRTH"), Host::birth(0, 99'000, 9));
    EXPECT_EQ(host.send(Host::topic("NDATA"), P(1, 99'001, {M::aliased(1).at(99'001).number(4)})),
              "data plant/n1 Speed=4@99001")
        << "after whatever came, a birth puts things right: " << sample.name;
  }
}

}  // namespace
}  // namespace fettle::sparkplug::testing
