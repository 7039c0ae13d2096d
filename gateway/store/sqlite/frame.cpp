#include "gateway/store/sqlite/frame.h"

#include <xxhash.h>
#include <zstd.h>

#include <cstdint>
#include <new>
#include <utility>

#include "gateway/store/sqlite/bytes.h"

namespace fettle::store {
namespace {

constexpr std::uint8_t kVersion = 2;
constexpr std::uint8_t kStored = 0;
constexpr std::uint8_t kZstd = 1;
// zstd's levels.
constexpr int kQuickLevel = 1;
constexpr int kDenseLevel = 6;

// Over the payload as it is kept, so that damage is found before zstd sees it; the seed covers the header.
std::uint64_t checksum(char kind, std::uint8_t method, std::uint64_t raw_size, std::string_view payload) {
  const std::uint64_t seed =
      raw_size << 16U | static_cast<std::uint64_t>(method) << 8U | static_cast<std::uint8_t>(kind);
  return XXH3_64bits_withSeed(payload.data(), payload.size(), seed);
}

// Said in full, since a FormatError could be made of a string as well.
FormatResult<std::string> bytes(std::string value) {
  return {boost::system::in_place_value, std::move(value)};
}

FormatResult<std::string> with_header(char kind, std::uint8_t method, std::uint64_t raw_size,
                                      std::string_view payload) {
  std::string out;
  out.reserve(payload.size() + 16);
  ByteWriter writer(out);
  out.push_back(kind);
  writer.fixed(kVersion);
  writer.fixed(method);
  writer.varint(raw_size);
  writer.fixed(checksum(kind, method, raw_size, payload));
  out.append(payload);
  return bytes(std::move(out));
}

}  // namespace

void Compressor::Free::operator()(ZSTD_CCtx_s* context) const {
  ZSTD_freeCCtx(context);
}
void Compressor::Free::operator()(ZSTD_DCtx_s* context) const {
  ZSTD_freeDCtx(context);
}

Compressor::Compressor() : compress_(ZSTD_createCCtx()), decompress_(ZSTD_createDCtx()) {
  if (!compress_ || !decompress_) throw std::bad_alloc();
}
Compressor::~Compressor() = default;

FormatResult<std::string> Compressor::seal(char kind, std::string_view raw, Effort effort) {
  if (raw.size() > kMaxFrame) return FormatError{"more than 64 MiB in one frame: split the batch"};
  if (effort == Effort::none) return with_header(kind, kStored, raw.size(), raw);
  const int level = effort == Effort::dense ? kDenseLevel : kQuickLevel;
  std::string packed(ZSTD_compressBound(raw.size()), '\0');
  const std::size_t size =
      ZSTD_compressCCtx(compress_.get(), packed.data(), packed.size(), raw.data(), raw.size(), level);
  if (ZSTD_isError(size) != 0U || size >= raw.size()) return with_header(kind, kStored, raw.size(), raw);
  return with_header(kind, kZstd, raw.size(), std::string_view(packed).substr(0, size));
}

FormatResult<std::string> Compressor::open(char kind, std::string_view frame) {
  ByteReader reader(frame);
  const char found = static_cast<char>(reader.fixed<std::uint8_t>());
  const auto version = reader.fixed<std::uint8_t>();
  const auto method = reader.fixed<std::uint8_t>();
  const std::uint64_t raw_size = reader.varint();
  const auto expected = reader.fixed<std::uint64_t>();
  if (reader.failed()) return FormatError{"cut off within its header"};
  if (found != kind) return FormatError{std::string("is of another kind than '") + kind + "'"};
  if (version != kVersion)
    return FormatError{"has format version " + std::to_string(version) + ", known is " + std::to_string(kVersion)};
  if (method > kZstd || raw_size > kMaxFrame) return FormatError{"has an impossible header"};
  const std::string_view payload = reader.rest();
  if (checksum(kind, method, raw_size, payload) != expected) return FormatError{"does not match its checksum"};
  if (method == kStored) {
    if (payload.size() != raw_size) return FormatError{"is not as long as its header says"};
    return bytes(std::string(payload));
  }
  std::string raw(raw_size, '\0');
  const std::size_t size =
      ZSTD_decompressDCtx(decompress_.get(), raw.data(), raw.size(), payload.data(), payload.size());
  if (ZSTD_isError(size) != 0U || size != raw_size) return FormatError{"does not decompress to its size"};
  return bytes(std::move(raw));
}

}  // namespace fettle::store
