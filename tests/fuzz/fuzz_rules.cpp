// libFuzzer's way in: see entries.h.

#include <cstddef>
#include <cstdint>

#include "tests/fuzz/entries.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  fettle::rules::fuzz_rules({reinterpret_cast<const char*>(bytes), size});
  return 0;
}
