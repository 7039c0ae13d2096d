#pragma once
// Writes level-0 blocks (reading_block.h), on the engine's thread and in its hot path: its scratch memory and what it
// has learned of the series live from batch to batch, so that a batch allocates next to nothing.
//
// One thread. Memory: nine bytes per series known to the gateway, and the largest batch so far.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/frame.h"
#include "gateway/store/sqlite/reading_block.h"

namespace fettle::store {

// Bytes that grow to the largest size ever asked for and are not cleared in between.
class Scratch {
 public:
  void clear() { size_ = 0; }
  // Room for `bytes` more; the caller writes from the result on and says with end() where it stopped.
  char* grow(std::size_t bytes) {
    if (bytes_.size() < size_ + bytes) bytes_.resize((size_ + bytes) * 3 / 2);
    return bytes_.data() + size_;
  }
  void end(const char* at) { size_ = static_cast<std::size_t>(at - bytes_.data()); }
  std::string_view view() const { return std::string_view(bytes_).substr(0, size_); }

 private:
  std::string bytes_;
  std::size_t size_ = 0;
};

class BlockEncoder {
 public:
  struct Encoded {
    BlockSummary summary;
    std::string series;  // the column of that name
    std::string block;
  };

  // Valid until the next call. Errors: no readings, a reading that names no message, messages out of order or of
  // another batch, more than kMaxFrame bytes.
  FormatResult<const Encoded*> encode(Compressor& compressor, const engine::Effects& effects);

 private:
  // How the values of a series are written in the block at hand.
  struct Column {
    std::uint8_t code = 0;
    bool floats = true;  // every value so far is a float
    std::int64_t before = 0;
  };
  struct Topic {
    std::uint64_t hash = 0;
    std::uint64_t batch = 0;  // the batch that this entry is of
    std::uint32_t index = 0;
  };

  // A series whose values were no decimals is asked again every so many batches.
  static constexpr std::uint64_t kProbeEvery = 64;

  FormatResult<void> check(const engine::Effects& effects);
  void list_series(const engine::Effects& effects);
  void choose_codes(const engine::Effects& effects);
  std::uint32_t topic_index(const std::string& topic);
  Topic& free_place(std::uint64_t hash);
  void put_messages(const engine::Effects& effects);
  void put_series(const engine::Effects& effects);
  void put_runs(const engine::Effects& effects);
  void put_values(const engine::Effects& effects);

  Encoded encoded_;
  Scratch raw_;
  std::uint64_t batch_ = 0;
  std::vector<std::uint64_t> present_;    // a bit per series: in the batch at hand; zero in between
  std::vector<std::uint32_t> column_of_;  // by series
  std::vector<std::uint8_t> code_hint_;   // by series: the code of its last block
  std::vector<Column> columns_;           // by place in summary.series
  std::vector<Topic> topics_;             // open addressing
  std::vector<std::string_view> topic_names_;
  std::vector<std::uint32_t> topic_of_;  // by message
};

}  // namespace fettle::store
