#pragma once
// Payloads wrapped in compressed ones, as sparkplug-client and Tahu make them.

#include <string>

#include "tests/gateway/sparkplug/messages.h"

namespace fettle::sparkplug::testing {

enum class Packing { zlib, gzip, raw };  // raw: without any header, which nobody may send

std::string deflated(const std::string& bytes, Packing packing = Packing::zlib);

// A payload whose body is `body`. `algorithm`: of its metric of that name; empty: it has none.
P wrapped(const std::string& body, const std::string& algorithm = "DEFLATE");

}  // namespace fettle::sparkplug::testing
