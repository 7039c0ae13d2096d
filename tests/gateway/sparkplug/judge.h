#pragma once
// Our decoder against Protobuf's: what ours accepts must say the same as the generated code's reading of the same
// bytes.

#include <string>
#include <string_view>

#include "gateway/sparkplug/payload.h"

namespace fettle::sparkplug::testing {

// Empty if `ours`, decoded from `bytes`, equals the generated code's reading; else the first difference.
std::string difference(std::string_view bytes, const Payload& ours);

}  // namespace fettle::sparkplug::testing
