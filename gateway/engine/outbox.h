#pragma once
// Events for the outside: what happened to a work order, as a CloudEvent (CloudEvents 1.0, JSON format).
//
// Rows commit with the effects they tell of and stay until somebody says they were delivered, so an event is delivered
// at least once; its id comes from its content, so a receiver can tell a repetition. Pure.

#include <cstdint>

#include "gateway/engine/ports.h"

namespace fettle::engine {

// id: "<work order>/<event number>", type: "fettle.work_order.<state>", subject: the work order, data: the order as it
// is after the event, with the event. `number` is the row's place in the outbox.
OutboxRow outbox_row(const WorkOrderRow& order, const WorkOrderEventRow& event, std::uint64_t number);

}  // namespace fettle::engine
