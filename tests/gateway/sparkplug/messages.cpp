#include "tests/gateway/sparkplug/messages.h"

#include <google/protobuf/stubs/logging.h>

#include <functional>
#include <sstream>

namespace fettle::sparkplug::testing {

M& M::name(const std::string& text) {
  metric.set_name(text);
  return *this;
}
M& M::alias(std::uint64_t number) {
  metric.set_alias(number);
  return *this;
}
M& M::at(std::int64_t milliseconds) {
  metric.set_timestamp(static_cast<std::uint64_t>(milliseconds));
  return *this;
}
M& M::type(DataType type) {
  metric.set_datatype(static_cast<std::uint32_t>(type));
  return *this;
}
M& M::number(double value) {
  metric.set_double_value(value);
  return *this;
}
M& M::integer(std::uint32_t value) {
  metric.set_int_value(value);
  return *this;
}
M& M::whole(std::uint64_t value) {
  metric.set_long_value(value);
  return *this;
}
M& M::flag(bool value) {
  metric.set_boolean_value(value);
  return *this;
}
M& M::text(const std::string& value) {
  metric.set_string_value(value);
  return *this;
}
M& M::bytes(const std::string& value) {
  metric.set_bytes_value(value);
  return *this;
}
M& M::null() {
  metric.set_is_null(true);
  return *this;
}
M& M::historical() {
  metric.set_is_historical(true);
  return *this;
}
M& M::transient() {
  metric.set_is_transient(true);
  return *this;
}
M& M::quality(std::uint32_t value) {
  metric.mutable_properties()->add_keys("Quality");
  wire::PropertyValue& said = *metric.mutable_properties()->add_values();
  said.set_type(static_cast<std::uint32_t>(DataType::int32));
  said.set_int_value(value);
  return *this;
}

P::P(std::optional<std::uint64_t> seq, std::optional<std::int64_t> stamp, const std::vector<M>& metrics) {
  if (seq) payload.set_seq(*seq);
  if (stamp) payload.set_timestamp(static_cast<std::uint64_t>(*stamp));
  for (const M& metric : metrics) *payload.add_metrics() = metric.metric;
}

std::string P::bytes() const {
  const google::protobuf::LogSilencer quiet;  // it would print a line for every text that is no UTF-8
  return payload.SerializeAsString();
}

Host::Host(const HostOptions& options, std::int64_t begin) : now(begin), nodes(options) {}

std::string_view Host::keep(const std::string& text) {
  return kept_.emplace_back(text);
}

std::string Host::send(const std::string& topic, const std::string& payload) {
  out.clear();
  Arrival arrival;
  arrival.broker = keep(broker);
  arrival.topic = keep(topic);
  arrival.payload = keep(payload);
  arrival.received = Time(std::chrono::milliseconds(now));
  arrival.sequence = ++sequence_;
  arrival.hash = std::hash<std::string>()(payload);
  nodes.message(arrival, out);
  return told(nodes, out);
}

std::string Host::tick(std::int64_t milliseconds) {
  now += milliseconds;
  out.clear();
  nodes.tick(Time(std::chrono::milliseconds(now)), out);
  return told(nodes, out);
}

std::string Host::lose_broker() {
  out.clear();
  nodes.broker_down(broker, Time(std::chrono::milliseconds(now)), out);
  return told(nodes, out);
}

std::string Host::topic(const std::string& type, const std::string& node, const std::string& device) {
  return "spBv1.0/plant/" + type + '/' + node + (device.empty() ? "" : '/' + device);
}

P Host::birth(std::uint64_t seq, std::int64_t stamp, std::uint64_t bd_seq) {
  return {seq,
          stamp,
          {M::named("bdSeq").type(DataType::int64).whole(bd_seq),
           M::named("Node Control/Rebirth").type(DataType::boolean).flag(false),
           M::named("Speed").alias(1).at(stamp).type(DataType::float64).number(1.5),
           M::named("Count").alias(2).at(stamp).type(DataType::int32).integer(7)}};
}

P Host::device_birth(std::uint64_t seq, std::int64_t stamp) {
  return {seq, stamp, {M::named("Temperature").alias(11).at(stamp).type(DataType::float64).number(20.5)}};
}

P Host::death(std::uint64_t bd_seq) {
  return {std::nullopt, std::nullopt, {M::named("bdSeq").type(DataType::int64).whole(bd_seq)}};
}

// ---- as text

namespace {

void tell_sample(const Source& source, const Sample& sample, std::ostream& out) {
  out << ' ' << source.metrics[sample.metric].name << '=';
  switch (sample.kind) {
    case SampleKind::integer:
      out << sample.integer;
      break;
    case SampleKind::number:
      out << sample.number;
      break;
    case SampleKind::text:
      out << '\'' << sample.text << '\'';
      break;
    case SampleKind::null:
      out << "null";
      break;
    case SampleKind::opaque:
      out << '<' << sample.text.size() << '>';
      break;
    case SampleKind::wrong:
      out << "wrong(" << sample.text << ')';
      break;
  }
  out << '@' << sample.time.time_since_epoch().count();
  if (sample.historical) out << '~';
  if (sample.transient) out << '!';
  if (sample.unstamped) out << '?';
  if (sample.quality == Quality::stale) out << "(stale)";
  if (sample.quality == Quality::bad) out << "(bad)";
}

void tell_gap(const Event& event, std::ostream& out) {
  constexpr std::string_view kStates[] = {"opened", "healed", "lost"};
  out << ' ' << kStates[static_cast<std::size_t>(event.gap)] << ' ' << int{event.expected} << " got " << int{event.got}
      << " missing " << event.missing;
}

void tell_event(const HostNodes& nodes, const Output& all, const Event& event, std::ostream& out) {
  constexpr std::string_view kKinds[] = {"discovered", "born", "data", "died", "stale", "gap", "rebirth", "refused"};
  out << kKinds[static_cast<std::size_t>(event.kind)];
  if (event.kind == EventKind::refused) {
    out << ' ' << event.reason;
    return;
  }
  const Source& source = nodes.source(event.source);
  out << ' ' << source.path;
  if (event.kind == EventKind::born)
    out << (event.rebirth ? " rebirth" : "") << (event.after_absence ? " after absence" : "");
  if (event.kind == EventKind::died || event.kind == EventKind::stale)
    out << " @" << event.at.time_since_epoch().count();
  if (event.kind == EventKind::gap) tell_gap(event, out);
  if (event.kind == EventKind::rebirth_request) out << ' ' << event.reason;
  if (event.kind != EventKind::data) return;
  if (event.birth) out << " birth";
  for (std::uint32_t i = 0; i < event.sample_count; ++i) tell_sample(source, all.samples[event.first_sample + i], out);
}

}  // namespace

std::string told(const HostNodes& nodes, const Output& out) {
  std::ostringstream text;
  for (std::size_t i = 0; i < out.events.size(); ++i) {
    if (i > 0) text << "; ";
    tell_event(nodes, out, out.events[i], text);
  }
  return text.str();
}

}  // namespace fettle::sparkplug::testing
