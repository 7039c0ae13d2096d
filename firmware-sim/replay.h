#pragma once
// A recorded data set as a source of messages, in the order asked for.

#include <cstdint>
#include <filesystem>
#include <vector>

#include "firmware-sim/message.h"
#include "firmware-sim/problem.h"
#include "firmware-sim/recordings.h"

namespace fettle::sim {

enum class Dataset { kSteel, kNab, kBattery };
enum class ReplayOrder { kRecorded, kShuffled };
enum class Repeats { kOnce, kTwice };

// Reads <folder>/<dataset>/ and returns the messages in recorded order.
Result<std::vector<Message>> load_recording(Dataset dataset, const std::filesystem::path& folder,
                                            const RecordingOptions& options);

// Puts the messages into the order asked for; the shuffle depends on nothing but the seed and the number of messages.
// Twice means each message two times in a row.
std::vector<Message> arrange(std::vector<Message> messages, ReplayOrder order, Repeats repeats, std::uint64_t seed);

// Hands out messages that are all in memory.
class ListedMessages : public MessageSource {
 public:
  explicit ListedMessages(std::vector<Message> messages) : messages_(std::move(messages)) {}

  std::optional<Message> next() override;
  double fraction() const override;

 private:
  std::vector<Message> messages_;
  std::size_t handed_out_ = 0;
};

}  // namespace fettle::sim
