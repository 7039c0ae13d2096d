#include "firmware-sim/replay.h"

#include <string>

#include "firmware-sim/json_text.h"
#include "firmware-sim/random.h"
#include "firmware-sim/recording_file.h"

namespace fettle::sim {
namespace {

using Parse = Result<std::vector<Message>> (*)(const CsvText&, const RecordingOptions&);

Result<std::vector<Message>> load_only_file(const std::filesystem::path& folder, Parse parse,
                                            const RecordingOptions& options) {
  const auto files = recording_files(folder);
  if (!files) return files.error();
  if (files->size() > 1) {
    return Problem{folder.string() + ": holds both " + (*files)[0].filename().string() + " and " +
                   (*files)[1].filename().string() + "; leave the one to replay"};
  }
  const auto text = read_recording(files->front());
  if (!text) return text.error();
  return parse({files->front().string(), *text}, options);
}

Result<std::vector<Message>> load_battery(const std::filesystem::path& folder, const RecordingOptions& options) {
  constexpr std::string_view kDischarge = "_discharge";
  const auto files = recording_files(folder);
  if (!files) return files.error();
  std::vector<std::vector<Message>> cells;
  std::string previous;
  for (const auto& file : *files) {
    std::string cell = recording_name(file);
    if (!cell.ends_with(kDischarge)) continue;
    cell.resize(cell.size() - kDischarge.size());
    if (cell.empty() || cell.find_first_of("/+#") != std::string::npos || !is_plain_text(cell))
      return Problem{file.string() + ": '" + cell + "' cannot be part of an MQTT topic; rename the file"};
    if (cell == previous) return Problem{file.string() + ": cell " + cell + " is there twice; leave one of its files"};
    previous = cell;
    const auto text = read_recording(file);
    if (!text) return text.error();
    auto messages = parse_battery({file.string(), *text}, cell, options);
    if (!messages) return messages.error();
    cells.push_back(std::move(*messages));
  }
  if (cells.empty()) return Problem{folder.string() + ": holds no <cell>_discharge.csv or .csv.gz; put one there"};
  return merge_by_time(std::move(cells));
}

}  // namespace

Result<std::vector<Message>> load_recording(Dataset dataset, const std::filesystem::path& folder,
                                            const RecordingOptions& options) {
  switch (dataset) {
    case Dataset::kSteel:
      return load_only_file(folder / "steel", parse_steel, options);
    case Dataset::kNab:
      return load_only_file(folder / "nab", parse_nab, options);
    case Dataset::kBattery:
      return load_battery(folder / "battery", options);
  }
  return Problem{"no such data set"};
}

std::vector<Message> arrange(std::vector<Message> messages, ReplayOrder order, Repeats repeats, std::uint64_t seed) {
  if (order == ReplayOrder::kShuffled) {
    Random random(seed);
    shuffle(messages, random);
  }
  if (repeats == Repeats::kOnce) return messages;
  std::vector<Message> twice;
  twice.reserve(messages.size() * 2);
  for (auto& message : messages) {
    twice.push_back(message);
    twice.push_back(std::move(message));
  }
  return twice;
}

std::optional<Message> ListedMessages::next() {
  if (handed_out_ == messages_.size()) return std::nullopt;
  return std::move(messages_[handed_out_++]);
}

double ListedMessages::fraction() const {
  return messages_.empty() ? 1.0 : static_cast<double>(handed_out_) / static_cast<double>(messages_.size());
}

}  // namespace fettle::sim
