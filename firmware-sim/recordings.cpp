#include "firmware-sim/recordings.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "firmware-sim/json_text.h"
#include "firmware-sim/stamp.h"

namespace fettle::sim {
namespace {

constexpr std::chrono::hours kSeoul{9};
constexpr double kLongestCycleSeconds = 30.0 * 24 * 3600;

// Which column of the recording becomes which field of the message.
struct NumberField {
  std::size_t column;
  std::string_view name;
};

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

// Adds the numbers of a row to the object, or says which of them is none.
std::optional<Problem> add_numbers(JsonObject& object, const CsvReader& reader, const CsvRow& row,
                                   std::initializer_list<NumberField> fields) {
  for (const auto& field : fields) {
    const std::string_view text = row[field.column];
    if (!is_json_number(text)) {
      return reader.problem("column " + std::to_string(field.column + 1) + " (" + std::string(field.name) + ") is " +
                            quoted(text) + ", expected a decimal number");
    }
    object.number(field.name, text);
  }
  return std::nullopt;
}

// One discharge cycle while its rows are read.
struct Cycle {
  std::string_view number;
  std::string_view capacity;
  EventTime started;
  EventTime newest;                  // of its last sample
  std::vector<std::string> samples;  // not yet in a message
};

enum BatteryColumn : std::size_t {
  kCycle = 0,
  kStarted = 2,
  kCapacity = 3,
  kVoltage = 4,
  kCurrent = 5,
  kHeat = 6,
  kTime = 9
};

class BatteryCell {
 public:
  BatteryCell(CsvReader reader, std::string asset) : reader_(std::move(reader)), asset_(std::move(asset)) {}

  Result<std::vector<Message>> read(std::uint64_t row_limit) {
    for (std::uint64_t rows = 0;; ++rows) {
      auto next = reader_.next();
      if (!next) return next.error();
      const auto& row = *next;
      // The row behind the limit is looked at: it tells whether the cycle before it is complete.
      const bool cycle_ends = !row || (cycle_ && (*row)[kCycle] != cycle_->number);
      if (cycle_ends) end_cycle();
      if (!row) return std::move(messages_);
      if (rows == row_limit) {
        send_samples();
        return std::move(messages_);
      }
      if (auto problem = add(*row)) return *problem;
    }
  }

 private:
  std::optional<Problem> add(const CsvRow& row) {
    if (!cycle_) {
      if (auto problem = begin_cycle(row)) return problem;
    }
    if (row[kCapacity] != cycle_->capacity)
      return reader_.problem("Capacity " + quoted(row[kCapacity]) + " differs within cycle " +
                             std::string(row[kCycle]));
    const auto time = sample_time(row);
    if (!time) return time.error();
    JsonObject sample;
    sample.number("ts", millis_text(*time));
    if (auto problem =
            add_numbers(sample, reader_, row, {{kVoltage, "voltage"}, {kCurrent, "current"}, {kHeat, "temperature"}}))
      return problem;
    cycle_->newest = *time;
    cycle_->samples.push_back(std::move(sample).finish());
    if (cycle_->samples.size() == kSamplesPerMessage) send_samples();
    return std::nullopt;
  }

  std::optional<Problem> begin_cycle(const CsvRow& row) {
    if (row[kCycle].empty() || row[kCycle].find_first_not_of("0123456789") != std::string_view::npos ||
        !is_json_number(row[kCycle]))
      return reader_.problem("cycle_num is " + quoted(row[kCycle]) + ", expected a whole number");
    if (!is_json_number(row[kCapacity]))
      return reader_.problem("Capacity is " + quoted(row[kCapacity]) + ", expected a decimal number");
    const auto started = parse_year_first_stamp(row[kStarted]);
    if (!started)
      return reader_.problem("cycle_time_start is " + quoted(row[kStarted]) + ", expected YYYY-MM-DD HH:MM:SS");
    cycle_ = Cycle{row[kCycle], row[kCapacity], *started, *started, {}};
    return std::nullopt;
  }

  Result<EventTime> sample_time(const CsvRow& row) const {
    const std::string_view text = row[kTime];
    double seconds = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || !(seconds >= 0) ||
        seconds > kLongestCycleSeconds)
      return reader_.problem("Time is " + quoted(text) + ", expected seconds since the start of the cycle");
    return cycle_->started + std::chrono::milliseconds(std::llround(seconds * 1000));
  }

  void send_samples() {
    if (!cycle_ || cycle_->samples.empty()) return;
    std::string payload;
    for (const auto& sample : cycle_->samples) payload += (payload.empty() ? '[' : ',') + sample;
    payload += ']';
    messages_.push_back({MessageKind::kTelemetry, telemetry_topic(asset_), std::move(payload), cycle_->newest});
    cycle_->samples.clear();
  }

  void end_cycle() {
    send_samples();
    if (!cycle_) return;
    JsonObject event;
    event.number("ts", millis_text(cycle_->newest))
        .number("capacity", cycle_->capacity)
        .number("cycle", cycle_->number);
    messages_.push_back({MessageKind::kEvent, event_topic(asset_), std::move(event).finish(), cycle_->newest});
    cycle_.reset();
  }

  CsvReader reader_;
  std::string asset_;
  std::optional<Cycle> cycle_;
  std::vector<Message> messages_;
};

}  // namespace

Result<std::vector<Message>> parse_steel(const CsvText& csv, const RecordingOptions& options) {
  auto reader =
      CsvReader::open(csv, {"date", "Usage_kWh", "Lagging_Current_Reactive_Power_kVarh",
                            "Leading_Current_Reactive_Power_kVarh", "CO2(tCO2)", "Lagging_Current_Power_Factor",
                            "Leading_Current_Power_Factor", "NSM", "WeekStatus", "Day_of_week", "Load_Type"});
  if (!reader) return reader.error();
  constexpr std::size_t kLoadType = 10;
  const std::string topic = telemetry_topic(options.asset_prefix + "steel-meter-1");
  std::vector<Message> messages;
  while (messages.size() < options.row_limit) {
    const auto next = reader->next();
    if (!next) return next.error();
    if (!*next) break;
    const CsvRow& row = **next;
    const auto at = parse_day_first_stamp(row[0], kSeoul);
    if (!at) return reader->problem("date is " + quoted(row[0]) + ", expected DD/MM/YYYY HH:MM");
    JsonObject object;
    object.number("ts", millis_text(*at));
    if (const auto problem = add_numbers(object, *reader, row, {{1, "energy"}})) return *problem;
    if (row[kLoadType].empty() || !is_plain_text(row[kLoadType]))
      return reader->problem("Load_Type is " + quoted(row[kLoadType]) + ", expected a word such as Light_Load");
    object.text("load_type", row[kLoadType]);
    if (const auto problem = add_numbers(object, *reader, row,
                                         {{2, "reactive_lagging"},
                                          {3, "reactive_leading"},
                                          {5, "power_factor_lagging"},
                                          {6, "power_factor_leading"}}))
      return *problem;
    messages.push_back({MessageKind::kTelemetry, topic, std::move(object).finish(), *at});
  }
  return messages;
}

Result<std::vector<Message>> parse_nab(const CsvText& csv, const RecordingOptions& options) {
  auto reader = CsvReader::open(csv, {"timestamp", "value"});
  if (!reader) return reader.error();
  const std::string topic = telemetry_topic(options.asset_prefix + "machine-1");
  std::vector<Message> messages;
  while (messages.size() < options.row_limit) {
    const auto next = reader->next();
    if (!next) return next.error();
    if (!*next) break;
    const CsvRow& row = **next;
    const auto at = parse_year_first_stamp(row[0]);
    if (!at) return reader->problem("timestamp is " + quoted(row[0]) + ", expected YYYY-MM-DD HH:MM:SS");
    JsonObject object;
    object.number("ts", millis_text(*at));
    if (const auto problem = add_numbers(object, *reader, row, {{1, "temperature"}})) return *problem;
    messages.push_back({MessageKind::kTelemetry, topic, std::move(object).finish(), *at});
  }
  return messages;
}

Result<std::vector<Message>> parse_battery(const CsvText& csv, std::string_view cell, const RecordingOptions& options) {
  auto reader =
      CsvReader::open(csv, {"cycle_num", "ambient_temperature", "cycle_time_start", "Capacity", "Voltage_measured",
                            "Current_measured", "Temperature_measured", "Current_load", "Voltage_load", "Time"});
  if (!reader) return reader.error();
  BatteryCell battery(std::move(*reader), options.asset_prefix + "battery-" + std::string(cell));
  return battery.read(options.row_limit);
}

std::vector<Message> merge_by_time(std::vector<std::vector<Message>> recordings) {
  std::vector<Message> merged;
  std::vector<std::size_t> taken(recordings.size(), 0);
  for (;;) {
    std::optional<std::size_t> earliest;
    for (std::size_t i = 0; i < recordings.size(); ++i) {
      if (taken[i] == recordings[i].size()) continue;
      if (!earliest || recordings[i][taken[i]].at < recordings[*earliest][taken[*earliest]].at) earliest = i;
    }
    if (!earliest) return merged;
    merged.push_back(std::move(recordings[*earliest][taken[*earliest]++]));
  }
}

}  // namespace fettle::sim
