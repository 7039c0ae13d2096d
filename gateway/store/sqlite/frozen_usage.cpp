#include "gateway/store/sqlite/frozen_usage.h"

#include "gateway/store/sqlite/bytes.h"

namespace fettle::store {
namespace {

constexpr char kUsageKind = 'U';
constexpr std::size_t kRecordBytes = 6;  // the least that six varints take

void put_difference(ByteWriter& out, engine::Time from, engine::Time to) {
  out.signed_varint(wrapping_difference(from.time_since_epoch().count(), to.time_since_epoch().count()));
}

engine::Time take_difference(ByteReader& in, engine::Time from) {
  return engine::Time(engine::Time::duration(wrapping_sum(from.time_since_epoch().count(), in.signed_varint())));
}

}  // namespace

FormatResult<std::string> encode_usage(Compressor& compressor, std::span<const engine::FrozenUsage> usage) {
  std::string raw;
  ByteWriter out(raw);
  out.varint(usage.size());
  engine::Time end;
  for (const engine::FrozenUsage& record : usage) {
    put_difference(out, end, record.start);
    put_difference(out, record.start, record.end);
    out.signed_varint(record.quantity);
    out.varint(record.revision);
    put_difference(out, record.start, record.first_reading);
    put_difference(out, record.end, record.last_reading);
    end = record.end;
  }
  return compressor.seal(kUsageKind, raw);
}

FormatResult<std::vector<engine::FrozenUsage>> decode_usage(Compressor& compressor, std::string_view bytes) {
  const auto raw = compressor.open(kUsageKind, bytes);
  if (!raw) return raw.error();
  ByteReader in(*raw);
  std::vector<engine::FrozenUsage> usage(in.count(kRecordBytes));
  engine::Time end;
  for (engine::FrozenUsage& record : usage) {
    record.start = take_difference(in, end);
    record.end = take_difference(in, record.start);
    record.quantity = in.signed_varint();
    record.revision = static_cast<std::uint32_t>(in.varint());
    record.first_reading = take_difference(in, record.start);
    record.last_reading = take_difference(in, record.end);
    end = record.end;
  }
  if (!in.at_end()) return FormatError{"is damaged within its records"};
  return usage;
}

}  // namespace fettle::store
