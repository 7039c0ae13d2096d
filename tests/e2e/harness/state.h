#pragma once
// What a gateway made of what it received, as lines that can be compared: two gateways that received the same are
// equal, in whatever order, however often, and through however many crashes.
//
// Left out: when the gateway recorded something, message sequences, and revisions of usage.

#include <boost/json.hpp>
#include <string>
#include <vector>

#include "tests/e2e/harness/gateway.h"

namespace fettle::e2e {

using Lines = std::vector<std::string>;

struct State {
  Lines usage;     // every hour, meter and band with a quantity or a reading
  Lines episodes;  // newest first
  Lines orders;    // with their events and episodes
  Lines invoices;  // with their lines and VAT
};

// Of a gateway that has committed everything.
State state_of(const Gateway& gateway);

Lines usage_of(const Gateway& gateway);
Lines episodes_of(const Gateway& gateway);
Lines orders_of(const Gateway& gateway);
Lines invoices_of(const Gateway& gateway);
// The invoices themselves, final ones by number.
std::vector<boost::json::object> invoices(const Gateway& gateway);

// The first few lines in which they differ; empty where they are equal.
std::string difference(const Lines& expected, const Lines& found);
std::string difference(const State& expected, const State& found);

// Milliseconds since 1970 of a time as the commands print it ("2018-01-01T00:00:00Z"). Throws where it is none.
std::int64_t ms_of(const std::string& time);

// The rows of a query on a store, read-only, the columns separated by blanks.
Lines query(const std::filesystem::path& store, const std::string& sql);

}  // namespace fettle::e2e
