#include "gateway/store/sqlite/message_block.h"

#include <algorithm>
#include <array>

#include "gateway/store/sqlite/bytes.h"

namespace fettle::store {
namespace {

constexpr std::size_t kHashBytes = 8;

using Column = std::vector<std::int64_t>;

}  // namespace

void MessageBlock::clear() {
  topics.clear();
  messages.clear();
}

const BlockMessage* MessageBlock::find(engine::Sequence sequence, std::uint64_t ordinal) const {
  const auto first =
      std::lower_bound(messages.begin(), messages.end(), sequence,
                       [](const BlockMessage& message, engine::Sequence key) { return message.sequence < key; });
  if (ordinal >= static_cast<std::uint64_t>(messages.end() - first)) return nullptr;
  const BlockMessage& found = first[static_cast<std::ptrdiff_t>(ordinal)];
  return found.sequence == sequence ? &found : nullptr;
}

FormatResult<std::string> MessageCodec::encode(const MessageBlock& block) {
  std::string raw;
  ByteWriter out(raw);
  out.varint(block.topics.size());
  for (const std::string& topic : block.topics) out.text(topic);
  out.varint(block.messages.size());
  Column column(block.messages.size());
  const auto append = [&](auto&& field) {
    for (std::size_t i = 0; i < column.size(); ++i) column[i] = field(block.messages[i]);
    columns_.append(raw, column);
  };
  append([](const BlockMessage& message) { return static_cast<std::int64_t>(message.sequence); });
  append([](const BlockMessage& message) { return static_cast<std::int64_t>(message.sequence - message.arrived); });
  append([](const BlockMessage& message) { return message.received.time_since_epoch().count(); });
  append([](const BlockMessage& message) { return std::int64_t{message.topic}; });
  for (const BlockMessage& message : block.messages) out.fixed(message.hash);
  return compressor_.seal(kMessagesKind, raw, Effort::dense);
}

FormatResult<MessageBlock> MessageCodec::decode(std::string_view bytes) {
  const auto raw = compressor_.open(kMessagesKind, bytes);
  if (!raw) return raw.error();
  ByteReader in(*raw);
  MessageBlock block;
  const std::size_t topics = in.count(1);
  block.topics.reserve(topics);
  for (std::size_t i = 0; i < topics; ++i) block.topics.emplace_back(in.text());
  block.messages.resize(in.count(kHashBytes));
  std::array<Column, 4> columns;
  for (Column& column : columns) {
    column.resize(block.messages.size());
    if (!columns_.take(in, column)) return FormatError{"is damaged within its messages"};
  }
  for (std::size_t i = 0; i < block.messages.size(); ++i) {
    BlockMessage& message = block.messages[i];
    message.sequence = static_cast<engine::Sequence>(columns[0][i]);
    message.arrived = message.sequence - static_cast<engine::Sequence>(columns[1][i]);
    message.received = engine::Time(engine::Time::duration(columns[2][i]));
    if (columns[3][i] < 0 || static_cast<std::uint64_t>(columns[3][i]) >= topics) {
      return FormatError{"names a topic that it does not have"};
    }
    message.topic = static_cast<std::uint32_t>(columns[3][i]);
    message.hash = in.fixed<std::uint64_t>();
  }
  if (!in.at_end()) return FormatError{"is damaged within its hashes"};
  return block;
}

}  // namespace fettle::store
