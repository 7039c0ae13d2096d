#include "firmware-sim/recording_file.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

namespace fettle::sim {
namespace {

constexpr std::array<std::string_view, 2> kEndings = {".csv.gz", ".csv"};

struct CloseGzip {
  void operator()(gzFile file) const { gzclose_r(file); }
};

}  // namespace

Result<std::string> read_recording(const std::filesystem::path& file) {
  // gzopen reads a file that is not gzip as it stands.
  const std::unique_ptr<gzFile_s, CloseGzip> in(gzopen(file.c_str(), "rb"));
  if (!in) {
    const std::error_code why(errno, std::generic_category());
    return Problem{file.string() + ": cannot be opened: " + why.message() + "; check the path given with --data"};
  }
  std::string text;
  std::array<char, 1 << 16> block;
  for (;;) {
    const int got = gzread(in.get(), block.data(), static_cast<unsigned>(block.size()));
    int status = Z_OK;
    const std::string_view complaint = gzerror(in.get(), &status);
    // Z_BUF_ERROR at the end means that the compressed stream was cut short.
    if (got < 0 || (got == 0 && status == Z_BUF_ERROR)) {
      return Problem{
          file.string() + ": cannot be unpacked after " + std::to_string(text.size()) + " bytes: " +
          (status == Z_ERRNO ? std::error_code(errno, std::generic_category()).message() : std::string(complaint)) +
          "; the file is damaged or incomplete, fetch it again"};
    }
    if (got == 0) return Result<std::string>(boost::system::in_place_value, std::move(text));
    text.append(block.data(), static_cast<std::size_t>(got));
    if (text.size() > kLargestRecordingBytes) {
      return Problem{file.string() + ": holds more than " + std::to_string(kLargestRecordingBytes >> 20) +
                     " MiB of text; split it"};
    }
  }
}

Result<std::vector<std::filesystem::path>> recording_files(const std::filesystem::path& folder) {
  std::error_code failure;
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator at(folder, failure), end; !failure && at != end; at.increment(failure)) {
    const std::string name = at->path().filename().string();
    if (std::ranges::any_of(kEndings, [&](std::string_view ending) { return name.ends_with(ending); }))
      files.push_back(at->path());
  }
  if (failure) {
    return Problem{folder.string() + ": cannot be read: " + failure.message() +
                   "; --data names the folder that holds one folder for each data set"};
  }
  if (files.empty()) return Problem{folder.string() + ": holds no .csv or .csv.gz file; put the recording there"};
  std::ranges::sort(files);
  return files;
}

std::string recording_name(const std::filesystem::path& file) {
  std::string name = file.filename().string();
  for (const auto ending : kEndings) {
    if (name.ends_with(ending)) {
      name.resize(name.size() - ending.size());
      break;
    }
  }
  return name;
}

}  // namespace fettle::sim
