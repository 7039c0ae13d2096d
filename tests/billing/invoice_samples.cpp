#include "tests/billing/invoice_samples.h"

#include <chrono>

#include "tests/billing/zone_tables.h"

namespace fettle::billing {

void PrintTo(const Line& line, std::ostream* out) {
  *out << testing::text_of(line, Zone());
}

void PrintTo(const Money& amount, std::ostream* out) {
  *out << to_string(amount);
}

namespace testing {
namespace {

std::string date_text(std::chrono::year_month_day date) {
  const auto two = [](unsigned number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  return std::to_string(int{date.year()}) + "-" + two(unsigned{date.month()}) + "-" + two(unsigned{date.day()});
}

}  // namespace

Decimal decimal(std::string_view text) {
  return Decimal::parse(text).value();
}

Money euros(std::string_view text) {
  return multiply({1, 0}, decimal(text), Currency::of("EUR").value()).value();
}

Charge energy() {
  return {"energy", "Energy",
          StandardCharge{"chiller:energy", 2, "kWh", {{"day", decimal("0.25")}, {"", decimal("0.10")}}}};
}

Charge service_fee() {
  return {"fee", "Service fee", FixedCharge{decimal("100.00")}};
}

ProposalInput sample() {
  ProposalInput input;
  input.currency = Currency::of("EUR").value();
  input.zone = berlin();
  input.period = input.zone.month_of(utc("2026-03-10"));
  input.vat = {"S", decimal("19")};
  input.subscriptions.push_back({"S1",
                                 "Cooling",
                                 {input.zone.day_start(day("2026-01-01")), Time::max()},
                                 {"chiller-1", "chiller-2"},
                                 {energy(), service_fee()}});
  return input;
}

ProposalInput sample_of(const Charge& charge) {
  ProposalInput input = sample();
  input.subscriptions[0].charges = {charge};
  input.subscriptions[0].assets = {"chiller-1"};
  return input;
}

Period month(const ProposalInput& input, std::string_view text) {
  return input.zone.month_of(input.zone.day_start(day(text)));
}

UsageTotal usage(const ProposalInput& input, std::string_view text, std::string_view asset, std::string_view band,
                 std::int64_t quantity) {
  return {"S1", std::string(asset), "chiller:energy", std::string(band), month(input, text), quantity};
}

std::string text_of(const Line& line, const Zone& zone) {
  const auto& key = line.key;
  return key.subscription + "/" + key.charge + "/" + key.asset + (key.band.empty() ? "" : "/") + key.band + " " +
         date_text(zone.local_day(key.period.start)) + ".." + date_text(zone.local_day(key.period.end - Duration(1))) +
         " " + to_string(line.quantity) + " " + line.unit + " x " + to_string(line.unit_price) + " = " +
         to_string(line.amount) + " [" + line.title + "]" + (line.correction ? " correction" : "");
}

std::vector<std::string> lines_of(const ProposalInput& input) {
  const auto proposal = propose(input);
  if (proposal.has_error()) return {"error: " + proposal.error().message};
  std::vector<std::string> texts;
  for (const Line& line : proposal->lines) texts.push_back(text_of(line, input.zone));
  return texts;
}

std::vector<Line> proposed_lines(const ProposalInput& input) {
  return propose(input).value().lines;
}

void post(const Proposal& proposal, ProposalInput& input) {
  for (const Line& line : proposal.lines) {
    Posted& posted = input.posted.try_emplace(line.key, Posted{0, {0, input.currency}}).first->second;
    posted.quantity += line.posted_quantity;
    posted.amount = add(posted.amount, line.amount).value();
  }
}

Proposal run(ProposalInput& input) {
  Proposal proposal = propose(input).value();
  post(proposal, input);
  return proposal;
}

}  // namespace testing
}  // namespace fettle::billing
