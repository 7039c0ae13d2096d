// Stamps of foreign devices, form by form.

#include "gateway/direct/mapping_time.h"

#include <gtest/gtest.h>

#include <string>

#include "gateway/catalog/zones.h"
#include "gateway/engine/mapping_entries.h"

namespace fettle::direct {
namespace {

std::optional<std::int64_t> ms(std::optional<Time> time) {
  if (!time) return std::nullopt;
  return time->time_since_epoch().count();
}

struct EpochCase {
  std::string text;
  StampFormat format;
  std::optional<std::int64_t> ms;
};
class Epoch : public testing::TestWithParam<EpochCase> {};
TEST_P(Epoch, IsExactToTheMillisecond) {
  EXPECT_EQ(ms(epoch_time(GetParam().text, GetParam().format)), GetParam().ms) << GetParam().text;
}
INSTANTIATE_TEST_SUITE_P(
    All, Epoch,
    testing::Values(EpochCase{"1700000000", StampFormat::unix_s, 1700000000000},
                    EpochCase{"1700000000.12", StampFormat::unix_s, 1700000000120},
                    EpochCase{"1700000000.999999", StampFormat::unix_s, 1700000000999},
                    EpochCase{"1700000000.0005", StampFormat::unix_s, 1700000000000},
                    EpochCase{"1.7e9", StampFormat::unix_s, 1700000000000},
                    EpochCase{"-0.5", StampFormat::unix_s, -500}, EpochCase{"-0.0001", StampFormat::unix_s, -1},
                    EpochCase{"1700000000123", StampFormat::unix_ms, 1700000000123},
                    EpochCase{"1700000000123.9", StampFormat::unix_ms, 1700000000123},
                    EpochCase{"1700000000123456", StampFormat::unix_us, 1700000000123},
                    EpochCase{"1700000000123999999", StampFormat::unix_ns, 1700000000123},
                    EpochCase{"12345678901234567890", StampFormat::unix_ns, 12345678901234},
                    EpochCase{"0", StampFormat::unix_ns, 0}, EpochCase{"5", StampFormat::unix_ns, 0},
                    EpochCase{"-5", StampFormat::unix_ns, -1},
                    EpochCase{"9000000000000000", StampFormat::unix_ms, 9000000000000000},
                    EpochCase{"9000000000000001", StampFormat::unix_ms, std::nullopt},
                    EpochCase{"9000000000001", StampFormat::unix_s, std::nullopt},
                    EpochCase{"1e300", StampFormat::unix_s, std::nullopt},
                    EpochCase{std::string(80, '9'), StampFormat::unix_ns, std::nullopt},
                    EpochCase{"", StampFormat::unix_s, std::nullopt}, EpochCase{"-", StampFormat::unix_s, std::nullopt},
                    EpochCase{"1.5.", StampFormat::unix_s, std::nullopt},
                    EpochCase{"today", StampFormat::unix_s, std::nullopt},
                    EpochCase{"2026-01-01", StampFormat::unix_s, std::nullopt}));

ZoneClock zone(const std::string& name) {
  return engine::zone_clock(*catalog::load_zone(name));
}

struct IsoCase {
  std::string text;
  std::string zone;  // empty: none
  std::string utc;   // ISO 8601; empty: no such time
  std::string received = "2026-07-01T12:00:00Z";
};
class Iso : public testing::TestWithParam<IsoCase> {};
TEST_P(Iso, IsReadInItsZone) {
  const IsoCase& it = GetParam();
  const auto read = iso_time(it.text, it.zone.empty() ? ZoneClock() : zone(it.zone), *parse_iso8601(it.received));
  EXPECT_EQ(ms(read), it.utc.empty() ? std::nullopt : ms(parse_iso8601(it.utc))) << it.text << " " << it.zone;
}
INSTANTIATE_TEST_SUITE_P(
    All, Iso,
    testing::Values(
        IsoCase{"2026-07-01T10:00:00Z", "", "2026-07-01T10:00:00Z"},
        IsoCase{"2026-07-01T10:00:00+02:00", "", "2026-07-01T08:00:00Z"},
        IsoCase{"2022-07-18T09:34:15.775023242+00:00", "", "2022-07-18T09:34:15.775Z"},
        IsoCase{"2026-07-01T10:00:00", "", ""}, IsoCase{"2026-07-01T10:00:00", "UTC", "2026-07-01T10:00:00Z"},
        IsoCase{"2026-07-01T10:00:00", "Europe/Berlin", "2026-07-01T08:00:00Z"},
        IsoCase{"2026-01-01T10:00:00", "Europe/Berlin", "2026-01-01T09:00:00Z"},
        IsoCase{"2026-07-01 10:00:00.250", "Asia/Kolkata", "2026-07-01T04:30:00.250Z"},
        IsoCase{"2026-07-01T10:00:00+00:00", "Europe/Berlin", "2026-07-01T10:00:00Z"},
        // Clocks go forward in Berlin on 2026-03-29 at 02:00 to 03:00.
        IsoCase{"2026-03-29T01:59:59.999", "Europe/Berlin", "2026-03-29T00:59:59.999Z"},
        IsoCase{"2026-03-29T02:00:00", "Europe/Berlin", ""}, IsoCase{"2026-03-29T02:59:59", "Europe/Berlin", ""},
        IsoCase{"2026-03-29T03:00:00", "Europe/Berlin", "2026-03-29T01:00:00Z"},
        // They go back on 2025-10-26 at 03:00 to 02:00.
        IsoCase{"2025-10-26T01:59:59", "Europe/Berlin", "2025-10-25T23:59:59Z"},
        IsoCase{"2025-10-26T02:30:00", "Europe/Berlin", "2025-10-26T00:30:00Z", "2025-10-26T00:30:01Z"},
        IsoCase{"2025-10-26T02:30:00", "Europe/Berlin", "2025-10-26T00:30:00Z", "2025-10-26T01:24:59Z"},
        IsoCase{"2025-10-26T02:30:00", "Europe/Berlin", "2025-10-26T01:30:00Z", "2025-10-26T01:25:00Z"},
        IsoCase{"2025-10-26T02:30:00", "Europe/Berlin", "2025-10-26T01:30:00Z", "2026-01-01T00:00:00Z"},
        IsoCase{"2025-10-26T03:00:00", "Europe/Berlin", "2025-10-26T02:00:00Z"},
        // Lord Howe Island moves by half an hour only.
        IsoCase{"2026-10-04T02:15:00", "Australia/Lord_Howe", ""},
        IsoCase{"2026-10-04T02:30:00", "Australia/Lord_Howe", "2026-10-03T15:30:00Z"},
        // Samoa skipped a whole day.
        IsoCase{"2011-12-30T12:00:00", "Pacific/Apia", ""},
        IsoCase{"2011-12-31T00:00:00", "Pacific/Apia", "2011-12-30T10:00:00Z"}, IsoCase{"12:00:00", "UTC", ""},
        IsoCase{"", "UTC", ""}, IsoCase{"2026-02-30T00:00:00", "UTC", ""}, IsoCase{std::string(200, '2'), "UTC", ""}));

// What a zone's clock says of an instant's own local time is that instant.
TEST(ZoneClockLaw, EveryInstantIsAmongThoseOfItsLocalTime) {
  for (const char* name : {"Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "UTC"}) {
    const billing::Zone table = *catalog::load_zone(name);
    const ZoneClock clock = engine::zone_clock(table);
    Time at = *parse_iso8601("2025-01-01T00:07:00Z");
    for (int i = 0; i < 365 * 24 * 4; ++i, at += std::chrono::minutes(15)) {
      const Instants found = clock(LocalTime((at + table.offset_at(at)).time_since_epoch()));
      ASSERT_TRUE(found.first == at || found.second == at) << name << " " << ms(at).value_or(0);
      ASSERT_TRUE(!found.second || *found.first < *found.second) << name;
    }
  }
}

}  // namespace
}  // namespace fettle::direct
