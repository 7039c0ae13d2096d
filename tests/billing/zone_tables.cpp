#include "tests/billing/zone_tables.h"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace fettle::billing::testing {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

int number(std::string_view text, std::size_t at, std::size_t size) {
  return text.size() < at + size ? 0 : std::stoi(std::string(text.substr(at, size)));
}

}  // namespace

std::chrono::year_month_day day(std::string_view text) {
  const std::chrono::year_month_day parsed{std::chrono::year(number(text, 0, 4)),
                                           std::chrono::month(static_cast<unsigned>(number(text, 5, 2))),
                                           std::chrono::day(static_cast<unsigned>(number(text, 8, 2)))};
  if (!parsed.ok()) throw std::invalid_argument("no such day: " + std::string(text));
  return parsed;
}

Time utc(std::string_view text) {
  return std::chrono::sys_days(day(text)) + hours(number(text, 11, 2)) + minutes(number(text, 14, 2)) +
         std::chrono::seconds(number(text, 17, 2)) + std::chrono::milliseconds(number(text, 20, 3));
}

Zone berlin() {
  return Zone({{utc("2024-10-27T01:00"), hours(1)},
               {utc("2025-03-30T01:00"), hours(2)},
               {utc("2025-10-26T01:00"), hours(1)},
               {utc("2026-03-29T01:00"), hours(2)},
               {utc("2026-10-25T01:00"), hours(1)}});
}

Zone new_york() {
  return Zone({{utc("2024-11-03T06:00"), hours(-5)},
               {utc("2025-03-09T07:00"), hours(-4)},
               {utc("2025-11-02T06:00"), hours(-5)},
               {utc("2026-03-08T07:00"), hours(-4)},
               {utc("2026-11-01T06:00"), hours(-5)}});
}

Zone lord_howe() {
  const auto standard = hours(10) + minutes(30);
  return Zone({{utc("2024-10-05T15:30"), hours(11)},
               {utc("2025-04-05T15:00"), standard},
               {utc("2025-10-04T15:30"), hours(11)},
               {utc("2026-04-04T15:00"), standard}});
}

Zone seoul() {
  return Zone({{utc("1988-10-08T17:00"), hours(9)}});
}

Zone kolkata() {
  return Zone({{utc("1945-10-14T17:30"), hours(5) + minutes(30)}});
}

Zone kathmandu() {
  return Zone({{utc("1985-12-31T18:30"), hours(5) + minutes(45)}});
}

Zone sao_paulo() {
  return Zone({{utc("2018-02-18T02:00"), hours(-3)},
               {utc("2018-11-04T03:00"), hours(-2)},
               {utc("2019-02-17T02:00"), hours(-3)}});
}

Zone havana() {
  return Zone({{utc("2025-03-09T05:00"), hours(-4)}, {utc("2025-11-02T05:00"), hours(-5)}});
}

Zone st_johns() {
  return Zone({{utc("2009-03-08T03:31"), -hours(2) - minutes(30)}, {utc("2009-11-01T02:31"), -hours(3) - minutes(30)}});
}

Zone amman() {
  return Zone({{utc("2015-10-29T22:00"), hours(2)}, {utc("2016-03-31T22:00"), hours(3)}});
}

Zone apia() {
  return Zone({{utc("2011-09-24T14:00"), hours(-10)}, {utc("2011-12-30T10:00"), hours(14)}});
}

}  // namespace fettle::billing::testing
