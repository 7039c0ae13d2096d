#pragma once
// Recordings on disk: CSV files, plain or gzip.

#include <filesystem>
#include <string>
#include <vector>

#include "firmware-sim/problem.h"

namespace fettle::sim {

// A recording is held in memory while it is read; a larger file is refused.
inline constexpr std::size_t kLargestRecordingBytes = std::size_t{512} << 20;

// The text of a file, unpacked if it is gzip.
Result<std::string> read_recording(const std::filesystem::path& file);

// The .csv and .csv.gz files of a folder, by name. A folder that is absent or holds none is a problem that says what to
// do.
Result<std::vector<std::filesystem::path>> recording_files(const std::filesystem::path& folder);

// The file's name without .csv or .csv.gz.
std::string recording_name(const std::filesystem::path& file);

}  // namespace fettle::sim
