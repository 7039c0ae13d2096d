#include <gtest/gtest.h>

#include <charconv>
#include <random>

#include "gateway/direct/telemetry.h"

namespace fettle::direct {
namespace {

TEST(Json, AnObjectIsOneGroupWhereverItsStampStands) {
  Telemetry out;
  for (const char* payload : {R"({"ts":1000,"a":1.5,"mode":"fire","on":true})",
                              R"({"a":1.5,"mode":"fire","on":true,"ts":"1970-01-01T00:00:01Z"})",
                              R"( {"a" : 1.5 , "mode":"\u0066ire", "on":true, "ts":1.0e3} )"}) {
    const auto problem = decode_json(payload, out);
    ASSERT_FALSE(problem) << payload << problem->detail;
    ASSERT_EQ(out.groups.size(), 1U);
    EXPECT_EQ(out.groups[0].time, Time(std::chrono::seconds(1)));
    ASSERT_EQ(out.values.size(), 3U);
    EXPECT_EQ(out.values[0].signal, "a");
    EXPECT_EQ(out.values[0].number, 1.5);
    EXPECT_EQ(out.values[1].text, "fire");
    EXPECT_EQ(out.values[2].number, 1.0);
  }
}

TEST(Json, AnArrayIsAGroupPerObject) {
  Telemetry out;
  ASSERT_FALSE(decode_json(R"([{"ts":1,"a":1},{"ts":2,"a":2,"b":3},{"a":4}])", out));
  ASSERT_EQ(out.groups.size(), 3U);
  EXPECT_EQ(out.groups[1].first, 1U);
  EXPECT_EQ(out.groups[1].count, 2U);
  EXPECT_FALSE(out.groups[2].time);
}

TEST(Json, NumbersKeepEveryBit) {
  std::mt19937_64 random(1);
  Telemetry out;
  for (int i = 0; i < 20'000; ++i) {
    const double value = std::ldexp(static_cast<double>(random() >> 11U), static_cast<int>(random() % 200) - 140);
    char text[64];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    ASSERT_FALSE(decode_json("{\"a\":" + std::string(text, end) + "}", out));
    ASSERT_EQ(out.values[0].number, value) << std::string(text, end);
  }
}

TEST(Json, AValueThatIsNoneSpoilsOnlyItself) {
  Telemetry out;
  ASSERT_FALSE(decode_json(R"({"a":{"x":[1,{"y":2}]},"b":[1,2],"c":1e999,"d":null,"e":5})", out));
  ASSERT_EQ(out.values.size(), 4U);
  EXPECT_EQ(out.values[0].kind, ValueKind::wrong);
  EXPECT_EQ(out.values[0].text, "an object");
  EXPECT_EQ(out.values[1].text, "an array");
  EXPECT_EQ(out.values[2].kind, ValueKind::wrong);
  EXPECT_EQ(out.values[3].signal, "e");
  EXPECT_EQ(out.values[3].number, 5);
}

TEST(Json, WhatIsMalformedSaysWhereAndWhatWasExpected) {
  struct Row {
    const char* payload;
    const char* says;
  };
  Telemetry out;
  for (const Row& row : {Row{"", "byte 0 of 0"},
                         {"{", "byte 1 of 1"},
                         {R"({"a":NaN})", "byte 5"},
                         {R"({"a":1} x)", "extra data"},
                         {"17", "a bare value"},
                         {"\"text\"", "a bare value"},
                         {"[[1]]", "array within"},
                         {R"({"ts":"noon","a":1})", "\"ts\" is \"noon\""},
                         {R"({"ts":true})", "\"ts\" is true"},
                         {R"({"ts":1e300})", "\"ts\" is 1e300"},
                         {"\x0a\x05\x0a\x03", "not JSON"},
                         {R"({"a":1,})", "byte"}}) {
    const auto problem = decode_json(row.payload, out);
    ASSERT_TRUE(problem) << row.payload;
    EXPECT_EQ(problem->reason, "malformed");
    EXPECT_NE(problem->detail.find(row.says), std::string::npos) << row.payload << ": " << problem->detail;
  }
}

TEST(Json, DepthAndCountAreBounded) {
  Telemetry out;
  EXPECT_TRUE(decode_json("{\"a\":" + std::string(100, '[') + std::string(100, ']') + "}", out));
  std::string many = "{\"a0\":1";
  for (std::size_t i = 0; i < kMaxReadings; ++i) many += ",\"a\":1";
  EXPECT_EQ(decode_json(many + "}", out)->reason, "too_many_readings");
}

TEST(Json, EveryTruncationIsRefused) {
  const std::string whole = R"([{"ts":1767225600000,"a":1.5,"b":"\u00e9"},{"ts":2,"a":true}])";
  Telemetry out;
  ASSERT_FALSE(decode_json(whole, out));
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_TRUE(decode_json(whole.substr(0, size), out)) << size;
}

}  // namespace
}  // namespace fettle::direct
