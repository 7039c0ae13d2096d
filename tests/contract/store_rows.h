#pragma once
// Rows to give to a store in tests: small, whole, and the same every time.

#include <chrono>
#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "gateway/engine/ports.h"

namespace fettle::engine::contract {

inline Time at(std::int64_t milliseconds) {
  return Time(std::chrono::milliseconds(milliseconds));
}

inline MessageRow message(Sequence sequence) {
  return {sequence, sequence, at(1'000'000 + static_cast<std::int64_t>(sequence)), "fettle/v1/press-1/telemetry",
          sequence * 7919};
}

inline EpisodeRow raised_episode() {
  EpisodeRow episode;
  episode.id = "EP-1";
  episode.asset = "lift-1";
  episode.pack = "doors";
  episode.pack_version = 3;
  episode.rule = "slow-close";
  episode.title = "Door closes slowly";
  episode.condition = "avg(close_time, 1 h) > limit";
  episode.parameters = "limit = 0.4 s";
  episode.since = at(500);
  episode.raised_at = at(1'000);
  episode.raised_sequence = 17;
  episode.work_order = "WO-1";
  episode.evidence = {{"close_time", at(900), 0.5, ""}, {"door", at(950), 2, "closing"}};
  return episode;
}

inline WorkOrderRow open_order() {
  WorkOrderRow order;
  order.id = "WO-1";
  order.asset = "lift-1";
  order.customer = "acme";
  order.site = "hq";
  order.pack = "doors";
  order.rule = "slow-close";
  order.state = "open";
  order.priority = "P3";
  order.title = "Door closes slowly";
  order.action = "Replace the roller";
  order.failure_mode = "roller wear";
  order.details = R"({"skills":["door"]})";
  order.raised_at = at(1'000);
  order.due_at = at(9'000);
  order.entitlement = "included: Care via sub-1";
  return order;
}

inline UsageRow hour(int index, std::int64_t quantity, const std::string& band = "") {
  UsageRow usage;
  usage.key = {"meter-1", "energy", band, at(index * 3'600'000LL)};
  usage.end = at((index + 1) * 3'600'000LL);
  usage.quantity = quantity;
  usage.readings = 4;
  usage.first_reading = usage.key.start + std::chrono::seconds(1);
  usage.last_reading = usage.end - std::chrono::seconds(1);
  return usage;
}

inline InvoiceRow draft() {
  InvoiceRow invoice;
  invoice.id = "draft/acme/EUR/2018-01-01";
  invoice.seller = "seller-1";
  invoice.seller_snapshot = R"({"name":"Seller"})";
  invoice.customer = "acme";
  invoice.customer_snapshot = R"({"name":"Acme"})";
  invoice.currency = "EUR";
  invoice.period_start = at(0);
  invoice.period_end = at(7'200'000);
  invoice.zone = "Europe/Berlin";
  invoice.issued_at = at(8'000'000);
  invoice.net = 300;
  invoice.tax = 57;
  invoice.gross = 357;
  InvoiceLineRow line;
  line.number = 1;
  line.subscription = "sub-1";
  line.charge = "energy";
  line.asset = "meter-1";
  line.meter = "energy";
  line.band = "peak";
  line.period_start = at(0);
  line.period_end = at(7'200'000);
  line.title = "Energy";
  line.quantity = "3.00";
  line.unit = "kWh";
  line.unit_price = "1.00";
  line.amount = 300;
  line.posted_quantity = 300;
  line.usage = {{at(0), at(3'600'000), 100, 1, at(1), at(3'599'999)},
                {at(3'600'000), at(7'200'000), 200, 2, at(3'600'001), at(7'199'999)}};
  invoice.lines = {line};
  invoice.vat = {{"S", "19", 300, 57}};
  return invoice;
}

inline InvoiceRow final_invoice(std::uint32_t index) {
  InvoiceRow invoice = draft();
  invoice.final = true;
  invoice.id = "F-2018-" + std::to_string(index);
  invoice.number_year = 2018;
  invoice.number_index = index;
  return invoice;
}

inline Effects effects_at(Sequence committed) {
  Effects effects;
  effects.first = committed;
  effects.committed = committed;
  effects.now = at(static_cast<std::int64_t>(committed) * 1'000);
  return effects;
}

// Messages first..first+count-1, each with one reading of `series` whose time and value are its sequence.
inline Effects readings_at(Sequence first, Sequence count, SeriesId series) {
  Effects effects = effects_at(first + count - 1);
  effects.first = first;
  for (Sequence i = 0; i < count; ++i) {
    effects.messages.push_back(message(first + i));
    effects.readings.push_back({series, at(static_cast<std::int64_t>(first + i)), static_cast<double>(first + i), 0,
                                static_cast<std::uint32_t>(i)});
  }
  return effects;
}

// The same effects with a whole checkpoint of one part as of their end.
inline Effects with_checkpoint(Effects effects, const std::string& state, std::vector<UsageRow> usage = {}) {
  effects.parts_as_of = effects.committed;
  effects.parts = {{"engine", state}};
  effects.checkpoint = true;
  effects.usage = std::move(usage);
  return effects;
}

// The parts as "key=state key=state".
struct Checkpoint {
  Sequence sequence = 0;
  std::vector<CheckpointPart> parts;
};

inline Checkpoint checkpoint_of(Store& store) {
  Checkpoint checkpoint{store.checkpointed().value(), {}};
  const auto loaded = store.load_parts([&](CheckpointPart part) {
    checkpoint.parts.push_back(std::move(part));
    return true;
  });
  EXPECT_TRUE(loaded);
  return checkpoint;
}

inline std::string text(const Checkpoint& checkpoint) {
  std::string all;
  for (const CheckpointPart& part : checkpoint.parts) all += (all.empty() ? "" : " ") + part.key + "=" + part.state;
  return all;
}

inline bool same(const UsageRow& a, const UsageRow& b) {
  const auto fields = [](const UsageRow& usage) {
    return std::tie(usage.key, usage.end, usage.quantity, usage.readings, usage.first_reading, usage.last_reading,
                    usage.quality, usage.revision);
  };
  return fields(a) == fields(b);
}

inline auto fields(const StoredReading& reading) {
  return std::tuple(reading.time, reading.value, reading.flags, reading.sequence);
}

inline auto fields(const PostedLine& line) {
  return std::tuple(line.subscription, line.charge, line.asset, line.band, line.period_start, line.period_end,
                    line.quantity, line.amount);
}

}  // namespace fettle::engine::contract
