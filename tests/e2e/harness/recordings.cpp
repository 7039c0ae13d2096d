#include "tests/e2e/harness/recordings.h"

#include <zlib.h>

#include <cstdlib>
#include <stdexcept>

namespace fettle::e2e {

std::filesystem::path recordings() {
  const char* named = std::getenv("FETTLE_DATA");
  return named != nullptr ? std::filesystem::path(named)
                          : std::filesystem::path(FETTLE_SOURCE_DIR) / ".." / "shared" / "data";
}

std::string unzipped(const std::filesystem::path& file) {
  gzFile in = gzopen(file.c_str(), "rb");
  if (in == nullptr) throw std::runtime_error("cannot read " + file.string());
  std::string text;
  char buffer[65536];
  int read = 0;
  while ((read = gzread(in, buffer, sizeof buffer)) > 0) text.append(buffer, static_cast<std::size_t>(read));
  gzclose(in);
  if (read < 0) throw std::runtime_error("cannot unzip " + file.string());
  return text;
}

}  // namespace fettle::e2e
