#pragma once
// What simulated equipment measures, before anything is said about how it travels: assets with signals, and batches of
// their readings. A batch is what a device sends in one message.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "firmware-sim/message.h"

namespace fettle::sim {

// A measurement; a whole number keeps all its digits.
using SignalValue = std::variant<double, std::int64_t, std::string>;

enum class SignalType { kNumber, kInteger, kText };

// What a source reports of a signal: every reading, or only what differs from the reading before.
enum class Report { kEvery, kChanges };

struct Signal {
  std::string name;
  SignalType type = SignalType::kNumber;
  Report report = Report::kEvery;
  bool operator==(const Signal&) const = default;
};

struct Asset {
  std::string id;
  std::vector<Signal> signals;
  bool operator==(const Asset&) const = default;
};

struct SignalReading {
  std::uint32_t signal = 0;  // index into the asset's signals
  EventTime at;
  SignalValue value;
  bool operator==(const SignalReading&) const = default;
};

struct Batch {
  std::uint32_t asset = 0;  // index into the source's assets
  EventTime at;             // the newest time inside
  std::vector<SignalReading> readings;
  bool operator==(const Batch&) const = default;
};

// Hands out batches in the order in which they are to be published. Used by one thread.
class ReadingSource {
 public:
  ReadingSource() = default;
  ReadingSource(const ReadingSource&) = delete;
  ReadingSource& operator=(const ReadingSource&) = delete;
  virtual ~ReadingSource() = default;

  // All there are, with all their signals: what births announce. Does not change.
  virtual const std::vector<Asset>& assets() const = 0;

  // The next batch, or nothing once all have been handed out. The same source hands out the same batches every time.
  virtual std::optional<Batch> next() = 0;

  // How much has been handed out, 0 to 1. Only for the progress display.
  virtual double fraction() const = 0;
};

}  // namespace fettle::sim
