// HostNodes: from metrics of a payload to samples of a source's table.

#include <algorithm>
#include <cmath>

#include "gateway/sparkplug/arrays.h"
#include "gateway/sparkplug/host_current.h"

namespace fettle::sparkplug {

// Turns the metrics of one message into samples, and flattens those that are composed.
class HostNodes::Samples {
 public:
  Samples(const HostNodes& host, const HostNode& node, Source& source, const Current& current, Output& out)
      : host_(host),
        node_(node),
        options_(host.options_),
        source_(source),
        current_(current),
        payload_(*current.payload),
        out_(out) {
    if (payload_.timestamp) {
      payload_time_ = time_of(*payload_.timestamp);
      bad_payload_time_ = !payload_time_;
    }
  }

  // Registers name, alias and type of each metric of a birth.
  void birth_table();
  // Emits what the metrics say; with `birth` they are found by name.
  void emit(bool birth);

  bool table_grew = false;
  bool unknown_metric = false;  // an alias or a name that the birth did not have
  std::size_t problems = 0;
  std::string_view reason;  // of the first problem
  std::string detail;

 private:
  // What flattened parts have from the metric they are of.
  struct Whole {
    Time time;
    bool unstamped = false;
    bool bad_time = false;
    bool historical = false;
    bool transient = false;
    Quality quality = Quality::good;
  };

  void problem(std::string_view word, const Metric& metric, const std::string& sentence);
  std::uint32_t entry_of(const Metric& metric, bool birth);
  Whole whole_of(const Metric& metric) const;
  void one(const Metric& metric, bool birth);
  void composed(const std::string& name, DataType type, const Metric& metric, const Value& value, const Whole& whole);
  void array(const std::string& name, DataType type, const Metric& metric, const Value& value, const Whole& whole);
  void dataset(const std::string& name, const Metric& metric, const DataSet& set, const Whole& whole);
  void template_value(const std::string& name, const Metric& metric, const Template& value, const Whole& whole);
  void part(const std::string& name, std::uint32_t datatype, const Metric& metric, const Value& value, bool is_null,
            const Whole& whole);
  void scalar(std::uint32_t entry, DataType type, const Value& value, bool is_null, const Whole& whole);

  const HostNodes& host_;
  const HostNode& node_;
  const HostOptions& options_;
  Source& source_;
  const Current& current_;
  const Payload& payload_;
  Output& out_;
  std::optional<Time> payload_time_;
  bool bad_payload_time_ = false;
  std::vector<Value> elements_;
};

namespace {

bool is_composed(DataType type) {
  return is_array(type) || type == DataType::dataset || type == DataType::template_;
}

// The type of a birth's metric that forgot to say it, where the value leaves no doubt.
DataType type_of_value(const Value& value) {
  switch (value.kind) {
    case ValueKind::float32:
      return DataType::float32;
    case ValueKind::float64:
      return DataType::float64;
    case ValueKind::boolean:
      return DataType::boolean;
    case ValueKind::text:
      return DataType::string;
    case ValueKind::dataset:
      return DataType::dataset;
    case ValueKind::template_:
      return DataType::template_;
    default:
      return DataType::unknown;
  }
}

std::string shown(const Metric& metric) {
  constexpr std::size_t kMaxShown = 80;
  if (metric.has_name()) return '"' + std::string(metric.name.substr(0, kMaxShown)) + '"';
  if (metric.alias) return "alias " + std::to_string(*metric.alias);
  return "a metric without name and alias";
}

}  // namespace

void HostNodes::Samples::problem(std::string_view word, const Metric& metric, const std::string& sentence) {
  if (problems++ > 0) return;
  reason = word;
  detail = source_.path + ", " + shown(metric) + ", at byte " + std::to_string(metric.offset) + ": " + sentence;
}

void HostNodes::Samples::birth_table() {
  source_.reserve(std::min(std::max(source_.metrics.size(), payload_.metrics.size()), options_.max_metrics));
  std::vector<std::uint64_t> ambiguous;
  for (const Metric& metric : payload_.metrics) {
    if (!metric.has_name() || metric.name.empty()) {
      problem("no_name", metric, "every metric of a birth has a name");
      continue;
    }
    DataType type = type_of_value(metric.value);
    if (metric.datatype != 0) {
      const auto said = data_type_of(metric.datatype);
      if (!said) {
        problem("unknown_datatype", metric,
                "data type " + std::to_string(metric.datatype) + "; the specification lists 1 to 34");
        continue;
      }
      type = *said;
    }
    if (type == DataType::unknown) {
      problem("no_datatype", metric, "every metric of a birth has a data type");
      continue;
    }
    std::uint32_t entry = source_.find(metric.name);
    if (entry == PlaceIndex::kNone) {
      if (source_.metrics.size() >= options_.max_metrics) {
        problem("too_many_metrics", metric,
                "more than " + std::to_string(options_.max_metrics) + " metrics of one source");
        continue;
      }
      entry = source_.add(metric.name, type);
    } else if (source_.metrics[entry].born) {
      problem("name_twice", metric, "a birth gives every name once; the first counts");
      continue;
    }
    MetricEntry& row = source_.metrics[entry];
    row.type = type;
    row.born = true;
    if (!metric.alias) continue;
    const std::uint32_t owner = source_.find_alias(*metric.alias);
    const bool taken = std::find(ambiguous.begin(), ambiguous.end(), *metric.alias) != ambiguous.end();
    if (owner != PlaceIndex::kNone || taken) {
      problem("alias_twice", metric,
              "alias " + std::to_string(*metric.alias) + " is given to another metric as well; neither can use it");
      if (owner != PlaceIndex::kNone) source_.metrics[owner].alias.reset();
      ambiguous.push_back(*metric.alias);
      continue;
    }
    row.alias = metric.alias;
    source_.by_alias.insert(*metric.alias, entry);
  }
}

std::uint32_t HostNodes::Samples::entry_of(const Metric& metric, bool birth) {
  if (metric.alias && !birth) {
    const std::uint32_t entry = source_.find_alias(*metric.alias);
    if (entry != PlaceIndex::kNone) return entry;
    if (!metric.has_name()) {
      unknown_metric = true;
      problem("unknown_alias", metric, "the birth gave this alias to no metric; a rebirth is asked for");
      return PlaceIndex::kNone;
    }
  }
  const std::uint32_t entry = metric.has_name() ? source_.find(metric.name) : PlaceIndex::kNone;
  if (entry != PlaceIndex::kNone && source_.metrics[entry].born) return entry;
  if (birth) return PlaceIndex::kNone;  // refused when the table was made
  unknown_metric = true;
  problem("unknown_metric", metric, "the birth had no such metric; a rebirth is asked for");
  return PlaceIndex::kNone;
}

HostNodes::Samples::Whole HostNodes::Samples::whole_of(const Metric& metric) const {
  Whole whole;
  whole.historical = metric.is_historical || current_.historical;
  whole.transient = metric.is_transient;
  if (metric.properties.count > 0) whole.quality = quality_of(payload_, metric);
  auto time = payload_time_;
  whole.bad_time = bad_payload_time_;
  if (metric.timestamp) {
    time = time_of(*metric.timestamp);
    whole.bad_time = !time;
  }
  whole.unstamped = !time;
  whole.time = time.value_or(current_.origin.received);
  return whole;
}

void HostNodes::Samples::emit(bool birth) {
  for (const Metric& metric : payload_.metrics) one(metric, birth);
}

void HostNodes::Samples::one(const Metric& metric, bool birth) {
  const std::uint32_t entry = entry_of(metric, birth);
  if (entry == PlaceIndex::kNone || source_.metrics[entry].control) return;
  DataType type = source_.metrics[entry].type;
  if (metric.datatype != 0 && !birth) {
    const auto said = data_type_of(metric.datatype);
    if (!said) {
      return problem("unknown_datatype", metric,
                     "data type " + std::to_string(metric.datatype) + "; the specification lists 1 to 34");
    }
    type = *said;
  }
  const Whole whole = whole_of(metric);
  if (!is_composed(type)) return scalar(entry, type, metric.value, metric.is_null, whole);
  if (metric.is_null || metric.value.kind == ValueKind::none) return;  // what it consists of is not known
  const SharedName name = source_.metrics[entry].name;                 // parts may move the table
  composed(name, type, metric, metric.value, whole);
}

// ---- flattening

void HostNodes::Samples::composed(const std::string& name, DataType type, const Metric& metric, const Value& value,
                                  const Whole& whole) {
  if (is_array(type) && value.kind == ValueKind::bytes) return array(name, type, metric, value, whole);
  if (type == DataType::dataset && value.kind == ValueKind::dataset) {
    return dataset(name, metric, payload_.datasets[value.bits], whole);
  }
  if (type == DataType::template_ && value.kind == ValueKind::template_) {
    return template_value(name, metric, payload_.templates[value.bits], whole);
  }
  problem("wrong_value", metric, "its value is no " + std::string(name_of(type)));
}

void HostNodes::Samples::array(const std::string& name, DataType type, const Metric& metric, const Value& value,
                               const Whole& whole) {
  const auto count = count_elements(type, value.text);
  if (count && *count > options_.max_metrics) {
    return problem("too_many_metrics", metric,
                   std::to_string(*count) + " elements; each is a metric of its own, and one source has at most " +
                       std::to_string(options_.max_metrics));
  }
  elements_.clear();
  if (const auto bad = decode_array(type, value.text, elements_)) return problem(bad->reason, metric, bad->detail);
  const auto element = static_cast<std::uint32_t>(element_of(type));
  for (std::size_t i = 0; i < elements_.size(); ++i) {
    part(name + '[' + std::to_string(i) + ']', element, metric, elements_[i], false, whole);
  }
}

void HostNodes::Samples::dataset(const std::string& name, const Metric& metric, const DataSet& set,
                                 const Whole& whole) {
  if (set.cells.count > options_.max_metrics) {
    return problem("too_many_metrics", metric,
                   std::to_string(set.cells.count) +
                       " cells; each is a metric of its own, and one source has at most " +
                       std::to_string(options_.max_metrics));
  }
  for (std::uint32_t row = 0; row < set.rows && set.columns.count > 0; ++row) {
    const std::string prefix = name + '[' + std::to_string(row) + "]/";
    for (std::uint32_t column = 0; column < set.columns.count; ++column) {
      const Column& head = payload_.columns[set.columns.first + column];
      const Value& cell = payload_.cells[set.cells.first + row * set.columns.count + column];
      part(prefix + std::string(head.name), head.datatype, metric, cell, cell.kind == ValueKind::none, whole);
    }
  }
}

void HostNodes::Samples::template_value(const std::string& name, const Metric& metric, const Template& value,
                                        const Whole& whole) {
  if (value.is_definition) return;
  for (std::uint32_t i = 0; i < value.members.count; ++i) {
    const Metric& member = payload_.members[value.members.first + i];
    if (!member.has_name() || member.name.empty()) {
      problem("no_name", metric, "a member of a template without a name");
      continue;
    }
    Whole of_member = whole;
    of_member.historical = whole.historical || member.is_historical;
    of_member.transient = whole.transient || member.is_transient;
    if (member.properties.count > 0) of_member.quality = std::max(whole.quality, quality_of(payload_, member));
    if (member.timestamp) {
      const auto time = time_of(*member.timestamp);
      of_member.bad_time = !time;
      of_member.unstamped = !time;
      of_member.time = time.value_or(whole.time);
    }
    part(name + '/' + std::string(member.name), member.datatype, metric, member.value, member.is_null, of_member);
  }
  for (std::uint32_t i = 0; i < value.parameters.count; ++i) {
    const Parameter& parameter = payload_.parameters[value.parameters.first + i];
    part(name + '/' + std::string(parameter.name), parameter.datatype, metric, parameter.value,
         parameter.value.kind == ValueKind::none, whole);
  }
}

// One part of a composed metric, which may be composed in turn. Depth is bounded by the decoder (kMaxNesting).
void HostNodes::Samples::part(const std::string& name, std::uint32_t datatype, const Metric& metric, const Value& value,
                              bool is_null, const Whole& whole) {
  std::uint32_t entry = source_.find(name);
  DataType type = entry == PlaceIndex::kNone ? type_of_value(value) : source_.metrics[entry].type;
  if (datatype != 0) {
    const auto said = data_type_of(datatype);
    if (!said) return problem("unknown_datatype", metric, name + " has data type " + std::to_string(datatype));
    type = *said;
  }
  if (type == DataType::unknown) return problem("no_datatype", metric, name + " has no data type");
  if (entry == PlaceIndex::kNone) {
    if (name.size() > kMaxNameBytes) return problem("name_too_long", metric, "the name of a part is too long");
    if (source_.metrics.size() >= options_.max_metrics) {
      return problem("too_many_metrics", metric,
                     "more than " + std::to_string(options_.max_metrics) + " metrics of one source");
    }
    host_.touch(node_, Part::tables);
    entry = source_.add(name, type);
    table_grew = true;
  }
  MetricEntry& row = source_.metrics[entry];
  if (!row.born || row.type != type) {
    host_.touch(node_, Part::tables);
    table_grew = true;
  }
  row.born = true;
  row.type = type;
  if (!is_composed(type)) return scalar(entry, type, value, is_null, whole);
  if (!is_null && value.kind != ValueKind::none) composed(name, type, metric, value, whole);
}

void HostNodes::Samples::scalar(std::uint32_t entry, DataType type, const Value& value, bool is_null,
                                const Whole& whole) {
  Sample& sample = out_.samples.emplace_back();
  sample.metric = entry;
  sample.type = type;
  sample.quality = whole.quality;
  sample.historical = whole.historical;
  sample.transient = whole.transient;
  sample.unstamped = whole.unstamped;
  sample.time = whole.time;
  if (whole.bad_time) {
    sample.kind = SampleKind::wrong;
    sample.text = "a timestamp beyond 2^63 ms";
    return;
  }
  if (is_null || value.kind == ValueKind::none) return;  // SampleKind::null
  sample.kind = SampleKind::wrong;
  sample.text = "a value that is none of its data type";
  if (is_textual(type)) {
    const auto text = text_of(value, type);
    if (!text) return;
    sample.kind = SampleKind::text;
    sample.text = *text;
  } else if (type == DataType::bytes || type == DataType::file) {
    if (value.kind != ValueKind::bytes) return;
    sample.kind = SampleKind::opaque;
    sample.text = value.text;
  } else if (const auto number = number_of(value, type)) {
    if (!std::isfinite(*number)) {
      sample.text = std::isnan(*number) ? "NaN" : "an infinite number";
      return;
    }
    sample.number = *number;
    sample.kind = SampleKind::number;
    sample.text = {};
    if (const auto integer = integer_of(value, type)) {
      sample.kind = SampleKind::integer;
      sample.integer = *integer;
    }
  }
}

// ---- births and data

// A table that has no room beside names of the past forgets them all, and indices change. Not while samples of this
// very call point into it (what waited before the birth): false then, and names without room are refused until the next
// birth.
bool HostNodes::make_room(Source& source, const Current& current, const Output& out) const {
  if (source.metrics.size() + current.payload->metrics.size() <= options_.max_metrics) return true;
  const bool used =
      std::any_of(out.events.begin() + static_cast<std::ptrdiff_t>(first_event_), out.events.end(),
                  [&](const Event& event) { return event.kind == EventKind::data && event.source == source.id; });
  if (used) return false;
  source.metrics.clear();
  return true;
}

void HostNodes::birth_samples(HostNode& node, Source& source, const Current& current, Output& out) {
  touch(node, Part::tables);
  if (!make_room(source, current, out)) {
    want_rebirth(node, current.broker, "too_many_metrics", current.now, out);
  }
  std::vector<MetricEntry> before = source.metrics;
  for (MetricEntry& entry : source.metrics) {
    entry.born = false;
    entry.alias.reset();
  }
  source.rebuild_indices();

  Samples samples(*this, node, source, current, out);
  const std::size_t first = out.samples.size();
  samples.birth_table();
  samples.emit(true);

  bool changed = source.metrics.size() != before.size();
  bool aliases_kept = true;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const MetricEntry& now = source.metrics[i];
    changed = changed || now.born != before[i].born || now.type != before[i].type || now.alias != before[i].alias;
    aliases_kept = aliases_kept && (!before[i].alias || !now.alias || now.alias == before[i].alias);
    // An alias that was another metric's.
    if (before[i].alias && now.alias != before[i].alias && source.find_alias(*before[i].alias) != PlaceIndex::kNone) {
      aliases_kept = false;
    }
  }
  if (changed || before.empty()) ++source.generation;
  if (source.is_node()) node.aliases_kept = true;
  node.aliases_kept = node.aliases_kept && aliases_kept;

  const auto count = static_cast<std::uint32_t>(out.samples.size() - first);
  counters_.samples += count;
  if (count > 0) {
    Event& event = add_event(out, EventKind::data, source.id, current.now);
    event.birth = true;
    event.first_sample = static_cast<std::uint32_t>(first);
    event.sample_count = count;
    event.origin = current.origin;
    event.timestamp = current.payload->timestamp ? time_of(*current.payload->timestamp) : std::nullopt;
  }
  if (samples.problems > 0) {
    if (samples.problems > 1) samples.detail += " (and " + std::to_string(samples.problems - 1) + " more like it)";
    refuse(current, samples.reason, std::move(samples.detail), out);
  }
}

void HostNodes::data_samples(HostNode& node, Source& source, const Current& current, Output& out) {
  Samples samples(*this, node, source, current, out);
  const std::size_t first = out.samples.size();
  samples.emit(false);
  const auto count = static_cast<std::uint32_t>(out.samples.size() - first);
  counters_.samples += count;
  if (count > 0) {
    Event& event = add_event(out, EventKind::data, source.id, current.now);
    event.first_sample = static_cast<std::uint32_t>(first);
    event.sample_count = count;
    event.origin = current.origin;
    event.timestamp = current.payload->timestamp ? time_of(*current.payload->timestamp) : std::nullopt;
  }
  if (samples.table_grew) ++source.generation;
  if (samples.problems > 0) {
    if (samples.problems > 1) samples.detail += " (and " + std::to_string(samples.problems - 1) + " more like it)";
    refuse(current, samples.reason, std::move(samples.detail), out);
  }
  if (samples.unknown_metric) want_rebirth(node, current.broker, "unknown_metric", current.now, out);
}

}  // namespace fettle::sparkplug
