#pragma once
// A time zone as a value: when its offset from UTC changes, and to what. Pure: an adapter reads the IANA database
// (gateway/catalog/zones.h) and hands the table over.

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fettle::billing {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;

struct Period {  // half-open [start, end)
  Time start;
  Time end;
  auto operator<=>(const Period&) const = default;
};

// Pre of every function: times and days lie within the years -32000 to 32000.
class Zone {
 public:
  struct Change {
    Time from;                    // the first instant with this offset
    std::chrono::seconds offset;  // local = UTC + offset
  };
  // UTC.
  Zone();
  // `changes` ascending and not empty, offsets within a day; the first one also holds for all time before it. A change
  // to the offset already in force (only the name or the DST flag changes) is no change here and cuts no hour. Throws
  // std::invalid_argument where a table is not of that form.
  explicit Zone(std::vector<Change> changes);

  std::chrono::seconds offset_at(Time t) const;

  // The instant at which the local calendar day begins. Where local midnight does not exist (a DST gap) the first
  // instant after the gap; where it comes twice, the first.
  Time day_start(std::chrono::year_month_day local_day) const;

  // The day whose [day_start, day_start of the next day) holds t, so that days and months never overlap. It is the
  // wall clock's date, except where clocks go back across midnight: what comes twice belongs to the day already begun.
  std::chrono::year_month_day local_day(Time t) const;

  // The hour of local wall-clock time that t lies in. Zones at :30 and :45 give hours that start there in UTC. An hour
  // cut by an offset change ends at the change: hours never overlap and leave no hole.
  Period hour_of(Time t) const;

  // The local calendar month that t lies in.
  Period month_of(Time t) const;

 private:
  std::size_t index_at(Time t) const;  // of the change in force at t

  std::vector<Change> changes_;
};

}  // namespace fettle::billing
