#include "gateway/store/sqlite/rollup.h"

#include <algorithm>

namespace fettle::store {

void Bucket::add(double value) {
  add(Bucket{1, value, value, value});
}

void Bucket::add(const Bucket& other) {
  if (other.count == 0) return;
  least = count == 0 ? other.least : std::min(least, other.least);
  largest = count == 0 ? other.largest : std::max(largest, other.largest);
  sum += other.sum;
  count += other.count;
}

std::int64_t floor_to(std::int64_t time, std::int64_t width) {
  const std::int64_t rest = time % width;
  return time - (rest < 0 ? rest + width : rest);
}

FormatResult<std::string> RollupCodec::encode(const Buckets& buckets, std::int64_t resolution) {
  std::vector<std::int64_t> numbers;
  std::vector<double> values;
  std::string raw;
  ByteWriter(raw).varint(buckets.size());
  for (const auto& [start, bucket] : buckets) numbers.push_back(start / resolution);
  columns_.append(raw, numbers);
  numbers.clear();
  for (const auto& [start, bucket] : buckets) numbers.push_back(static_cast<std::int64_t>(bucket.count));
  columns_.append(raw, numbers);
  for (double Bucket::*field : {&Bucket::least, &Bucket::sum, &Bucket::largest}) {
    values.clear();
    for (const auto& [start, bucket] : buckets) values.push_back(bucket.*field);
    values_.append(raw, values);
  }
  return compressor_.seal(kRollupKind, raw, Effort::none);
}

FormatResult<Buckets> RollupCodec::decode(std::string_view bytes, std::int64_t resolution) {
  const auto raw = compressor_.open(kRollupKind, bytes);
  if (!raw) return raw.error();
  ByteReader in(*raw);
  const std::uint64_t count = in.varint();
  if (in.failed() || count > static_cast<std::uint64_t>(kBucketsPerRow)) return FormatError{"holds too many buckets"};
  std::vector<std::int64_t> places(count);
  std::vector<std::int64_t> counts(count);
  std::array<std::vector<double>, 3> values;
  bool sound = columns_.take(in, places) && columns_.take(in, counts);
  for (auto& column : values) {
    column.resize(count);
    sound = sound && values_.take(in, column);
  }
  if (!sound || !in.at_end()) return FormatError{"is damaged within its buckets"};
  Buckets buckets;
  for (std::size_t i = 0; i < count; ++i) {
    const auto start =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(places[i]) * static_cast<std::uint64_t>(resolution));
    buckets[start] = {static_cast<std::uint64_t>(counts[i]), values[0][i], values[1][i], values[2][i]};
  }
  return buckets;
}

}  // namespace fettle::store
