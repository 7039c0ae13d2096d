#pragma once
// The invoice run: which months are due, what billing/ proposes for them, which become final under which number.
//
// Runs between two checkpoints, so that all usage is in the store when it reads, and what it posted commits together
// with the state that knows it. The engine's thread only.

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "billing/invoice.h"
#include "gateway/engine/checkpoint.pb.h"
#include "gateway/engine/maintenance.h"
#include "gateway/engine/registry.h"

namespace fettle::engine {

class Invoicing {
 public:
  Invoicing(Store& store, const Registry& registry) : store_(store), registry_(registry) {}

  // Tells when a register meter of the asset last spoke; nothing where it never did.
  using LastReading = std::function<std::optional<Time>(const std::string& asset, const std::string& meter)>;

  // Bills every calendar month that ends at or before `until`, per (seller, customer, currency), oldest first. A month
  // whose grace is over, and whose registers have spoken past its end, becomes final; otherwise it stays a draft and
  // the months after it wait. A month with more credits than charges stays a draft until the next one takes it in.
  // `now` is the issue date. A problem ends its account's run and names what to mend; what was billed before it stands,
  // and so do the other accounts'.
  Outcome run(Time until, Time now, const LastReading& last_reading, Effects& effects);

  void save(EnginePart& out) const;
  void load(const EnginePart& in);

 private:
  using Account = std::tuple<std::string, std::string, std::string>;  // seller, customer, currency

  struct Book {  // what one account's run works with
    Account account;
    std::vector<const catalog::Subscription*> subscriptions;
  };
  struct Problem {
    std::string message;
  };

  struct Ledger {  // what has been used and posted, of one account
    const catalog::Seller* seller = nullptr;
    const catalog::Customer* customer = nullptr;
    billing::ProposalInput input;
    Time first = Time::max();  // when the first subscription begins
    // By subscription, asset and "model:meter".
    std::map<std::tuple<std::string, std::string, std::string>, std::vector<UsageRow>> hours;
  };

  std::vector<Book> books() const;
  std::optional<Problem> open(const Book& book, Time until, Ledger& ledger) const;
  void load(const catalog::Plan& plan, const billing::Subscription& subscription, Time until, Ledger& ledger) const;
  static std::vector<billing::UsageTotal> totals(const Ledger& ledger);
  static InvoiceRow invoice_of(const Ledger& ledger, const billing::Proposal& proposal, Time now);
  static InvoiceLineRow line_of(const Ledger& ledger, const billing::Line& line);
  static void freeze(const std::vector<UsageRow>& hours, InvoiceLineRow& row);
  void make_final(const Ledger& ledger, InvoiceRow& invoice);
  static void post(const InvoiceRow& invoice, Ledger& ledger);
  std::optional<Problem> bill(const Book& book, Time until, Time now, const LastReading& last_reading, Effects& effects,
                              std::vector<InvoiceRow>& made);
  std::string waiting_for(const Book& book, const billing::Period& month, Time until,
                          const LastReading& last_reading) const;

  Store& store_;
  const Registry& registry_;
  std::map<Account, Time> billed_until_;  // end of the newest month with a final invoice, or passed over as empty
  std::map<std::pair<std::string, int>, std::uint32_t> numbers_;  // given within this run
};

}  // namespace fettle::engine
