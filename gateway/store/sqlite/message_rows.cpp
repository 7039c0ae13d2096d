#include "gateway/store/sqlite/message_rows.h"

namespace fettle::store {

MessageRows::MessageRows(Database& database)
    : database_(database),
      block_(database,
             "SELECT block FROM message_block WHERE first_sequence <= ?1 ORDER BY first_sequence DESC LIMIT 1") {}

engine::MessageRow MessageRows::find(engine::Sequence sequence, std::uint64_t ordinal) {
  const BlockMessage* found = messages_ ? messages_->find(sequence, ordinal) : nullptr;
  if (found == nullptr) {
    block_.each(
        [&](Row& row) {
          auto block = codec_.decode(row.bytes());
          if (!block) damaged(sequence, "lies in a block that " + block.error().message);
          messages_ = std::move(*block);
        },
        sequence);
    found = messages_ ? messages_->find(sequence, ordinal) : nullptr;
  }
  if (found == nullptr) damaged(sequence, "is missing");
  return {found->sequence, found->arrived, found->received, messages_->topics[found->topic], found->hash};
}

void MessageRows::damaged(engine::Sequence sequence, const std::string& how) const {
  throw DatabaseError(SQLITE_CORRUPT, database_.file().string() + ": message " + std::to_string(sequence) + " " + how +
                                          ". Keep a copy of the file and restore the newest backup.");
}

}  // namespace fettle::store
