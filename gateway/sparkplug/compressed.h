#pragma once
// Payloads that travel compressed: a habit of Eclipse Tahu and of the npm package sparkplug-client. Sparkplug 3.0 does
// not know it.
//
// The payload that is sent names kCompressedUuid as its uuid, holds the compressed bytes of the payload that is meant
// in its body, and may say how they were made in a metric "algorithm" (String): DEFLATE, which is meant where it says
// nothing (the zlib format of RFC 1950), or GZIP (RFC 1952). Only the payload inside counts: its sequence number, times
// and metrics; Tahu repeats the sequence number outside, sparkplug-client gives none there.
//
// Pure; any thread, each with a payload of its own. Memory and time are bounded by the limit, whatever the ratio.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/sparkplug/malformed.h"
#include "gateway/sparkplug/payload.h"

namespace fettle::sparkplug {

inline constexpr std::string_view kCompressedUuid = "SPBV1.0_COMPRESSED";
inline constexpr std::size_t kMaxInflatedBytes = 8U << 20U;  // of one payload, whatever the limit that is given

inline bool is_compressed(const Payload& payload) {
  return payload.uuid == kCompressedUuid;
}

// Replaces a compressed payload by the one inside. `inflated` receives its bytes, to which `payload` refers afterwards.
// `limit`: bytes they may have, and never more than kMaxInflatedBytes. On failure both are unspecified.
// reason: compression (unknown algorithm, no body, damaged or cut short, too large, compressed twice), else decode()'s.
std::optional<Malformed> unwrap(Payload& payload, std::size_t limit, std::string& inflated);

}  // namespace fettle::sparkplug
