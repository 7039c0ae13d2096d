#pragma once
// A small catalog for tests of the engine: one model of press with every kind of signal and meter, and what is needed
// to bill it. Entries are written as Protobuf text; zones are made by hand, so no time zone database is asked.

#include <string>
#include <string_view>

#include "gateway/engine/catalog.pb.h"
#include "gateway/engine/registry.h"

namespace fettle::engine::trial {

// 2026-01-05T00:00Z, a Monday; tests count from here.
inline constexpr Time kStart{std::chrono::milliseconds(1767571200000)};

inline std::int64_t ms(Time time) {
  return time.time_since_epoch().count();
}

// "UTC", "Half/Past" (UTC+05:30) and "Sum/Mer" (UTC+01:00, from 2026-01-05T03:00Z on UTC+02:00). Units as UDUNITS
// reads them.
Lookups lookups();

// Entries from the text form of a CatalogChange: `entries { asset { id: "a" ... } } ...`. Throws where it is none.
catalog::CatalogChange catalog_of(const std::string& text);

// Model press/m1: gauge temperature (degC), state mode (day, night, off), register energy (kWh, steps of 0.01, rolls
// over at 1000, at most 100 an hour), events pulse (kWh, steps of 0.1) and stroke (no resolution). Meters: drawn
// (energy), pulsed and pulses (pulse by mode), strokes. A value holds for 15 min, lateness is 60 s.
std::string model_text();
std::string model_text(std::string_view further_signals, std::string_view upload);

// Seller s (grace 2 d, longest 10 d, 20 % VAT in AA), customer c in AA with this zone, one site.
std::string parties_text(std::string_view zone);

// An asset of press/m1 of customer c, commissioned ten days before kStart.
std::string asset_text(std::string_view id);

// Pack care, version 1, with one rule `hot`: temperature > limit (80 degC) for 10 min, P3, due in 5 d.
std::string pack_text();
// The same pack with other rules; `rules` is the text of its `rules {...}` fields.
std::string pack_text(int version, std::string_view rules);
std::string hot_rule(std::string_view when, std::string_view priority);

// Plan full of seller s in EUR: pack care, 2.50 per kWh drawn, 1.00 (day), 0.40 (other modes) per kWh pulsed, 30.00 a
// month.
std::string plan_text();

// A subscription of customer c to plan full for these assets; an end of 0 is open.
std::string subscription_text(std::string_view id, std::string_view assets, Time start, std::int64_t end_ms);

// All of it, zone UTC, with assets a and b subscribed from 10 days before kStart on.
std::string whole_plant();

}  // namespace fettle::engine::trial
