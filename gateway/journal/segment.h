#pragma once
// The bytes of a journal segment: writing one record, and finding the records of a file again.
//
// segment = magic "FETTLEJ1" , record* ; the grammar, an example and the downsides are in
// docs/reference/journal-format.md. Pure over buffers; files are journal.cpp's business.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/journal/record.h"

namespace fettle::journal {

inline constexpr std::string_view kSegmentMagic = "FETTLEJ1";
inline constexpr std::size_t kRecordHeader = 4 + 8 + 8 + 1 + 8;  // length, checksum, sequence, kind, received
inline constexpr std::size_t kMaxBody = 16U << 20U;              // bytes; a longer length is corruption, not a record

// Appends the bytes of one record to `out`. Pre: body.size() <= kMaxBody.
void encode_record(Sequence sequence, Kind kind, Time received, std::string_view body, std::string& out);

enum class Parse : std::uint8_t {
  record,   // `record` is set and `size` bytes were used
  partial,  // the bytes end before the record does
  corrupt,  // no record starts here: bad checksum, length or kind
};

struct Parsed {
  Parse outcome = Parse::partial;
  Record record;         // its body points into `bytes`
  std::size_t size = 0;  // record: bytes used; partial: bytes needed in all, as far as is known
};

Parsed parse_record(std::string_view bytes);

}  // namespace fettle::journal
