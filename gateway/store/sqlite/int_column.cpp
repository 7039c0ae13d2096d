#include "gateway/store/sqlite/int_column.h"

#include <zstd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <new>

namespace fettle::store {
namespace {

// How a number follows from those before it: lower half of the form byte.
enum Order : std::uint8_t { kPlain = 0, kDelta = 1, kDeltaOfDelta = 2, kXor = 3 };
// How what is left is laid out: upper half.
enum Layout : std::uint8_t { kGroups = 0, kPlanes = 1 };

constexpr std::size_t kGroup = 128;
// zstd's level for planes: their bytes have no order, so what it finds are frequencies, and more search finds no more.
constexpr int kPlaneLevel = 3;
// Of planes: how the bytes of one are kept.
enum Plane : std::uint8_t { kSame = 0, kStored = 1, kZstd = 2 };
// Planes take longer to read than groups, so they must be worth it: less than this share of the groups' length.
constexpr double kWorthPlanes = 0.95;

// ---- orders
// ----------------------------------------------------------------------------------------------------------

// The base is the first number and the slope the first difference, so that neither widens the first group.
struct Start {
  std::int64_t base = 0;
  std::int64_t slope = 0;
};

Start reduce(std::span<const std::int64_t> numbers, Order order, std::vector<std::int64_t>& residuals) {
  residuals.resize(numbers.size());
  Start start;
  if (numbers.empty()) return start;
  start.base = numbers[0];
  if (order == kDeltaOfDelta && numbers.size() > 1) start.slope = wrapping_difference(numbers[0], numbers[1]);
  std::int64_t before = start.base;
  std::int64_t slope = start.slope;
  residuals[0] = 0;
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    const std::int64_t number = numbers[i];
    switch (order) {
      case kPlain:
        residuals[i] = wrapping_difference(start.base, number);
        break;
      case kDelta:
        residuals[i] = wrapping_difference(before, number);
        break;
      case kDeltaOfDelta: {
        const std::int64_t difference = wrapping_difference(before, number);
        residuals[i] = wrapping_difference(slope, difference);
        slope = difference;
        break;
      }
      case kXor:
        residuals[i] = before ^ number;
        break;
    }
    before = number;
  }
  return start;
}

// The inverse, in place.
void restore(std::span<std::int64_t> numbers, Order order, const Start& start) {
  std::int64_t before = start.base;
  std::int64_t slope = start.slope;
  switch (order) {
    case kPlain:
      for (std::int64_t& number : numbers) number = wrapping_sum(start.base, number);
      break;
    case kDelta:
      for (std::int64_t& number : numbers) number = before = wrapping_sum(before, number);
      break;
    case kDeltaOfDelta:
      if (!numbers.empty()) numbers[0] = before = wrapping_sum(before, numbers[0]);
      for (std::int64_t& number : numbers.subspan(std::min<std::size_t>(1, numbers.size()))) {
        slope = wrapping_sum(slope, number);
        number = before = wrapping_sum(before, slope);
      }
      break;
    case kXor:
      for (std::int64_t& number : numbers) number = before ^= number;
      break;
  }
}

// ---- groups
// ----------------------------------------------------------------------------------------------------------

struct GroupRange {
  std::int64_t least = 0;
  unsigned width = 0;
};

GroupRange range_of(std::span<const std::int64_t> group) {
  const auto [least, most] = std::minmax_element(group.begin(), group.end());
  const auto span = static_cast<std::uint64_t>(wrapping_difference(*least, *most));
  return {*least, static_cast<unsigned>(std::bit_width(span))};
}

std::size_t packed_bytes(std::size_t count, unsigned width) {
  return (count * width + 7) / 8;
}

void pack_group(std::string& out, std::span<const std::int64_t> group) {
  const GroupRange range = range_of(group);
  ByteWriter writer(out);
  writer.signed_varint(range.least);
  out.push_back(static_cast<char>(range.width));
  const std::size_t begin = out.size();
  out.resize(begin + packed_bytes(group.size(), range.width) + 16);  // room to write whole words
  char* to = out.data() + begin;
  std::size_t bit = 0;
  for (const std::int64_t number : group) {
    const auto value = static_cast<std::uint64_t>(wrapping_difference(range.least, number));
    std::uint64_t word = 0;
    std::memcpy(&word, to + bit / 8, sizeof word);
    const unsigned shift = bit % 8;
    word |= value << shift;
    std::memcpy(to + bit / 8, &word, sizeof word);
    if (shift + range.width > 64) to[bit / 8 + 8] = static_cast<char>(value >> (64 - shift));
    bit += range.width;
  }
  out.resize(begin + packed_bytes(group.size(), range.width));
}

std::size_t groups_size(std::span<const std::int64_t> residuals) {
  std::size_t bytes = 0;
  for (std::size_t at = 0; at < residuals.size(); at += kGroup) {
    const auto group = residuals.subspan(at, std::min(kGroup, residuals.size() - at));
    const GroupRange range = range_of(group);
    bytes += packed_bytes(group.size(), range.width) + 1 +
             (static_cast<unsigned>(std::bit_width(zigzag(range.least))) + 6) / 7;
  }
  return bytes;
}

// Pre: nine bytes may be read from the last bit's byte on.
void unpack(const char* from, unsigned width, std::int64_t least, std::span<std::int64_t> group) {
  if (width == 0) {
    std::fill(group.begin(), group.end(), least);
    return;
  }
  const std::uint64_t mask = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
  std::size_t bit = 0;
  if (width <= 56) {
    for (std::int64_t& number : group) {
      std::uint64_t word = 0;
      std::memcpy(&word, from + bit / 8, sizeof word);
      number = wrapping_sum(least, static_cast<std::int64_t>(word >> (bit % 8) & mask));
      bit += width;
    }
    return;
  }
  for (std::int64_t& number : group) {
    std::uint64_t word = 0;
    std::memcpy(&word, from + bit / 8, sizeof word);
    const unsigned shift = bit % 8;
    word >>= shift;
    if (shift > 0) word |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(from[bit / 8 + 8])) << (64 - shift);
    number = wrapping_sum(least, static_cast<std::int64_t>(word & mask));
    bit += width;
  }
}

bool take_groups(ByteReader& in, std::span<std::int64_t> numbers) {
  constexpr std::size_t kSlack = 16;
  std::array<char, kGroup * 8 + kSlack> tail{};
  for (std::size_t at = 0; at < numbers.size(); at += kGroup) {
    const auto group = numbers.subspan(at, std::min(kGroup, numbers.size() - at));
    const std::int64_t least = in.signed_varint();
    const auto width = in.fixed<std::uint8_t>();
    if (width > 64) return false;
    const std::string_view packed = in.raw(packed_bytes(group.size(), width));
    if (in.failed()) return false;
    const char* from = packed.data();
    if (in.rest().size() < kSlack) {  // whole words could lie beyond the end
      std::memcpy(tail.data(), packed.data(), packed.size());
      from = tail.data();
    }
    unpack(from, width, least, group);
  }
  return true;
}

}  // namespace

// ---- planes
// ----------------------------------------------------------------------------------------------------------

void IntColumns::append_planes(std::string& out, std::span<const std::uint64_t> residuals) {
  std::uint64_t any = 0;
  for (const std::uint64_t residual : residuals) any |= residual;
  const unsigned planes = (static_cast<unsigned>(std::bit_width(any)) + 7) / 8;
  out.push_back(static_cast<char>(planes));
  ByteWriter writer(out);
  plane_.resize(residuals.size());
  packed_.resize(ZSTD_compressBound(residuals.size()));
  for (unsigned plane = 0; plane < planes; ++plane) {
    for (std::size_t i = 0; i < residuals.size(); ++i) {
      plane_[i] = static_cast<std::uint8_t>(residuals[i] >> (8 * plane));
    }
    if (std::all_of(plane_.begin(), plane_.end(), [&](std::uint8_t byte) { return byte == plane_[0]; })) {
      writer.fixed(static_cast<std::uint8_t>(kSame));
      writer.fixed(plane_[0]);
      continue;
    }
    const std::size_t size =
        ZSTD_compressCCtx(compress_.get(), packed_.data(), packed_.size(), plane_.data(), plane_.size(), kPlaneLevel);
    if (ZSTD_isError(size) != 0U || size >= plane_.size()) {
      writer.fixed(static_cast<std::uint8_t>(kStored));
      out.append(plane_.begin(), plane_.end());
    } else {
      writer.fixed(static_cast<std::uint8_t>(kZstd));
      writer.text(std::string_view(packed_).substr(0, size));
    }
  }
}

bool IntColumns::take_plane(ByteReader& in, std::span<std::uint8_t> plane) {
  switch (in.fixed<std::uint8_t>()) {
    case kSame: {
      const auto byte = in.fixed<std::uint8_t>();
      std::fill(plane.begin(), plane.end(), byte);
      return !in.failed();
    }
    case kStored: {
      const std::string_view bytes = in.raw(plane.size());
      if (in.failed()) return false;
      std::memcpy(plane.data(), bytes.data(), bytes.size());
      return true;
    }
    case kZstd: {
      const std::string_view bytes = in.text();
      if (in.failed()) return false;
      return ZSTD_decompressDCtx(decompress_.get(), plane.data(), plane.size(), bytes.data(), bytes.size()) ==
             plane.size();
    }
    default:
      return false;
  }
}

bool IntColumns::take_planes(ByteReader& in, std::span<std::int64_t> numbers, bool signs) {
  const auto planes = in.fixed<std::uint8_t>();
  if (in.failed() || planes > 8) return false;
  plane_.resize(numbers.size());
  std::fill(numbers.begin(), numbers.end(), 0);
  for (unsigned plane = 0; plane < planes; ++plane) {
    if (!take_plane(in, plane_)) return false;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      numbers[i] |= static_cast<std::int64_t>(std::uint64_t{plane_[i]} << (8 * plane));
    }
  }
  if (signs) {
    for (std::int64_t& number : numbers) number = unzigzag(static_cast<std::uint64_t>(number));
  }
  return true;
}

// ---- columns
// ---------------------------------------------------------------------------------------------------------

void IntColumns::Free::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}
void IntColumns::Free::operator()(ZSTD_DCtx_s* context) const {
  ZSTD_freeDCtx(context);
}

IntColumns::IntColumns() : compress_(ZSTD_createCCtx()), decompress_(ZSTD_createDCtx()) {
  if (!compress_ || !decompress_) throw std::bad_alloc();
}
IntColumns::~IntColumns() = default;

void IntColumns::append(std::string& out, std::span<const std::int64_t> numbers, Kind kind) {
  Order best = kPlain;
  std::size_t shortest = SIZE_MAX;
  const auto consider = [&](Order order) {
    reduce(numbers, order, residuals_);
    const std::size_t size = groups_size(residuals_);
    if (size < shortest) {
      shortest = size;
      best = order;
    }
  };
  if (kind == Kind::bits) consider(kXor);
  consider(kPlain);
  consider(kDelta);
  if (kind == Kind::numbers) consider(kDeltaOfDelta);

  const Start start = reduce(numbers, best, residuals_);
  const std::size_t begin = out.size();
  const auto put_head = [&](Layout layout) {
    out.resize(begin);
    ByteWriter writer(out);
    writer.fixed(static_cast<std::uint8_t>(best | layout << 4U));
    writer.signed_varint(start.base);
    if (best == kDeltaOfDelta) writer.signed_varint(start.slope);
  };
  // What is a few bytes anyway is not worth another try.
  if (shortest > numbers.size() / 8 + 16) {
    unsigned_.resize(residuals_.size());
    for (std::size_t i = 0; i < residuals_.size(); ++i) {
      unsigned_[i] = best == kXor ? static_cast<std::uint64_t>(residuals_[i]) : zigzag(residuals_[i]);
    }
    put_head(kPlanes);
    const std::size_t head = out.size();
    append_planes(out, unsigned_);
    if (static_cast<double>(out.size() - head) < kWorthPlanes * static_cast<double>(shortest)) return;
  }
  put_head(kGroups);
  const std::span<const std::int64_t> all(residuals_);
  for (std::size_t at = 0; at < all.size(); at += kGroup)
    pack_group(out, all.subspan(at, std::min(kGroup, all.size() - at)));
}

bool IntColumns::take(ByteReader& in, std::span<std::int64_t> numbers) {
  const auto form = in.fixed<std::uint8_t>();
  const auto order = static_cast<Order>(form & 0x0fU);
  const unsigned layout = form >> 4U;
  if (in.failed() || order > kXor || layout > kPlanes) return false;
  Start start;
  start.base = in.signed_varint();
  if (order == kDeltaOfDelta) start.slope = in.signed_varint();
  if (in.failed()) return false;
  const bool taken = layout == kGroups ? take_groups(in, numbers) : take_planes(in, numbers, order != kXor);
  if (!taken) return false;
  restore(numbers, order, start);
  return true;
}

}  // namespace fettle::store
