#include "gateway/engine/loss_ledger.h"

#include <algorithm>

namespace fettle::engine {
namespace {

constexpr std::string_view kGap = "gap";
constexpr std::string_view kOffline = "offline";
constexpr std::string_view kOpen = "open";

}  // namespace

LossLedger::Loss& LossLedger::open(std::string kind, Time from) {
  if (recent_.size() == kRecent) recent_.pop_front();
  Loss& loss = recent_.emplace_back();
  loss.number = ++last_;
  loss.kind = std::move(kind);
  loss.state = kOpen;
  loss.from = loss.to = from;
  loss.changed = changed_ = true;
  return loss;
}

LossLedger::Loss* LossLedger::newest(std::string_view kind) {
  const auto found = std::find_if(recent_.rbegin(), recent_.rend(),
                                  [&](const Loss& loss) { return loss.kind == kind && loss.state == kOpen; });
  return found == recent_.rend() ? nullptr : &*found;
}

void LossLedger::gap_opened(Time from, std::uint32_t messages) {
  open(std::string(kGap), from).messages = messages;
}

void LossLedger::gap_closed(Time now, bool healed, std::uint32_t messages) {
  Loss* loss = newest(kGap);
  if (loss == nullptr) return;
  loss->state = healed ? "healed" : "lost";
  loss->to = std::max(now, loss->from);
  loss->messages = messages;
  loss->changed = changed_ = true;
}

void LossLedger::offline(Time from) {
  if (newest(kOffline) == nullptr) open(std::string(kOffline), from);
}

void LossLedger::unreadable(Time now) {
  offline(now);
  Loss& loss = *newest(kOffline);
  ++loss.messages;
  loss.changed = changed_ = true;
}

void LossLedger::online(Time now) {
  Loss* loss = newest(kOffline);
  if (loss == nullptr) return;
  loss->state = "over";
  loss->to = std::max(now, loss->from);
  loss->changed = changed_ = true;
}

void LossLedger::refilled(std::string_view asset, std::string_view signal, Time time) {
  const auto loss = std::find_if(recent_.rbegin(), recent_.rend(), [&](const Loss& candidate) {
    return time >= candidate.from && (time <= candidate.to || candidate.state == kOpen);
  });
  if (loss == recent_.rend()) return;
  ++loss->refilled;
  loss->changed = changed_ = true;
  // Signals come in turn, so the one that follows the last one is the likely one.
  const auto same = [&](const Refill& refill) { return refill.asset == asset && refill.signal == signal; };
  auto& refills = loss->refills;
  if (loss->expected >= refills.size()) loss->expected = 0;
  auto refill = refills.begin() + static_cast<std::ptrdiff_t>(loss->expected);
  if (refill == refills.end() || !same(*refill)) {
    refill = std::find_if(refills.begin(), refills.end(), same);
    if (refill == refills.end()) {
      if (refills.size() == kMaxRefillSignals) return;
      refill = refills.insert(refills.end(), {std::string(asset), std::string(signal), 0, false});
    }
  }
  loss->expected = static_cast<std::size_t>(refill - refills.begin()) + 1;
  ++refill->readings;
  refill->changed = true;
}

void LossLedger::rows(const std::string& node, Effects& effects) {
  if (!changed_) return;
  changed_ = false;
  for (Loss& loss : recent_) {
    if (!loss.changed) continue;
    loss.changed = false;
    effects.losses.push_back(
        {node, loss.number, loss.kind, loss.state, loss.from, loss.to, loss.messages, loss.refilled});
    for (Refill& refill : loss.refills) {
      if (!refill.changed) continue;
      refill.changed = false;
      effects.refills.push_back({node, loss.number, refill.asset, refill.signal, refill.readings});
    }
  }
}

void LossLedger::save(NodePart& out) const {
  out.set_last_loss(last_);
  for (const Loss& loss : recent_) {
    OpenLoss& saved = *out.add_losses();
    saved.set_number(loss.number);
    saved.set_kind(loss.kind);
    saved.set_state(loss.state);
    saved.set_from_ms(loss.from.time_since_epoch().count());
    saved.set_to_ms(loss.to.time_since_epoch().count());
    saved.set_messages(loss.messages);
    saved.set_refilled(loss.refilled);
    for (const Refill& refill : loss.refills) {
      OpenLoss::Refill& row = *saved.add_refills();
      row.set_asset(refill.asset);
      row.set_signal(refill.signal);
      row.set_readings(refill.readings);
    }
  }
}

void LossLedger::load(const NodePart& in) {
  last_ = in.last_loss();
  recent_.clear();
  for (const OpenLoss& saved : in.losses()) {
    Loss& loss = recent_.emplace_back();
    loss.number = saved.number();
    loss.kind = saved.kind();
    loss.state = saved.state();
    loss.from = Time(std::chrono::milliseconds(saved.from_ms()));
    loss.to = Time(std::chrono::milliseconds(saved.to_ms()));
    loss.messages = saved.messages();
    loss.refilled = saved.refilled();
    for (const OpenLoss::Refill& row : saved.refills()) {
      loss.refills.push_back({row.asset(), row.signal(), row.readings(), false});
    }
  }
}

}  // namespace fettle::engine
