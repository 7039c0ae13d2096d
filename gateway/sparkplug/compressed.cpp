#include "gateway/sparkplug/compressed.h"

#include <zlib.h>

#include <algorithm>
#include <cctype>

namespace fettle::sparkplug {
namespace {

// zlib's manual, inflateInit2: the largest window, and 32 more to tell zlib's header from gzip's. They cannot be taken
// for each other, and devices have been seen to name the wrong one.
constexpr int kEitherHeader = MAX_WBITS + 32;

constexpr std::size_t kFirstRoom = 4U << 10U;  // bytes of output; doubled as long as it is too little

Malformed refused(std::string what, std::string_view remedy) {
  return {"compression", what.append("; ").append(remedy)};
}

// A zlib stream that is ended whichever way its use ends.
class Inflation {
 public:
  explicit Inflation(std::string_view compressed) {
    // Bytef is not const in zlib's interface; inflate() only reads it.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
    stream_.avail_in = static_cast<uInt>(compressed.size());
    ready_ = inflateInit2(&stream_, kEitherHeader) == Z_OK;
  }
  ~Inflation() {
    if (ready_) inflateEnd(&stream_);
  }
  Inflation(const Inflation&) = delete;
  Inflation& operator=(const Inflation&) = delete;

  // Goes on until `out` is full or the stream ends; returns zlib's own word for how it went.
  int run(std::string& out, std::size_t used) {
    if (!ready_) return Z_MEM_ERROR;
    stream_.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream_.avail_out = static_cast<uInt>(out.size() - used);
    return inflate(&stream_, Z_NO_FLUSH);
  }
  std::size_t written() const { return stream_.total_out; }
  std::size_t left() const { return stream_.avail_in; }
  const char* message() const { return stream_.msg == nullptr ? "no zlib or gzip stream" : stream_.msg; }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

std::optional<Malformed> check_algorithm(const Payload& payload) {
  for (const Metric& metric : payload.metrics) {
    if (metric.name != "algorithm") continue;
    std::string name(metric.value.kind == ValueKind::text ? metric.value.text : std::string_view("not a text"));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    if (name == "DEFLATE" || name == "GZIP") return std::nullopt;
    constexpr std::size_t kShown = 32;  // bytes
    const bool readable = std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isprint(c) != 0; });
    return refused("the payload is compressed, its metric \"algorithm\" says " +
                       (readable ? '\'' + name.substr(0, kShown) + '\'' : std::string("something unreadable")),
                   "expected DEFLATE or GZIP: have the edge node use one of these, or send without compression");
  }
  return std::nullopt;
}

}  // namespace

std::optional<Malformed> unwrap(Payload& payload, std::size_t limit, std::string& inflated) {
  if (auto problem = check_algorithm(payload)) return problem;
  const std::string_view body = payload.body;
  if (body.empty()) {
    return refused("the payload says that it is compressed and has no body",
                   "expected the compressed payload there: update the edge node's software, or switch compression off");
  }
  limit = std::min(limit, kMaxInflatedBytes);
  inflated.clear();
  Inflation inflation(body);
  int went = Z_OK;
  while (went == Z_OK && inflation.written() <= limit) {
    const std::size_t used = inflation.written();
    // One byte over the limit is room enough to see that there is more.
    if (used == inflated.size()) inflated.resize(std::min(limit + 1, std::max(kFirstRoom, used * 2)));
    went = inflation.run(inflated, used);
  }
  if (inflation.written() > limit) {
    return refused("the payload of " + std::to_string(body.size()) + " compressed bytes is more than " +
                       std::to_string(limit) + " bytes when inflated",
                   "have the edge node send smaller messages, or raise sparkplug.max_payload");
  }
  // zlib's word for input that ended early, where there was room for output.
  if (went == Z_BUF_ERROR) {
    return refused("the compressed payload ends before its end, after " + std::to_string(body.size()) + " bytes",
                   "it was cut short before it was sent: look at the edge node's limits for messages");
  }
  if (went != Z_STREAM_END) {
    return refused("the compressed payload cannot be inflated (" + std::string(inflation.message()) + ')',
                   "expected the zlib format of RFC 1950 (DEFLATE) or that of RFC 1952 (GZIP), undamaged");
  }
  if (inflation.left() > 0) {
    return refused(std::to_string(inflation.left()) + " bytes follow the end of the compressed payload",
                   "expected one zlib or gzip stream and nothing else in the body");
  }
  inflated.resize(inflation.written());
  if (auto problem = decode(inflated, payload)) {
    problem->detail.insert(0, "in the compressed payload, ");
    return problem;
  }
  if (is_compressed(payload)) {
    return refused("the compressed payload holds another compressed one",
                   "expected a plain Sparkplug B payload inside: have the edge node compress once");
  }
  return std::nullopt;
}

}  // namespace fettle::sparkplug
