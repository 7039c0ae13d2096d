#pragma once
// A small world for the invoice tests: one customer in Berlin or elsewhere, one subscription "S1" of the plan "Cooling"
// for the assets "chiller-1" and "chiller-2", and what a caller does with a proposal: post it.

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "billing/invoice.h"

namespace fettle::billing {

void PrintTo(const Line& line, std::ostream* out);
void PrintTo(const Money& amount, std::ostream* out);

namespace testing {

Decimal decimal(std::string_view text);
Money euros(std::string_view text);

// Metered in kWh with two decimals, meter "chiller:energy": 0.25 by day (band "day"), 0.10 otherwise.
Charge energy();
// 100 EUR per asset and month.
Charge service_fee();

// EUR, VAT category S with 19 %, March 2026 of Berlin; no usage, nothing posted; S1 with both charges, both assets,
// from 2026-01-01 of Berlin, open-ended.
ProposalInput sample();
// The same with one charge and one asset.
ProposalInput sample_of(const Charge& charge);

// The calendar month of the input's zone that holds the day, "2026-02-01".
Period month(const ProposalInput& input, std::string_view day);

// Usage of S1 in the month that holds `day`.
UsageTotal usage(const ProposalInput& input, std::string_view day, std::string_view asset, std::string_view band,
                 std::int64_t quantity);

// "S1/energy/chiller-1/day 2026-03-01..2026-03-31 12.50 kWh x 0.25 = 3.13 EUR [Energy (day)]"; " correction" follows
// where it is one. Days are the zone's, the last one included.
std::string text_of(const Line& line, const Zone& zone);
std::vector<std::string> lines_of(const ProposalInput& input);
std::vector<Line> proposed_lines(const ProposalInput& input);

// What a caller does with a final invoice: adds its lines to what is posted.
void post(const Proposal& proposal, ProposalInput& input);
// Proposes, posts and returns the proposal.
Proposal run(ProposalInput& input);

}  // namespace testing
}  // namespace fettle::billing
