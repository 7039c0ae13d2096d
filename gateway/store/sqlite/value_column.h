#pragma once
// A column of doubles, short, and bit for bit: not-a-number with its payload, -0.0 and infinities included. Pure.
//
// Values become whole numbers at the decimal scale that costs least (ALP, Afroozeh et al. 2023, and Pseudodecimal of
// BtrBlocks gave the idea), the few that it does not hold are corrected one by one; devices that send floats get the
// decimal behind the float. What is no decimal at all is written as bits. docs/reference/storage-format.md.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "gateway/store/sqlite/bytes.h"
#include "gateway/store/sqlite/int_column.h"

namespace fettle::store {

class ValueColumns {
 public:
  explicit ValueColumns(IntColumns& columns) : columns_(columns) {}

  void append(std::string& out, std::span<const double> values);
  // Fills `values`; false where the bytes are no such column. Never reads past them, whatever they are.
  bool take(ByteReader& in, std::span<double> values);

 private:
  void append_decimals(std::string& out, std::span<const double> values, std::uint8_t code);
  void append_bits(std::string& out, std::span<const double> values, std::uint8_t code);
  bool take_decimals(ByteReader& in, std::span<double> values, std::uint8_t code);

  IntColumns& columns_;
  std::vector<std::int64_t> numbers_;
};

}  // namespace fettle::store
