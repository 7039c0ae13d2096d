#include "gateway/journal/segment.h"

#define XXH_STATIC_LINKING_ONLY
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>

namespace fettle::journal {
namespace {

template <typename T>
void store(char* at, T value) {
  std::memcpy(at, &value, sizeof(T));
}

template <typename T>
T fetch(const char* at) {
  T value{};
  std::memcpy(&value, at, sizeof(T));
  return value;
}

// Over everything of the record but the checksum itself; the length is mixed in as the seed.
std::uint64_t checksum(const char* after_checksum, std::size_t size, std::uint32_t length) {
  return XXH3_64bits_withSeed(after_checksum, size, length);
}

}  // namespace

void encode_record(Sequence sequence, Kind kind, Time received, std::string_view body, std::string& out) {
  const auto length = static_cast<std::uint32_t>(body.size());
  const std::size_t start = out.size();
  out.resize(start + kRecordHeader);
  char* header = out.data() + start;
  store(header, length);
  store(header + 12, sequence);
  store(header + 20, static_cast<std::uint8_t>(kind));
  store(header + 21, static_cast<std::int64_t>(received.time_since_epoch().count()));
  out.append(body);
  char* summed = out.data() + start + 12;
  store(out.data() + start + 4, checksum(summed, kRecordHeader - 12 + body.size(), length));
}

Parsed parse_record(std::string_view bytes) {
  if (bytes.size() < kRecordHeader) return {Parse::partial, {}, kRecordHeader};
  const auto length = fetch<std::uint32_t>(bytes.data());
  if (length > kMaxBody) return {Parse::corrupt, {}, 0};
  const std::size_t size = kRecordHeader + length;
  if (bytes.size() < size) return {Parse::partial, {}, size};
  if (fetch<std::uint64_t>(bytes.data() + 4) != checksum(bytes.data() + 12, size - 12, length)) {
    return {Parse::corrupt, {}, 0};
  }
  const auto kind = fetch<std::uint8_t>(bytes.data() + 20);
  if (kind < static_cast<std::uint8_t>(Kind::message) || kind > static_cast<std::uint8_t>(Kind::sparkplug)) {
    return {Parse::corrupt, {}, 0};
  }
  Record record;
  record.sequence = fetch<Sequence>(bytes.data() + 12);
  record.kind = static_cast<Kind>(kind);
  record.received = Time(std::chrono::milliseconds(fetch<std::int64_t>(bytes.data() + 21)));
  record.body = bytes.substr(kRecordHeader, length);
  return {Parse::record, record, size};
}

}  // namespace fettle::journal
