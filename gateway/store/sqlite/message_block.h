#pragma once
// A block of messages: where the readings of level 1 came from, kept once per message. Pure; one thread per codec.
//
// A chunk's reading names its message by the record that stored it and its place among the messages which that record
// stored. Eight bytes a message are the hash of its payload, which nothing can shorten.
// docs/reference/storage-format.md gives the bytes.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/frame.h"
#include "gateway/store/sqlite/int_column.h"
#include "gateway/store/sqlite/reading_block.h"

namespace fettle::store {

inline constexpr char kMessagesKind = 'M';

// In order of their sequences; BlockMessage::topic indexes `topics`.
struct MessageBlock {
  std::vector<std::string> topics;
  std::vector<BlockMessage> messages;

  void clear();
  // Of the messages that record `sequence` stored the one at place `ordinal`; null where there is none.
  const BlockMessage* find(engine::Sequence sequence, std::uint64_t ordinal) const;
};

class MessageCodec {
 public:
  // Pre: not empty.
  FormatResult<std::string> encode(const MessageBlock& block);
  FormatResult<MessageBlock> decode(std::string_view bytes);

 private:
  Compressor compressor_;
  IntColumns columns_;
};

}  // namespace fettle::store
