#include "tests/gateway/sparkplug/compress.h"

#include <zlib.h>

#include <stdexcept>

namespace fettle::sparkplug::testing {

std::string deflated(const std::string& bytes, Packing packing) {
  constexpr int kMemory = 8;  // zlib's default
  int window = MAX_WBITS;
  if (packing == Packing::gzip) window += 16;
  if (packing == Packing::raw) window = -window;
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("zlib refused to begin");
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  std::string in = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int went = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (went != Z_STREAM_END) throw std::runtime_error("zlib did not finish");
  return out;
}

P wrapped(const std::string& body, const std::string& algorithm) {
  P outer;
  outer.payload.set_uuid("SPBV1.0_COMPRESSED");
  outer.payload.set_body(body);
  if (!algorithm.empty()) {
    *outer.payload.add_metrics() = M::named("algorithm").type(DataType::string).text(algorithm).metric;
  }
  return outer;
}

}  // namespace fettle::sparkplug::testing
