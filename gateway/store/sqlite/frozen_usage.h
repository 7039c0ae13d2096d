#pragma once
// The usage records that an invoice line rests on, as one blob per line. Pure.
//
// Hours follow one another and most were measured in full, so differences to the record before are mostly a byte each;
// a month of hours takes some 4 KB. docs/reference/storage-format.md gives the bytes.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/frame.h"

namespace fettle::store {

FormatResult<std::string> encode_usage(Compressor& compressor, std::span<const engine::FrozenUsage> usage);
FormatResult<std::vector<engine::FrozenUsage>> decode_usage(Compressor& compressor, std::string_view bytes);

}  // namespace fettle::store
