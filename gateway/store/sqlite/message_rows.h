#pragma once
// Finds the messages of level 1 in the database; the block used last is kept. One thread, that of its Database.
//
// Throws DatabaseError for SQLite's failures, for a block that does not decode and for a message that is missing.

#include <optional>

#include "gateway/store/sqlite/database.h"
#include "gateway/store/sqlite/message_block.h"

namespace fettle::store {

class MessageRows {
 public:
  explicit MessageRows(Database& database);

  // Of the messages that record `sequence` stored readings of, the one at place `ordinal`.
  engine::MessageRow find(engine::Sequence sequence, std::uint64_t ordinal);

 private:
  [[noreturn]] void damaged(engine::Sequence sequence, const std::string& how) const;

  Database& database_;
  Statement block_;
  MessageCodec codec_;
  std::optional<MessageBlock> messages_;
};

}  // namespace fettle::store
