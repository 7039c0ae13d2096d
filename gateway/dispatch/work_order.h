#pragma once
// A work order: what must be done on an asset. Its state is a fold of appended events; nothing sets it otherwise.
//
//   proposed -> open -> closed
//
// Pure: no clock, no store. Ids and stamps come from the caller.

#include <boost/system/result.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace fettle::dispatch {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;

enum class State : std::uint8_t { proposed, open, closed };

enum class Priority : std::uint8_t { p1 = 1, p2, p3, p4 };  // p1 is the most urgent

std::string_view to_string(State state);
std::string_view to_string(Priority priority);  // "P1"
std::optional<State> parse_state(std::string_view text);
std::optional<Priority> parse_priority(std::string_view text);

struct Event {
  std::uint32_t number = 0;   // 1, 2, ... within the work order
  std::optional<State> from;  // absent in the first
  State to = State::proposed;
  Time at;           // of the equipment: when the cause happened
  Time recorded_at;  // of the gateway: when it was learned
  std::string actor;
  std::string reason;
};

struct Illegal {
  std::string message;  // names the state, what was asked, and every legal next state
};
[[noreturn]] inline void throw_exception_from_error(const Illegal& illegal, const boost::source_location&) {
  throw std::runtime_error(illegal.message);
}

struct WorkOrder {
  State state = State::proposed;
  Priority priority = Priority::p3;
  std::uint32_t events = 0;
  std::uint32_t occurrences = 0;  // episodes that asked for it
};

// The states that may follow.
std::vector<State> next_states(State state);

// The first event: a rule asks for the work. The order has one occurrence.
Event propose(WorkOrder& order, Priority priority, Time at, Time recorded_at, std::string actor, std::string reason);

// Moves the order on. Illegal where the state does not allow it; the order is then unchanged.
boost::system::result<Event, Illegal> move(WorkOrder& order, State to, Time at, Time recorded_at, std::string actor,
                                           std::string reason);

// The condition came again while the order lives: one more occurrence, and the priority only ever rises.
// Pre: state is not closed.
void repeat(WorkOrder& order, Priority priority);

}  // namespace fettle::dispatch
