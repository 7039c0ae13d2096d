#include "gateway/dispatch/work_order.h"

#include <algorithm>
#include <array>
#include <utility>

namespace fettle::dispatch {
namespace {

constexpr std::array<std::string_view, 3> kStates{"proposed", "open", "closed"};
constexpr std::array<std::string_view, 4> kPriorities{"P1", "P2", "P3", "P4"};

}  // namespace

std::string_view to_string(State state) {
  return kStates[static_cast<std::size_t>(state)];
}
std::string_view to_string(Priority priority) {
  return kPriorities[static_cast<std::size_t>(priority) - 1];
}

std::optional<State> parse_state(std::string_view text) {
  const auto found = std::find(kStates.begin(), kStates.end(), text);
  if (found == kStates.end()) return std::nullopt;
  return static_cast<State>(found - kStates.begin());
}

std::optional<Priority> parse_priority(std::string_view text) {
  const auto found = std::find(kPriorities.begin(), kPriorities.end(), text);
  if (found == kPriorities.end()) return std::nullopt;
  return static_cast<Priority>(found - kPriorities.begin() + 1);
}

std::vector<State> next_states(State state) {
  switch (state) {
    case State::proposed:
      return {State::open};
    case State::open:
      return {State::closed};
    case State::closed:
      break;
  }
  return {};
}

Event propose(WorkOrder& order, Priority priority, Time at, Time recorded_at, std::string actor, std::string reason) {
  order = {State::proposed, priority, 1, 1};
  return {1, std::nullopt, State::proposed, at, recorded_at, std::move(actor), std::move(reason)};
}

boost::system::result<Event, Illegal> move(WorkOrder& order, State to, Time at, Time recorded_at, std::string actor,
                                           std::string reason) {
  const std::vector<State> legal = next_states(order.state);
  if (std::find(legal.begin(), legal.end(), to) == legal.end()) {
    std::string message = "a work order that is " + std::string(to_string(order.state)) + " cannot become " +
                          std::string(to_string(to)) + "; it can become ";
    if (legal.empty()) message += "nothing else";
    for (std::size_t i = 0; i < legal.size(); ++i) {
      if (i > 0) message += " or ";
      message += to_string(legal[i]);
    }
    return Illegal{std::move(message)};
  }
  Event event{order.events + 1, order.state, to, at, recorded_at, std::move(actor), std::move(reason)};
  order.state = to;
  order.events = event.number;
  return event;
}

void repeat(WorkOrder& order, Priority priority) {
  ++order.occurrences;
  order.priority = std::min(order.priority, priority);
}

}  // namespace fettle::dispatch
