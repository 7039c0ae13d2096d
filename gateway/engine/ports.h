#pragma once
// What the engine asks of the world: a store. Values only; the adapter is store/sqlite/.
//
// Effects are what a batch of journal records caused; they commit in one transaction together with the sequence they
// reach. The engine's working state is checkpointed beside them, in slices: a checkpoint *as of* sequence S consists of
// parts, which ride along with the commits after S, and it counts from the commit on that says so
// (Effects::checkpoint). On start the engine loads the newest checkpoint that counts and folds the journal again from
// there; up to the committed sequence its effects stand already and are not written again.
//
// Threads: the engine's thread alone calls Store. Readers open their own connection (store/sqlite/reader.h).

#include <boost/system/result.hpp>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace fettle::engine {

using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Sequence = std::uint64_t;
using SeriesId = std::uint32_t;  // dense, from 0, in order of first reading

struct StoreError {
  std::string message;  // what failed, on which file, and what to do
};
[[noreturn]] inline void throw_exception_from_error(const StoreError& error, const boost::source_location&) {
  throw std::runtime_error(error.message);
}
template <typename T>
using StoreResult = boost::system::result<T, StoreError>;

// ---- readings ------------------------------------------------------------------------------------------------------

// Flags of a reading, combined by |.
enum ReadingFlag : std::uint8_t {
  kLate = 1,         // not seen by rules
  kConflict = 2,     // another value with the same series and event time is stored as well
  kUnstamped = 4,    // the device sent no time; the received time stands in
  kBad = 8,          // the device itself calls the value bad or stale: kept to look at, unknown to rules, never metered
  kHistorical = 16,  // sent after the fact, from a device's own buffer
};

struct ReadingRow {
  SeriesId series = 0;
  Time time;         // event time
  double value = 0;  // a state's index for state signals
  std::uint8_t flags = 0;
  std::uint32_t message = 0;  // index into Effects::messages
};

// Where readings came from. A message may wait (a Sparkplug node's reorder buffer, a rejoin, an unclaimed device), so
// the record that stored its readings is not always the one it arrived with.
struct MessageRow {
  Sequence sequence = 0;  // of the record whose folding stored the readings; never descends within a batch
  Sequence arrived = 0;   // of the record that the message is, <= sequence
  Time received;          // when it arrived
  std::string topic;
  std::uint64_t hash = 0;  // XXH3-64 of the payload as it arrived
};

struct SeriesRow {
  SeriesId id = 0;
  std::string asset;
  std::string signal;
};

// ---- usage ---------------------------------------------------------------------------------------------------------

// Of a usage record, worst of its parts. Stored by number.
enum class UsageQuality : std::uint8_t { measured = 0, interpolated = 1, disputed = 2 };

struct UsageKey {
  std::string asset;
  std::string meter;  // id within the asset's model
  std::string band;   // state of the meter's dimension; empty: none
  Time start;
  auto operator<=>(const UsageKey&) const = default;
};

struct UsageRow {
  UsageKey key;
  Time end;
  std::int64_t quantity = 0;   // in the last decimal of the register's resolution (0.01: hundredths)
  std::uint32_t readings = 0;  // how many readings contributed
  Time first_reading;          // event times of the first and last reading it rests on
  Time last_reading;
  UsageQuality quality = UsageQuality::measured;
  std::uint32_t revision = 1;  // +1 with each reading that changed the record
};

// ---- episodes and work orders
// ----------------------------------------------------------------------------------------

struct EvidencePoint {
  std::string signal;
  Time time;
  double value = 0;
  std::string state;  // the text, for state signals
};

struct EpisodeRow {  // written on raise (cleared_at absent) and again, whole, on clear; key: id
  std::string id;    // EP-..., from (pack, rule, asset, raised_at)
  std::string asset;
  std::string pack;
  std::uint32_t pack_version = 0;
  std::string rule;
  std::string title;
  std::string condition;   // the rule's text
  std::string parameters;  // "limit = 0.4 s, ..." as in force
  Time since;              // when the condition began
  Time raised_at;
  Sequence raised_sequence = 0;  // the record that completed it
  std::optional<Time> cleared_at;
  std::string clear_reason;             // "", "condition", "not_entitled", "rule_changed"
  std::string work_order;               // empty: none
  std::vector<EvidencePoint> evidence;  // at most 256 a signal; given on raise only, kept on clear
};

struct WorkOrderEventRow {
  std::string work_order;
  std::uint32_t number = 0;  // 1, 2, ... per work order
  std::string from;          // state before; empty for the first
  std::string to;
  Time at;            // event time of what caused it
  Time recorded_at;   // gateway's clock
  std::string actor;  // "rule pack/rule", "entitlement", or a person
  std::string reason;
};

struct WorkOrderRow {  // whole row; key: id
  std::string id;      // WO-..., from (pack, rule, asset, raise time of the first episode)
  std::string asset;
  std::string customer;
  std::string site;
  std::string pack;
  std::string rule;
  std::string state;     // proposed, open, closed
  std::string priority;  // P1..P4
  std::string title;
  std::string action;
  std::string failure_mode;
  std::string details;  // JSON: skills, parts, checklist
  Time raised_at;
  std::optional<Time> due_at;
  std::optional<Time> closed_at;
  std::uint32_t occurrences = 1;
  std::string entitlement;  // what it rests on: "included: <plan> via <subscription>", or why not
};

// ---- invoices ------------------------------------------------------------------------------------------------------

struct FrozenUsage {  // a usage record as a line billed it
  Time start;
  Time end;
  std::int64_t quantity = 0;
  std::uint32_t revision = 0;
  Time first_reading;
  Time last_reading;
};

struct InvoiceLineRow {
  std::uint32_t number = 0;  // 1, 2, ... ; the line's id is "<invoice>/<number>"
  std::string subscription;
  std::string charge;
  std::string asset;
  std::string meter;  // empty for fixed fees
  std::string band;
  Time period_start;
  Time period_end;
  std::string title;
  std::string quantity;  // decimal, as printed
  std::string unit;
  std::string unit_price;   // decimal
  std::int64_t amount = 0;  // net, minor units
  std::int64_t posted_quantity = 0;
  bool correction = false;
  std::vector<FrozenUsage> usage;  // what the quantity rests on
};

struct VatRow {
  std::string category;
  std::string percent;
  std::int64_t base = 0;
  std::int64_t tax = 0;
};

struct InvoiceRow {
  std::string id;       // of a final: its number; of a draft: "draft/<seller>/<customer>/<currency>/<first day>"
  bool final = false;   // a final never changes; a draft is replaced by id, and removed when its final is written
  int number_year = 0;  // final: the series that its number is of, and its place there; 0 in a draft
  std::uint32_t number_index = 0;
  std::string seller;
  std::string seller_snapshot;  // JSON: name, address, VAT id as they were
  std::string customer;
  std::string customer_snapshot;  // JSON
  std::string currency;
  std::uint8_t exponent = 2;  // of the currency
  Time period_start;
  Time period_end;
  std::string zone;
  Time issued_at;
  std::int64_t net = 0;
  std::int64_t tax = 0;
  std::int64_t gross = 0;
  std::string waiting_for;  // draft: why it is not final
  std::vector<InvoiceLineRow> lines;
  std::vector<VatRow> vat;
};

// ---- the rest ------------------------------------------------------------------------------------------------------

struct QuarantineRow {
  Sequence sequence = 0;
  std::uint32_t item = 0;  // which reading of the message; 0 also for the whole message
  Time received;
  std::string topic;
  std::string reason;       // a word: malformed, unknown_asset, unknown_signal, not_a_number, ...
  std::string detail;       // a sentence: what, where, expected, how to mend
  std::string first_bytes;  // of the payload, at most 64
};

struct CatalogRow {
  std::string kind;
  std::string id;
  Sequence sequence = 0;  // the record that declared it
  std::string body;       // fettle.catalog.Entry
};

// An event for the outside (a work order opened, closed ...), kept until somebody says it was delivered.
struct OutboxRow {
  std::uint64_t id = 0;  // 1, 2, ... in order
  Time at;
  std::string kind;     // "work_order.opened"
  std::string subject;  // id of what it is about
  std::string body;     // JSON, a CloudEvent
};

// A device or a signal that no catalog entry claims. Key: (source, name).
struct DiscoveredRow {
  std::string source;  // "fettle/v1/<asset>", "<group>/<node>", "<group>/<node>/<device>", or a mapping's asset
  std::string name;    // signal or metric; empty: the device itself
  std::string asset;   // known asset that sends the unknown signal; empty: the device is unknown
  std::string type;    // Sparkplug data type, "number", "text"; empty for a device
  std::string sample;  // its newest value as text, of a device the beginning of a message; at most 128 bytes
  Time first_seen;     // received times
  Time last_seen;
  std::uint64_t count = 0;    // messages (device) or readings (signal) seen
  std::uint64_t kept = 0;     // of them, kept to be processed once it is claimed
  std::uint64_t dropped = 0;  // of them, beyond the bound and gone
};

// What sequence numbers and births say about messages that did not come. Key: (node, number).
struct LossRow {
  std::string node;          // "<group>/<node>"
  std::uint32_t number = 0;  // 1, 2, ... per node
  std::string kind;          // gap: sequence numbers missing; offline: between a death (or our own absence) and a birth
  std::string state;  // open, healed (came out of order, in time), lost (a rebirth was asked for), over (offline)
  Time from;          // received time of what came before
  Time to;            // when it was healed, lost or over; equal to `from` while open
  std::uint32_t messages = 0;  // gap: missing messages, 1..255; offline: those that came and could not be read
  std::uint64_t refilled = 0;  // historical readings with event times in [from, to] that came since
};
struct LossRefillRow {  // the same, per signal
  std::string node;
  std::uint32_t number = 0;
  std::string asset;
  std::string signal;
  std::uint64_t readings = 0;
};

struct Counters {  // since the store was made; all are sums, written whole
  std::uint64_t messages = 0;
  std::uint64_t readings = 0;  // admitted, the late ones included
  std::uint64_t duplicates = 0;
  std::uint64_t conflicts = 0;
  std::uint64_t late = 0;
  std::uint64_t quarantined = 0;
};

struct CheckpointPart {
  std::string key;    // what the state is of: "asset/<id>", "node/<group>/<node>", "engine"
  std::string state;  // engine's own encoding; empty: the part is gone
};

struct Effects {
  Sequence first = 0;      // the first record of the batch; batches do not overlap, but a batch may be given again
  Sequence committed = 0;  // the last record of the batch
  Time now;                // the gateway's time there
  std::vector<SeriesRow> series;
  std::vector<MessageRow> messages;  // those with at least one reading below; first <= sequence <= committed
  std::vector<ReadingRow> readings;  // in order of arrival
  std::vector<QuarantineRow> quarantine;
  std::vector<EpisodeRow> episodes;
  std::vector<WorkOrderRow> work_orders;
  std::vector<WorkOrderEventRow> work_order_events;
  std::vector<InvoiceRow> invoices;
  std::vector<std::string> removed_drafts;
  std::vector<CatalogRow> catalog;
  std::vector<UsageRow> usage;  // records that were closed, changed late, or flushed; whole, replaced by key
  std::vector<OutboxRow> outbox;
  std::uint64_t delivered = 0;  // outbox rows up to this id are gone; 0: none
  std::vector<DiscoveredRow> discovered;
  std::vector<std::pair<std::string, std::string>> claimed;  // keys of discovered rows that are gone
  std::vector<LossRow> losses;
  std::vector<LossRefillRow> refills;
  Counters counters;

  // A slice of a checkpoint in the making. Parts that do not change keep their state from checkpoint to checkpoint.
  Sequence parts_as_of = 0;  // the checkpoint that `parts` are of; 0: no parts
  std::vector<CheckpointPart> parts;
  bool checkpoint = false;  // with this commit the checkpoint `parts_as_of` is whole and counts; synced to the disk
};

struct StoredReading {
  Time time;
  double value = 0;
  std::uint8_t flags = 0;
  Sequence sequence = 0;  // MessageRow::sequence
};

struct PostedLine {  // sums over final lines with this key
  std::string subscription;
  std::string charge;
  std::string asset;
  std::string band;
  Time period_start;
  Time period_end;
  std::int64_t quantity = 0;
  std::int64_t amount = 0;
};

class Store {
 public:
  virtual ~Store() = default;

  // All of it or nothing. An error leaves the store as it was; the same Effects may be given again. Parts of a
  // checkpoint that never became whole are forgotten when one with another sequence begins.
  virtual StoreResult<void> commit(const Effects& effects) = 0;

  virtual Sequence committed() = 0;
  // The newest checkpoint that counts: its sequence, 0 where there is none.
  virtual StoreResult<Sequence> checkpointed() = 0;
  // Its parts one after another by key, none empty, as long as `take` says true. `take` does not use the store.
  virtual StoreResult<void> load_parts(const std::function<bool(CheckpointPart)>& take) = 0;
  // The catalog as of a sequence: for each (kind, id) the newest entry not after it.
  virtual StoreResult<std::vector<CatalogRow>> load_catalog(Sequence as_of) = 0;
  virtual StoreResult<std::vector<SeriesRow>> load_series() = 0;

  // The readings of one series with from <= time < to that records before `before` stored, ordered by (time, sequence).
  virtual StoreResult<std::vector<StoredReading>> readings(SeriesId series, Time from, Time to, Sequence before) = 0;

  // One usage record as it was last committed.
  virtual StoreResult<std::optional<UsageRow>> usage(const UsageKey& key) = 0;
  // All usage records of an asset's meter with from <= start < to, ordered by (start, band).
  virtual StoreResult<std::vector<UsageRow>> usage(const std::string& asset, const std::string& meter, Time from,
                                                   Time to) = 0;
  // What final lines of a subscription have posted.
  virtual StoreResult<std::vector<PostedLine>> posted(const std::string& subscription) = 0;
  // The last number given in a series of numbers, 0 where none: counted over the final invoices of (seller, year).
  virtual StoreResult<std::uint32_t> last_invoice_number(const std::string& seller, int year) = 0;
};

}  // namespace fettle::engine
