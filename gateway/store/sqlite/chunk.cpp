#include "gateway/store/sqlite/chunk.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "gateway/store/sqlite/bytes.h"

namespace fettle::store {
namespace {

// Runs of equal flags: nearly always one run.
void append_flags(ByteWriter& out, const std::vector<std::uint8_t>& flags) {
  for (std::size_t at = 0, end = 0; at < flags.size(); at = end) {
    while (end < flags.size() && flags[end] == flags[at]) ++end;
    out.varint(end - at);
    out.fixed(flags[at]);
  }
}

bool take_flags(ByteReader& in, std::vector<std::uint8_t>& flags) {
  for (std::size_t at = 0; at < flags.size();) {
    const std::uint64_t run = in.varint();
    const auto value = in.fixed<std::uint8_t>();
    if (run == 0 || run > flags.size() - at) return false;
    std::fill_n(flags.begin() + static_cast<std::ptrdiff_t>(at), run, value);
    at += run;
  }
  return true;
}

}  // namespace

void Points::clear() {
  times.clear();
  values.clear();
  flags.clear();
}
void Origins::clear() {
  sequences.clear();
  ordinals.clear();
}

// ---- columns
// ---------------------------------------------------------------------------------------------------------

namespace {

template <typename T>
void append_column(const std::vector<T>& more, std::vector<T>& column) {
  column.insert(column.end(), more.begin(), more.end());
}
template <typename T>
void slice_column(const std::vector<T>& column, std::size_t begin, std::size_t end, std::vector<T>& part) {
  part.assign(column.begin() + static_cast<std::ptrdiff_t>(begin), column.begin() + static_cast<std::ptrdiff_t>(end));
}
template <typename T>
void arrange(std::vector<T>& column, const std::vector<std::uint32_t>& order) {
  std::vector<T> arranged(column.size());
  for (std::size_t i = 0; i < order.size(); ++i) arranged[i] = column[order[i]];
  column = std::move(arranged);
}

}  // namespace

void append(const Points& more, Points& points) {
  append_column(more.times, points.times);
  append_column(more.values, points.values);
  append_column(more.flags, points.flags);
}
void append(const Origins& more, Origins& origins) {
  append_column(more.sequences, origins.sequences);
  append_column(more.ordinals, origins.ordinals);
}

void slice(const Points& points, std::size_t begin, std::size_t end, Points& part) {
  slice_column(points.times, begin, end, part.times);
  slice_column(points.values, begin, end, part.values);
  slice_column(points.flags, begin, end, part.flags);
}
void slice(const Origins& origins, std::size_t begin, std::size_t end, Origins& part) {
  slice_column(origins.sequences, begin, end, part.sequences);
  slice_column(origins.ordinals, begin, end, part.ordinals);
}

void sort_readings(Points& points, Origins& origins) {
  std::vector<std::uint32_t> order(points.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto before = [&](std::uint32_t a, std::uint32_t b) {
    return std::pair(points.times[a], origins.sequences[a]) < std::pair(points.times[b], origins.sequences[b]);
  };
  if (std::is_sorted(order.begin(), order.end(), before)) return;
  std::stable_sort(order.begin(), order.end(), before);
  arrange(points.times, order);
  arrange(points.values, order);
  arrange(points.flags, order);
  arrange(origins.sequences, order);
  arrange(origins.ordinals, order);
}

// ---- writing
// ---------------------------------------------------------------------------------------------------------

FormatResult<std::string> ChunkCodec::encode(const Points& points) {
  std::string raw;
  ByteWriter out(raw);
  out.varint(points.size());
  columns_.append(raw, points.times);
  values_.append(raw, points.values);
  append_flags(out, points.flags);
  return compressor_.seal(kPointsKind, raw, Effort::none);
}

FormatResult<std::string> ChunkCodec::encode(const Origins& origins) {
  std::string raw;
  ByteWriter out(raw);
  out.varint(origins.sequences.size());
  columns_.append(raw, origins.sequences);
  columns_.append(raw, origins.ordinals);
  return compressor_.seal(kOriginsKind, raw, Effort::none);
}

// ---- reading
// ---------------------------------------------------------------------------------------------------------

FormatResult<void> ChunkCodec::decode(std::string_view bytes, std::uint64_t readings, Points& points) {
  const auto raw = compressor_.open(kPointsKind, bytes);
  if (!raw) return raw.error();
  ByteReader in(*raw);
  if (in.varint() != readings || readings > kMaxChunkReadings) return FormatError{"holds another number of readings"};
  points.times.resize(readings);
  points.values.resize(readings);
  points.flags.resize(readings);
  if (!columns_.take(in, points.times)) return FormatError{"is damaged within its times"};
  if (!values_.take(in, points.values)) return FormatError{"is damaged within its values"};
  if (!take_flags(in, points.flags) || !in.at_end()) return FormatError{"is damaged within its flags"};
  return {};
}

FormatResult<void> ChunkCodec::decode(std::string_view bytes, std::uint64_t readings, Origins& origins) {
  const auto raw = compressor_.open(kOriginsKind, bytes);
  if (!raw) return raw.error();
  ByteReader in(*raw);
  if (in.varint() != readings || readings > kMaxChunkReadings) return FormatError{"holds another number of readings"};
  origins.sequences.resize(readings);
  origins.ordinals.resize(readings);
  if (!columns_.take(in, origins.sequences) || !columns_.take(in, origins.ordinals) || !in.at_end()) {
    return FormatError{"is damaged within its sequences"};
  }
  return {};
}

}  // namespace fettle::store
