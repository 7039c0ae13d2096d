#include "gateway/sparkplug/arrays.h"

#include <gtest/gtest.h>

#include "gateway/sparkplug/encode.h"
#include "gateway/sparkplug/value.h"

namespace fettle::sparkplug {
namespace {

std::string from_hex(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

struct Row {
  DataType type;
  std::vector<Scalar> values;
  const char* hex;
};

// Numbers of our own; the specification's examples are in recorded_payloads_test.cpp, with the recordings.
const std::vector<Row>& rows() {
  static const std::vector<Row> kRows = {
      {DataType::int8_array, {std::int64_t{-2}, std::int64_t{127}}, "FE7F"},
      {DataType::int16_array, {std::int64_t{-2}, std::int64_t{258}}, "FEFF0201"},
      {DataType::int32_array, {std::int64_t{-2}, std::int64_t{16'909'060}}, "FEFFFFFF04030201"},
      {DataType::int64_array, {std::int64_t{-2}}, "FEFFFFFFFFFFFFFF"},
      {DataType::uint8_array, {std::int64_t{0}, std::int64_t{255}}, "00FF"},
      {DataType::uint16_array, {std::int64_t{65'535}}, "FFFF"},
      {DataType::uint32_array, {std::int64_t{4'294'967'294}}, "FEFFFFFF"},
      {DataType::uint64_array, {std::int64_t{1}}, "0100000000000000"},
      {DataType::float32_array, {1.0, -2.0}, "0000803F000000C0"},
      {DataType::float64_array, {1.0, -2.0}, "000000000000F03F00000000000000C0"},
      {DataType::boolean_array, {true, false, false, false, false, false, false, true, true}, "090000008180"},
      {DataType::string_array, {std::string("a"), std::string(), std::string("bc")}, "610000626300"},
      {DataType::datetime_array, {std::int64_t{1'767'225'600'000}}, "00A8DA769B010000"},
      {DataType::int32_array, {}, ""},
      {DataType::boolean_array, {}, "00000000"},
      {DataType::string_array, {}, ""},
  };
  return kRows;
}

Scalar scalar_of(const Value& value, DataType type) {
  if (type == DataType::boolean) return value.bits == 1;
  if (type == DataType::string) return std::string(*text_of(value, type));
  if (type == DataType::float32 || type == DataType::float64) return *number_of(value, type);
  return *integer_of(value, type);
}

TEST(Arrays, AreReadAndWritten) {
  for (const Row& row : rows()) {
    const auto encoded = encode_array(row.type, row.values);
    ASSERT_TRUE(encoded) << name_of(row.type) << ": " << encoded.error().detail;
    EXPECT_EQ(*encoded, from_hex(row.hex)) << name_of(row.type);
    std::vector<Value> values;
    const auto problem = decode_array(row.type, *encoded, values);
    ASSERT_FALSE(problem) << problem->detail;
    EXPECT_EQ(count_elements(row.type, *encoded), row.values.size()) << name_of(row.type);
    ASSERT_EQ(values.size(), row.values.size()) << name_of(row.type);
    for (std::size_t i = 0; i < values.size(); ++i) {
      EXPECT_EQ(scalar_of(values[i], element_of(row.type)), row.values[i]) << name_of(row.type) << '[' << i << ']';
    }
  }
}

TEST(Arrays, OfTheWrongLengthAreRefused) {
  struct Refused {
    DataType type;
    std::string hex;
    const char* reason;
  };
  const Refused refused[] = {
      {DataType::int16_array, "01", "malformed"},
      {DataType::int32_array, "010203", "malformed"},
      {DataType::float64_array, "0102030405060708FF", "malformed"},
      {DataType::boolean_array, "010000", "malformed"},
      {DataType::boolean_array, "01000000", "malformed"},
      {DataType::boolean_array, "0100000080FF", "malformed"},
      {DataType::boolean_array, "FFFFFFFF80", "malformed"},
      {DataType::string_array, "6162", "malformed"},
      {DataType::int32, "01020304", "malformed"},
  };
  for (const Refused& row : refused) {
    std::vector<Value> values;
    const auto problem = decode_array(row.type, from_hex(row.hex), values);
    ASSERT_TRUE(problem) << name_of(row.type) << ' ' << row.hex;
    EXPECT_EQ(problem->reason, row.reason);
    EXPECT_TRUE(values.empty());
  }
  std::vector<Value> values;
  EXPECT_EQ(decode_array(DataType::int8_array, std::string(kMaxElements + 1, 'x'), values)->reason,
            "too_many_elements");
  EXPECT_FALSE(decode_array(DataType::int8_array, std::string(kMaxElements, 'x'), values));
}

TEST(Arrays, RefuseElementsThatTheyCannotHold) {
  const Scalar large[] = {std::int64_t{128}};
  const Scalar nothing[] = {Scalar()};
  const Scalar with_nul[] = {std::string("a\0b", 3)};
  EXPECT_FALSE(encode_array(DataType::int8_array, large));
  EXPECT_FALSE(encode_array(DataType::int32_array, nothing));
  EXPECT_FALSE(encode_array(DataType::string_array, with_nul));
}

struct RefusedValue {
  DataType type;
  Scalar value;
};

TEST(Encoding, RefusesWhatATypeCannotHold) {
  const RefusedValue rows[] = {
      {DataType::int8, std::int64_t{-129}},
      {DataType::int8, std::int64_t{128}},
      {DataType::uint8, std::int64_t{-1}},
      {DataType::uint16, std::uint64_t{65'536}},
      {DataType::int64, std::uint64_t{1} << 63U},
      {DataType::datetime, std::int64_t{-1}},
      {DataType::int32, 1.5},
      {DataType::float64, std::string("1")},
      {DataType::boolean, std::int64_t{1}},
      {DataType::string, std::string("\xFF")},
      {DataType::string, 1.0},
      {DataType::template_, std::int64_t{1}},
  };
  for (const RefusedValue& row : rows) {
    wire::Metric metric;
    const auto problem = set_value(metric, row.type, row.value);
    ASSERT_TRUE(problem) << name_of(row.type);
    EXPECT_EQ(problem->reason, "wrong_type") << name_of(row.type);
    EXPECT_EQ(metric.value_case(), wire::Metric::VALUE_NOT_SET);
  }
}

TEST(Encoding, PutsIntegersWhereTheSpecificationSays) {
  wire::Metric metric;
  ASSERT_FALSE(set_value(metric, DataType::int16, std::int64_t{-2}));
  EXPECT_EQ(metric.int_value(), 0xFFFFFFFEU);
  ASSERT_FALSE(set_value(metric, DataType::int64, std::int64_t{-2}));
  EXPECT_EQ(metric.long_value(), 0xFFFFFFFFFFFFFFFEU);
  EXPECT_FALSE(metric.has_int_value());
  ASSERT_FALSE(set_value(metric, DataType::uint64, ~std::uint64_t{0}));
  EXPECT_EQ(metric.long_value(), ~std::uint64_t{0});
  ASSERT_FALSE(set_value(metric, DataType::float32, std::int64_t{3}));
  EXPECT_EQ(metric.float_value(), 3.0F);
  ASSERT_FALSE(set_value(metric, DataType::float64, Scalar()));
  EXPECT_TRUE(metric.is_null());
  EXPECT_EQ(metric.value_case(), wire::Metric::VALUE_NOT_SET);
}

TEST(DataTypes, AreTheNumbersOfTheSpecification) {
  EXPECT_EQ(name_of(DataType::file), "File");
  EXPECT_EQ(name_of(DataType::datetime_array), "DateTimeArray");
  EXPECT_EQ(static_cast<int>(DataType::datetime_array), 34);
  EXPECT_EQ(data_type_of(22), DataType::int8_array);
  EXPECT_FALSE(data_type_of(0));
  EXPECT_FALSE(data_type_of(35));
}

}  // namespace
}  // namespace fettle::sparkplug
