#pragma once
// The frame around every binary form that the store keeps: what it is, its version, its checksum, perhaps compressed.
//
//   frame = kind:byte version:byte method:byte raw_size:varint checksum:8 bytes payload
//
// Pure. A Compressor holds zstd's working memory and serves one thread. docs/reference/storage-format.md has an
// example.

#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

struct ZSTD_CCtx_s;
struct ZSTD_DCtx_s;

namespace fettle::store {

struct FormatError {
  std::string message;  // what is wrong with the bytes
};
[[noreturn]] inline void throw_exception_from_error(const FormatError& error, const boost::source_location&) {
  throw std::runtime_error(error.message);
}
template <typename T>
using FormatResult = boost::system::result<T, FormatError>;

inline constexpr std::size_t kMaxFrame = 64U << 20U;  // raw bytes; a longer size is damage

// How much work a frame is worth.
enum class Effort : std::uint8_t {
  none,   // stored as it is: what is soon written again in another form
  quick,  // what is written while somebody waits
  dense,  // what is written in the background and stays
};

class Compressor {
 public:
  Compressor();
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // Compressed where that is shorter. Error: longer than kMaxFrame.
  FormatResult<std::string> seal(char kind, std::string_view raw, Effort effort = Effort::quick);
  // The raw bytes again. Errors: another kind, an unknown version or method, a wrong checksum, a size that is not so.
  FormatResult<std::string> open(char kind, std::string_view frame);

 private:
  struct Free {
    void operator()(ZSTD_CCtx_s* context) const;
    void operator()(ZSTD_DCtx_s* context) const;
  };
  std::unique_ptr<ZSTD_CCtx_s, Free> compress_;
  std::unique_ptr<ZSTD_DCtx_s, Free> decompress_;
};

}  // namespace fettle::store
