#include "gateway/store/sqlite/value_column.h"

#include <algorithm>
#include <bit>
#include <limits>
#include <string>
#include <vector>

#include "gateway/store/sqlite/decimal_values.h"

namespace fettle::store {
namespace {

// How values are written: 0 to 15 decimals at that scale, 32 to 42 floats nearest to decimals at the scale minus 32,
// 254 bits of floats, 255 bits of doubles.
constexpr std::uint8_t kFloatDecimal = 32;
constexpr unsigned kFloatScales = 11;
constexpr std::uint8_t kFloatBits = 254;
constexpr std::uint8_t kDoubleBits = 255;

// Values that are looked at to choose a scale.
constexpr std::size_t kSample = 256;
// One more decimal makes differences ten times as large: log2(10) / 8 bytes a value.
constexpr double kBytesPerDecimal = 0.415;
// Position and varint of a value that the scale does not hold, beside its correction.
constexpr double kExceptionBytes = 1.5;
// Where decimals take more than this a value, bits are tried as well.
constexpr double kManyBytes = 5.0;

bool is_float_code(std::uint8_t code) {
  return code >= kFloatDecimal && code < kFloatDecimal + kFloatScales;
}
bool is_decimal_code(std::uint8_t code) {
  return code < kPowersOfTen.size() || is_float_code(code);
}

double decoded(std::int64_t whole, std::uint8_t code) {
  return is_float_code(code) ? from_float_decimal(whole, code - kFloatDecimal) : from_decimal(whole, code);
}
unsigned scale_of(std::uint8_t code) {
  return is_float_code(code) ? code - kFloatDecimal : code;
}

// The whole number nearest to the value at that scale; absent for what has none.
bool nearest(double value, std::uint8_t code, std::int64_t& whole) {
  const double scaled = value * kPowersOfTen[scale_of(code)];
  if (!(std::abs(scaled) < kLargestExact)) return false;
  whole = rounded(scaled);
  return true;
}

// The bits of a double with its sign last, so that 0.0 and -0.0 are neighbours.
std::int64_t turned(double value) {
  return static_cast<std::int64_t>(std::rotl(std::bit_cast<std::uint64_t>(value), 1));
}
double turned_back(std::int64_t bits) {
  return std::bit_cast<double>(std::rotr(static_cast<std::uint64_t>(bits), 1));
}

// What must be added to the turned bits that a code gives to get the value's own: 0 where it holds the value.
std::int64_t correction(double value, std::int64_t whole, std::uint8_t code) {
  return wrapping_difference(turned(decoded(whole, code)), turned(value));
}

// Bytes that a sample takes beyond what scale 0 takes without exceptions: exceptions and longer differences.
double cost_of(std::span<const double> sample, std::uint8_t code) {
  double bytes = kBytesPerDecimal * scale_of(code) * static_cast<double>(sample.size());
  for (const double value : sample) {
    std::int64_t whole = 0;
    (void)nearest(value, code, whole);
    const std::uint64_t off = zigzag(correction(value, whole, code));
    if (off != 0) bytes += kExceptionBytes + static_cast<double>(std::bit_width(off)) / 7;
  }
  return bytes;
}

std::uint8_t cheapest_code(std::span<const double> values) {
  std::vector<double> sample;
  const std::size_t step = std::max<std::size_t>(1, values.size() / kSample);
  for (std::size_t i = 0; i < values.size(); i += step) sample.push_back(values[i]);
  std::uint8_t best = 0;
  double least = std::numeric_limits<double>::max();
  const auto consider = [&](std::uint8_t code) {
    const double cost = cost_of(sample, code);
    if (cost < least) {
      least = cost;
      best = code;
    }
  };
  for (unsigned scale = 0; scale < kPowersOfTen.size(); ++scale) consider(static_cast<std::uint8_t>(scale));
  if (std::all_of(sample.begin(), sample.end(), is_float)) {
    for (unsigned scale = 0; scale < kFloatScales; ++scale) consider(static_cast<std::uint8_t>(kFloatDecimal + scale));
  }
  return best;
}

}  // namespace

void ValueColumns::append(std::string& out, std::span<const double> values) {
  const std::size_t begin = out.size();
  append_decimals(out, values, cheapest_code(values));
  const std::size_t decimals = out.size() - begin;
  if (static_cast<double>(decimals) <= kManyBytes * static_cast<double>(values.size())) return;
  std::string bits;
  append_bits(bits, values, std::all_of(values.begin(), values.end(), is_float) ? kFloatBits : kDoubleBits);
  if (bits.size() >= decimals) return;
  out.resize(begin);
  out += bits;
}

void ValueColumns::append_decimals(std::string& out, std::span<const double> values, std::uint8_t code) {
  struct Exception {
    std::size_t place;
    std::int64_t correction;
  };
  std::vector<Exception> exceptions;
  numbers_.resize(values.size());
  std::int64_t whole = 0;  // what has no whole number takes the one before: no difference to write
  for (std::size_t i = 0; i < values.size(); ++i) {
    (void)nearest(values[i], code, whole);
    numbers_[i] = whole;
    const std::int64_t off = correction(values[i], whole, code);
    if (off != 0) exceptions.push_back({i, off});
  }
  ByteWriter writer(out);
  writer.fixed(code);
  columns_.append(out, numbers_);
  writer.varint(exceptions.size());
  std::size_t next = 0;
  for (const Exception& exception : exceptions) {
    writer.varint(exception.place - next);
    writer.signed_varint(exception.correction);
    next = exception.place + 1;
  }
}

void ValueColumns::append_bits(std::string& out, std::span<const double> values, std::uint8_t code) {
  numbers_.resize(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    numbers_[i] = code == kFloatBits
                      ? static_cast<std::int64_t>(std::bit_cast<std::uint32_t>(static_cast<float>(values[i])))
                      : std::bit_cast<std::int64_t>(values[i]);
  }
  ByteWriter(out).fixed(code);
  columns_.append(out, numbers_, IntColumns::Kind::bits);
}

bool ValueColumns::take(ByteReader& in, std::span<double> values) {
  const auto code = in.fixed<std::uint8_t>();
  if (in.failed()) return false;
  if (is_decimal_code(code)) return take_decimals(in, values, code);
  if (code != kFloatBits && code != kDoubleBits) return false;
  numbers_.resize(values.size());
  if (!columns_.take(in, numbers_)) return false;
  if (code == kDoubleBits) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::bit_cast<double>(numbers_[i]);
    return true;
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(numbers_[i])));
  }
  return true;
}

bool ValueColumns::take_decimals(ByteReader& in, std::span<double> values, std::uint8_t code) {
  numbers_.resize(values.size());
  if (!columns_.take(in, numbers_)) return false;
  const double power = kPowersOfTen[scale_of(code)];
  if (is_float_code(code)) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<double>(static_cast<float>(static_cast<double>(numbers_[i]) / power));
    }
  } else if (code == 0) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(numbers_[i]);
  } else {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<double>(numbers_[i]) / power;
  }
  const std::size_t exceptions = in.count(2);
  std::uint64_t place = 0;
  for (std::size_t i = 0; i < exceptions; ++i, ++place) {
    place += in.varint();
    const std::int64_t off = in.signed_varint();
    if (in.failed() || place >= values.size()) return false;
    values[place] = turned_back(wrapping_sum(turned(values[place]), off));
  }
  return !in.failed();
}

}  // namespace fettle::store
