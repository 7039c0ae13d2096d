// A streaming reader: the payload's own number texts go through from_chars, so a value arrives with the same bits as
// the device's text says (Boost.JSON 1.81's own doubles may be off by the last bit).

#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <limits>

#include "gateway/direct/telemetry.h"

namespace fettle::direct {

void Telemetry::clear(std::size_t payload_size) {
  groups.clear();
  values.clear();
  arena.clear();
  // Unescaped text is never longer than the payload, so views into the arena stay where they are.
  arena.reserve(payload_size + 1);
}

namespace {

using boost::json::error_code;
using boost::json::string_view;

// Receives the parser's events. Depth 0: nothing or the outer array; 1: within an object of readings; deeper: a value
// that is no value of a signal, reported once and skipped.
class Handler {
 public:
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = 4096;
  static constexpr std::size_t max_string_size = 1U << 20U;

  explicit Handler(Telemetry& out) : out_(out) {}

  std::optional<Malformed> problem;

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_object_begin(error_code&) {
    if (in_object_) return begin_nested("an object");
    in_object_ = true;
    time_.reset();
    first_ = out_.values.size();
    return true;
  }
  bool on_object_end(std::size_t, error_code&) {
    if (nested_ > 0) return end_nested();
    in_object_ = false;
    out_.groups.push_back(
        {time_, static_cast<std::uint32_t>(first_), static_cast<std::uint32_t>(out_.values.size() - first_)});
    return true;
  }
  bool on_array_begin(error_code& error) {
    if (in_object_) return begin_nested("an array");
    if (in_array_) return fail(error, "malformed", "an array within the array; expected objects such as {\"ts\": 0}");
    in_array_ = true;
    return true;
  }
  bool on_array_end(std::size_t, error_code&) {
    if (nested_ > 0) return end_nested();
    in_array_ = false;
    return true;
  }

  bool on_key_part(string_view part, std::size_t, error_code&) {
    if (nested_ == 0) partial_.append(part);
    return true;
  }
  bool on_key(string_view last, std::size_t, error_code&) {
    if (nested_ > 0) return true;
    partial_.append(last);
    key_ = keep(partial_);
    partial_.clear();
    return true;
  }
  bool on_string_part(string_view part, std::size_t, error_code&) {
    if (nested_ == 0) partial_.append(part);
    return true;
  }
  bool on_string(string_view last, std::size_t, error_code& error) {
    if (nested_ > 0) return true;
    partial_.append(last);
    const bool ok = text(error);
    partial_.clear();
    return ok;
  }
  bool on_number_part(string_view part, error_code&) {
    partial_.append(part);
    return true;
  }
  bool on_int64(std::int64_t, string_view last, error_code& error) { return number(last, error); }
  bool on_uint64(std::uint64_t, string_view last, error_code& error) { return number(last, error); }
  bool on_double(double, string_view last, error_code& error) { return number(last, error); }
  bool on_bool(bool flag, error_code& error) {
    if (nested_ > 0) return true;
    if (!in_object_) return no_object(error);
    if (key_ == "ts") return bad_stamp(error, flag ? "true" : "false");
    return add({key_, ValueKind::number, flag ? 1.0 : 0.0, {}}, error);
  }
  bool on_null(error_code& error) {
    if (nested_ > 0) return true;
    if (!in_object_) return no_object(error);
    if (key_ == "ts") return bad_stamp(error, "null");
    return true;
  }
  bool on_comment_part(string_view, error_code&) { return true; }
  bool on_comment(string_view, error_code&) { return true; }

 private:
  std::string_view keep(std::string_view text) {
    const std::size_t at = out_.arena.size();
    out_.arena.append(text);
    return std::string_view(out_.arena).substr(at);
  }
  bool fail(error_code& error, std::string reason, std::string detail) {
    problem = Malformed{std::move(reason), std::move(detail)};
    error = boost::json::error::syntax;
    return false;
  }
  bool no_object(error_code& error) {
    return fail(error, "malformed",
                "a bare value; expected an object such as {\"ts\": 1767225600000, \"temperature\": 21.5}");
  }
  bool bad_stamp(error_code& error, std::string_view found) {
    return fail(error, "malformed",
                "\"ts\" is " + std::string(found) + "; expected milliseconds since 1970 or ISO 8601 with a zone");
  }
  bool begin_nested(std::string_view what) {
    if (nested_++ == 0) out_.values.push_back({key_, ValueKind::wrong, 0, what});
    return true;
  }
  bool end_nested() {
    --nested_;
    return true;
  }
  bool add(const Value& value, error_code& error) {
    if (out_.values.size() >= kMaxReadings) {
      return fail(error, "too_many_readings",
                  "more than " + std::to_string(kMaxReadings) + " readings in one message: send several messages");
    }
    out_.values.push_back(value);
    return true;
  }
  bool text(error_code& error) {
    if (!in_object_) return no_object(error);
    if (key_ != "ts") return add({key_, ValueKind::text, 0, keep(partial_)}, error);
    time_ = parse_iso8601(partial_);
    return time_ || bad_stamp(error, '"' + partial_ + '"');
  }
  bool number(string_view last, error_code& error) {
    if (nested_ > 0) {
      partial_.clear();
      return true;
    }
    if (!in_object_) return no_object(error);
    partial_.append(last);
    double value = 0;
    const auto [end, problem_code] = std::from_chars(partial_.data(), partial_.data() + partial_.size(), value);
    const bool finite = problem_code == std::errc() && end == partial_.data() + partial_.size();
    bool ok = true;
    if (key_ == "ts") {
      // 9e15 ms is the year 287,000: anything beyond is no time, and below it a double holds every millisecond.
      if (!finite || value > 9e15 || value < -9e15) {
        ok = bad_stamp(error, partial_);
      } else {
        time_ = Time(std::chrono::milliseconds(static_cast<std::int64_t>(value)));
      }
    } else if (finite) {
      ok = add({key_, ValueKind::number, value, {}}, error);
    } else {
      ok = add({key_, ValueKind::wrong, 0, "a number beyond the range of a double"}, error);
    }
    partial_.clear();
    return ok;
  }

  Telemetry& out_;
  std::string partial_;
  std::string_view key_;
  std::optional<Time> time_;
  std::size_t first_ = 0;
  int nested_ = 0;
  bool in_object_ = false;
  bool in_array_ = false;
};

}  // namespace

std::optional<Malformed> decode_json(std::string_view payload, Telemetry& out) {
  out.clear(payload.size());
  boost::json::parse_options options;
  options.max_depth = 8;
  boost::json::basic_parser<Handler> parser(options, out);
  error_code error;
  const std::size_t used = parser.write_some(false, payload.data(), payload.size(), error);
  if (parser.handler().problem) return parser.handler().problem;
  if (!error && used < payload.size()) error = boost::json::error::extra_data;
  if (error) {
    return Malformed{"malformed", "not JSON at byte " + std::to_string(used) + " of " + std::to_string(payload.size()) +
                                      ": " + error.message()};
  }
  return std::nullopt;
}

}  // namespace fettle::direct
