#include "gateway/dispatch/work_order.h"

#include <gtest/gtest.h>

namespace fettle::dispatch {
namespace {

const Time kAt(std::chrono::hours(1));
const Time kRecorded(std::chrono::hours(2));

TEST(WorkOrder, EveryPairOfStatesIsAllowedOrRefusedAsTheTableSays) {
  struct Row {
    State from;
    State to;
    bool allowed;
  };
  for (const Row& row : {Row{State::proposed, State::proposed, false}, Row{State::proposed, State::open, true},
                         Row{State::proposed, State::closed, false}, Row{State::open, State::proposed, false},
                         Row{State::open, State::open, false}, Row{State::open, State::closed, true},
                         Row{State::closed, State::proposed, false}, Row{State::closed, State::open, false},
                         Row{State::closed, State::closed, false}}) {
    WorkOrder order{row.from, Priority::p3, 4, 1};
    const auto moved = move(order, row.to, kAt, kRecorded, "somebody", "because");
    EXPECT_EQ(moved.has_value(), row.allowed) << to_string(row.from) << " -> " << to_string(row.to);
    EXPECT_EQ(order.state, row.allowed ? row.to : row.from);
    EXPECT_EQ(order.events, row.allowed ? 5U : 4U);
  }
}

TEST(WorkOrder, AnIllegalMoveNamesTheLegalOnes) {
  WorkOrder order{State::proposed, Priority::p3, 1, 1};
  EXPECT_EQ(move(order, State::closed, kAt, kRecorded, "", "").error().message,
            "a work order that is proposed cannot become closed; it can become open");
  order.state = State::closed;
  EXPECT_NE(move(order, State::open, kAt, kRecorded, "", "").error().message.find("nothing else"), std::string::npos);
}

TEST(WorkOrder, TheStateIsTheFoldOfItsEvents) {
  WorkOrder order;
  const Event first = propose(order, Priority::p2, kAt, kRecorded, "lift/door", "raised");
  EXPECT_EQ(first.number, 1U);
  EXPECT_FALSE(first.from);
  const Event second = move(order, State::open, kAt, kRecorded, "entitlement", "included").value();
  EXPECT_EQ(second.number, 2U);
  EXPECT_EQ(second.from, State::proposed);
  EXPECT_EQ(second.to, order.state);
  EXPECT_EQ(second.at, kAt);
  EXPECT_EQ(second.recorded_at, kRecorded);
}

TEST(WorkOrder, RepeatsCountAndThePriorityOnlyRises) {
  WorkOrder order;
  propose(order, Priority::p3, kAt, kRecorded, "", "");
  repeat(order, Priority::p4);
  EXPECT_EQ(order.priority, Priority::p3);
  repeat(order, Priority::p1);
  EXPECT_EQ(order.priority, Priority::p1);
  EXPECT_EQ(order.occurrences, 3U);
}

TEST(WorkOrder, TextsAndBack) {
  for (const char* text : {"proposed", "open", "closed"}) EXPECT_EQ(to_string(*parse_state(text)), text);
  for (const char* text : {"P1", "P2", "P3", "P4"}) EXPECT_EQ(to_string(*parse_priority(text)), text);
  EXPECT_FALSE(parse_state("done"));
  EXPECT_FALSE(parse_priority("P0"));
}

}  // namespace
}  // namespace fettle::dispatch
