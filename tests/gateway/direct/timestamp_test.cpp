#include <gtest/gtest.h>

#include "gateway/direct/telemetry.h"

namespace fettle::direct {
namespace {

TEST(Iso8601, TheSameInstantInEveryForm) {
  const Time expected(std::chrono::milliseconds(1767225600000));  // 2026-01-01T00:00:00Z
  for (const char* text :
       {"2026-01-01T00:00:00Z", "2026-01-01T00:00Z", "2026-01-01 00:00:00.000Z", "2026-01-01T01:00:00+01:00",
        "2026-01-01T09:00+0900", "2025-12-31T19:00:00-05", "2026-01-01T00:00:00.0004Z"}) {
    EXPECT_EQ(parse_iso8601(text), expected) << text;
  }
  EXPECT_EQ(parse_iso8601("2026-01-01T00:00:00.25Z"), expected + std::chrono::milliseconds(250));
}

TEST(Iso8601, WhatIsNoInstantIsRefused) {
  for (const char* text : {"", "2026", "2026-01-01", "2026-01-01T00:00:00", "2026-02-30T00:00Z", "2026-01-01T24:00Z",
                           "2026-01-01T00:60Z", "2026-01-01T00:00:61Z", "2026-13-01T00:00Z", "2026-01-01T00:00Zx",
                           "2026-01-01T00:00:00.Z", "2026-01-01T00:00+24:00", "yesterday"}) {
    EXPECT_FALSE(parse_iso8601(text)) << text;
  }
}

}  // namespace
}  // namespace fettle::direct
