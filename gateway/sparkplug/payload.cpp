#include "gateway/sparkplug/payload.h"

#include "gateway/sparkplug/payload_decoder.h"
#include "gateway/sparkplug/value.h"

namespace fettle::sparkplug {

void Payload::clear() {
  timestamp.reset();
  seq.reset();
  uuid = {};
  body = {};
  metrics.clear();
  members.clear();
  templates.clear();
  parameters.clear();
  properties.clear();
  property_sets.clear();
  property_lists.clear();
  datasets.clear();
  columns.clear();
  cells.clear();
  metadata.clear();
}

// ---- the pieces
// --------------------------------------------------------------------------------------------------------

bool Decoder::fail(const char* at, std::string_view reason, std::string_view what) {
  if (problem_) return false;
  std::string detail = "byte " + std::to_string(at - bytes_.data()) + " of " + std::to_string(bytes_.size());
  if (!out_.metrics.empty()) detail += ", at metric " + std::to_string(out_.metrics.size());
  detail += ": ";
  detail += what;
  problem_ = Malformed{std::string(reason), std::move(detail)};
  return false;
}

// A field that is not expected here: skipped if nobody knows it, refused if it is a known one of another wire type.
bool Decoder::unknown(Cursor& in, std::uint32_t read, std::uint32_t last_known) {
  const char* const at = in.at;
  if (read >> 3U <= last_known) {
    return fail(at, "malformed",
                "field " + std::to_string(read >> 3U) + " has wire type " + std::to_string(read & 7U) +
                    ", which is not its own; expected a Sparkplug B message");
  }
  std::uint64_t ignored = 0;
  Cursor skipped{};
  switch (read & 7U) {
    case kVarint:
      return varint(in, ignored) || cut_short(at);
    case kFixed64:
      return fixed<std::uint64_t>(in, ignored) || cut_short(at);
    case kFixed32:
      return fixed<std::uint32_t>(in, ignored) || cut_short(at);
    case kLength:
      return length_delimited(in, skipped) || cut_short(at);
    default:
      return fail(at, "malformed", "a group or an unknown wire type; expected a Sparkplug B message");
  }
}

bool Decoder::number32(Cursor& in, std::uint32_t& out) {
  std::uint64_t value = 0;
  if (!number(in, value)) return false;
  out = static_cast<std::uint32_t>(value);  // a sign-extended negative number takes ten bytes; 32 bits count
  return true;
}

bool Decoder::flag(Cursor& in, bool& out) {
  std::uint64_t value = 0;
  if (!number(in, value)) return false;
  out = value != 0;
  return true;
}

bool Decoder::text(Cursor& in, std::string_view& out) {
  Cursor found{};
  if (!part(in, found)) return false;
  out = view(found);
  return true;
}

bool Decoder::name(Cursor& in, std::string_view& out) {
  const char* const at = in.at;
  if (!text(in, out)) return false;
  if (out.size() > kMaxNameBytes) {
    return fail(at, "name_too_long",
                "a name of " + std::to_string(out.size()) + " bytes; at most " + std::to_string(kMaxNameBytes));
  }
  return is_utf8(out) || fail(at, "not_utf8", "a name that is no UTF-8");
}

// How often `field` stands in a message, so that its entries get one place side by side.
bool Decoder::count_fields(Cursor in, std::uint32_t field, std::size_t& out) {
  out = 0;
  while (!in.done()) {
    std::uint32_t read = 0;
    if (!read_tag(in, read)) return false;
    if (read >> 3U == field) ++out;
    if (!unknown(in, read, 0)) return false;
  }
  return true;
}

bool Decoder::room(const char* at, std::size_t used, std::size_t more, std::size_t limit, std::string_view reason,
                   std::string_view what) {
  if (more <= limit && used <= limit - more) return true;
  return fail(at, reason, "more than " + std::to_string(limit) + " " + std::string(what) + " in one payload");
}

// ---- payload and metrics
// -----------------------------------------------------------------------------------------------

std::optional<Malformed> Decoder::run() {
  out_.clear();
  if (bytes_.size() > kMaxPayloadBytes) {
    fail(bytes_.data(), "too_large", "the payload is larger than " + std::to_string(kMaxPayloadBytes) + " bytes");
  } else {
    payload({bytes_.data(), bytes_.data() + bytes_.size()});
  }
  return std::move(problem_);
}

bool Decoder::payload(Cursor in) {
  while (!in.done()) {
    std::uint32_t read = 0;
    if (!read_tag(in, read)) return false;
    std::uint64_t value = 0;
    Cursor found{};
    switch (read) {
      case tag(2, kLength):
        if (!part(in, found)) return false;
        if (out_.metrics.size() + out_.members.size() >= kMaxMetrics) {
          return room(found.at, kMaxMetrics, 1, kMaxMetrics, "too_many_metrics", "metrics");
        }
        if (!metric(found, out_.metrics.emplace_back(), 0)) return false;
        break;
      case tag(1, kVarint):
        if (!number(in, value)) return false;
        out_.timestamp = value;
        break;
      case tag(3, kVarint):
        if (!number(in, value)) return false;
        out_.seq = value;
        break;
      case tag(4, kLength):
        if (!text(in, out_.uuid)) return false;
        break;
      case tag(5, kLength):
        if (!text(in, out_.body)) return false;
        break;
      default:
        if (!unknown(in, read, 5)) return false;
    }
  }
  return true;
}

// The fields of ordinary telemetry; the others are in metric_rare.
bool Decoder::metric(Cursor in, Metric& out, std::size_t depth) {
  out.offset = static_cast<std::uint32_t>(in.at - bytes_.data());
  while (!in.done()) {
    std::uint32_t read = 0;
    if (!read_tag(in, read)) return false;
    switch (read) {
      case tag(2, kVarint): {
        std::uint64_t value = 0;
        if (!number(in, value)) return false;
        out.alias = value;
        break;
      }
      case tag(3, kVarint): {
        std::uint64_t value = 0;
        if (!number(in, value)) return false;
        out.timestamp = value;
        break;
      }
      case tag(4, kVarint):
        if (!number32(in, out.datatype)) return false;
        break;
      default: {
        bool was = false;
        if (!scalar(in, read, 10, out.value, was)) return false;
        if (!was && !metric_rare(in, read, out, depth)) return false;
      }
    }
  }
  return true;
}

bool Decoder::metric_rare(Cursor& in, std::uint32_t read, Metric& out, std::size_t depth) {
  const char* const at = in.at;
  Cursor found{};
  switch (read) {
    case tag(1, kLength):
      return name(in, out.name);
    case tag(5, kVarint):
      return flag(in, out.is_historical);
    case tag(6, kVarint):
      return flag(in, out.is_transient);
    case tag(7, kVarint):
      return flag(in, out.is_null);
    case tag(8, kLength): {
      if (out.has_metadata) return fail(at, "malformed", "metadata given twice");
      MetaData said;
      if (!part(in, found) || !metadata(found, said)) return false;
      out.has_metadata = true;
      out.metadata = static_cast<std::uint32_t>(out_.metadata.size());
      out_.metadata.push_back(said);
      return true;
    }
    case tag(9, kLength):
      if (out.has_properties) return fail(at, "malformed", "properties given twice");
      out.has_properties = true;
      return part(in, found) && property_set(found, out.properties, 1);
    case tag(16, kLength):
      out.value.kind = ValueKind::bytes;
      return text(in, out.value.text);
    case tag(17, kLength): {
      if (out.value.kind == ValueKind::dataset) return fail(at, "malformed", "a data set given twice");
      DataSet set;
      if (!part(in, found) || !dataset(found, set)) return false;
      out.value = {ValueKind::dataset, out_.datasets.size(), {}};
      out_.datasets.push_back(set);
      return true;
    }
    case tag(18, kLength): {
      if (out.value.kind == ValueKind::template_) return fail(at, "malformed", "a template given twice");
      Template value;
      if (!part(in, found) || !template_value(found, value, depth + 1)) return false;
      out.value = {ValueKind::template_, out_.templates.size(), {}};
      out_.templates.push_back(value);
      return true;
    }
    default:
      return unknown(in, read, 18);
  }
}

std::optional<Malformed> decode(std::string_view bytes, Payload& out) {
  return Decoder(bytes, out).run();
}

}  // namespace fettle::sparkplug
