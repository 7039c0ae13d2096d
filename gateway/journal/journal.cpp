#include "gateway/journal/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>
#include <utility>

#include "gateway/journal/segment.h"

namespace fettle::journal {
namespace {

constexpr std::string_view kExtension = ".journal";
constexpr std::uint64_t kMarkBytes = 64U << 10U;

std::string errno_text() {
  return std::strerror(errno);
}

std::string segment_name(Sequence first) {
  std::string digits = std::to_string(first);
  return std::string(20 - std::min<std::size_t>(20, digits.size()), '0') + digits + std::string(kExtension);
}

std::optional<Sequence> first_of(const std::filesystem::path& path) {
  if (path.extension() != kExtension) return std::nullopt;
  const std::string stem = path.stem().string();
  Sequence first = 0;
  const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), first);
  if (error != std::errc() || end != stem.data() + stem.size()) return std::nullopt;
  return first;
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

Result<std::string> read_whole(const std::filesystem::path& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return Error{"cannot open " + path.string() + ": " + errno_text()};
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return Error{"cannot read " + path.string() + ": " + errno_text()};
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + at, bytes.size() - at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{"cannot read " + path.string() + ": " + errno_text()};
    if (got == 0) break;
    at += static_cast<std::size_t>(got);
  }
  bytes.resize(at);
  return Result<std::string>(boost::system::in_place_value, std::move(bytes));
}

std::map<Sequence, std::filesystem::path> segment_files(const std::filesystem::path& folder) {
  std::map<Sequence, std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (const auto first = first_of(entry.path())) found.emplace(*first, entry.path());
  }
  return found;
}

// A new name in a folder is durable only once the folder itself is synced.
void sync_folder(const std::filesystem::path& folder) {
  const File file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file) ::fsync(file.get());
}

}  // namespace

File::File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
File& File::operator=(File&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  return *this;
}
File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<std::unique_ptr<Journal>> Journal::open(const Options& options, Sequence committed) {
  std::error_code error;
  std::filesystem::create_directories(options.folder, error);
  if (error) {
    return Error{"cannot make the journal folder " + options.folder.string() + ": " + error.message() +
                 "; check that its parent exists and is writable"};
  }
  std::unique_ptr<Journal> journal(new Journal(options));
  if (auto scanned = journal->scan(committed); !scanned) return scanned.error();
  return journal;
}

Journal::~Journal() {
  close();
}

Result<void> Journal::scan(Sequence committed) {
  for (const auto& [first, path] : segment_files(options_.folder)) {
    segments_.push_back({path, first, static_cast<std::size_t>(std::filesystem::file_size(path))});
  }

  while (!segments_.empty()) {
    auto last = scan_last(segments_.back());
    if (!last) return last.error();
    last_ = *last;
    if (last_ >= segments_.back().first) break;
    // Nothing good in it: the crash came before its first record was whole.
    std::filesystem::remove(segments_.back().path);
    segments_.pop_back();
  }
  for (const Segment& segment : segments_) position_ += segment.bytes;

  if (last_ < committed) {
    if (last_ != 0 || !segments_.empty()) {
      reports_.push_back("the journal ends at record " + std::to_string(last_) + ", before the committed " +
                         std::to_string(committed) + ": the records between were lost with the machine's memory; " +
                         "going on at " + std::to_string(committed + 1));
    }
    last_ = written_ = committed;
    return start_segment(committed + 1);
  }
  written_ = last_;
  if (segments_.empty()) return start_segment(last_ + 1);
  tail_ = File(::open(segments_.back().path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!tail_) return Error{"cannot write to " + segments_.back().path.string() + ": " + errno_text()};
  return {};
}

// The last good sequence of the segment (first - 1 where it has none). What follows is kept aside and cut off.
Result<Sequence> Journal::scan_last(Segment& segment) {
  auto bytes = read_whole(segment.path);
  if (!bytes) return bytes.error();
  std::string_view rest = *bytes;
  Sequence last = segment.first - 1;
  if (rest.starts_with(kSegmentMagic)) {
    rest.remove_prefix(kSegmentMagic.size());
    while (!rest.empty()) {
      const Parsed parsed = parse_record(rest);
      if (parsed.outcome != Parse::record || parsed.record.sequence != last + 1) break;
      last = parsed.record.sequence;
      rest.remove_prefix(parsed.size);
    }
  }
  segment.bytes = bytes->size() - rest.size();
  if (rest.empty()) return last;

  const std::filesystem::path aside = segment.path.string() + ".torn";
  const File torn(::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!torn || !write_all(torn.get(), rest)) {
    return Error{"cannot keep the torn end of " + segment.path.string() + " as " + aside.string() + ": " +
                 errno_text() + "; make room on the disk and start again"};
  }
  if (::truncate(segment.path.c_str(), static_cast<off_t>(segment.bytes)) != 0) {
    return Error{"cannot cut the torn end of " + segment.path.string() + ": " + errno_text()};
  }
  reports_.push_back("cut " + std::to_string(rest.size()) + " torn bytes after record " + std::to_string(last) +
                     " of " + segment.path.string() + "; they are kept as " + aside.string());
  return last;
}

Result<void> Journal::start_segment(Sequence first) {
  const std::filesystem::path path = options_.folder / segment_name(first);
  File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600));
  if (!file || !write_all(file.get(), kSegmentMagic)) {
    return Error{"cannot begin the journal segment " + path.string() + ": " + errno_text()};
  }
  if (options_.durability == Durability::power) {
    ::fdatasync(file.get());
    sync_folder(options_.folder);
  }
  tail_ = std::move(file);
  segments_.push_back({path, first, kSegmentMagic.size()});
  position_ += kSegmentMagic.size();
  broken_tail_ = false;
  return {};
}

bool Journal::write_out(std::string_view bytes) {
  Segment& segment = segments_.back();
  const bool written =
      write_all(tail_.get(), bytes) && (options_.durability == Durability::process || ::fdatasync(tail_.get()) == 0);
  if (written) return true;
  disk_error_ = "cannot append to " + segment.path.string() + ": " + errno_text();
  // Half a record must not stand before the next one.
  if (::ftruncate(tail_.get(), static_cast<off_t>(segment.bytes)) != 0) broken_tail_ = true;
  return false;
}

// All of gathered_, whose last record is `last`; into one segment, since a segment has no gaps.
bool Journal::write_gathered(Sequence last) {
  if (gathered_.empty()) return true;
  stuck_ = true;
  if (broken_tail_ || segments_.back().bytes >= options_.segment_bytes) {
    if (auto started = start_segment(written_ + 1); !started) {
      disk_error_ = started.error().message;
      return false;
    }
  }
  if (!write_out(gathered_)) return false;
  stuck_ = false;
  written_ = last;
  segments_.back().bytes += gathered_.size();
  gathered_.clear();
  if (refused_ == Refusal::disk) refused_.reset();
  return true;
}

boost::system::result<Sequence, Refusal> Journal::append(Kind kind, Time received, std::string_view body, Keep keep) {
  Sequence appended = 0;
  bool awaited = false;
  {
    const std::scoped_lock lock(mutex_);
    if (closed_) return Refusal::closed;
    const bool bounded = kind != Kind::session;
    if (bounded && position_ - consumed_ >= options_.max_backlog) return refuse(Refusal::full);
    if (gathered_.size() >= kMostGathered && !write_gathered(last_)) return refuse(Refusal::disk);
    const std::size_t before = gathered_.size();
    encode_record(last_ + 1, kind, received, body, gathered_);
    const std::size_t size = gathered_.size() - before;
    if (keep == Keep::now && !write_gathered(last_ + 1)) {
      gathered_.resize(before);  // those before it have been taken in and wait on
      return refuse(Refusal::disk);
    }
    if (!stuck_) refused_.reset();
    appended = ++last_;
    position_ += size;
    if (marks_.empty() || position_ - marks_.back().position >= kMarkBytes) marks_.push_back({last_, position_});
    awaited = last_ == awaited_;
  }
  // Outside of the lock, and only where somebody waits for just this one: a wake costs more than the append.
  if (awaited) readable_.notify_one();
  return appended;
}

Refusal Journal::refuse(Refusal why) {
  refused_ = why;
  ++(why == Refusal::full ? refusals_.full : refusals_.disk);
  return why;
}

std::string Journal::refusing() const {
  const std::scoped_lock lock(mutex_);
  if (!refused_) return {};
  if (*refused_ == Refusal::disk) return disk_error_;
  return "the journal holds " + std::to_string(position_ - consumed_) +
         " bytes that are not committed yet, as many as journal_backlog allows";
}

Refusals Journal::refusals() const {
  const std::scoped_lock lock(mutex_);
  return refusals_;
}

std::string Journal::disk_error() const {
  const std::scoped_lock lock(mutex_);
  return disk_error_;
}

void Journal::wait_for_space(std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  space_.wait_for(lock, at_most, [this] { return closed_ || position_ - consumed_ < options_.max_backlog; });
}

// Makes sure that buffer_ holds bytes of records from `after` + 1 on; false where there is nothing more yet.
Result<bool> Journal::fill(Sequence after, std::size_t want) {
  std::filesystem::path path;
  std::size_t good = 0;
  Sequence first = 0;
  {
    const std::scoped_lock lock(mutex_);
    if (after >= written_ && !write_gathered(last_)) refuse(Refusal::disk);
    if (after >= written_) return false;
    auto it = std::upper_bound(segments_.begin(), segments_.end(), after + 1,
                               [](Sequence sequence, const Segment& segment) { return sequence < segment.first; });
    if (it == segments_.begin()) {
      return Error{"journal record " + std::to_string(after + 1) + " is gone: the oldest segment in " +
                   options_.folder.string() + " begins at " + std::to_string(segments_.front().first) +
                   "; restore the folder from a backup"};
    }
    --it;
    path = it->path;
    good = it->bytes;
    first = it->first;
  }
  if (reading_first_ != first || reading_next_ > after + 1) {
    if (reading_first_ != first) {
      reading_ = File(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      if (!reading_) return Error{"cannot open " + path.string() + ": " + errno_text()};
      reading_first_ = first;
    }
    reading_offset_ = kSegmentMagic.size();
    reading_next_ = first;
  }
  reading_left_ = good - reading_offset_;
  const std::size_t size = std::min(want, reading_left_);
  buffer_.resize(size);
  const ssize_t got = ::pread(reading_.get(), buffer_.data(), size, static_cast<off_t>(reading_offset_));
  if (got < 0) return Error{"cannot read " + path.string() + ": " + errno_text()};
  buffer_.resize(static_cast<std::size_t>(got));
  return true;
}

Result<std::vector<Record>> Journal::read(Sequence after, std::size_t max_records, std::size_t max_bytes) {
  std::vector<Record> records;
  std::size_t want = std::max(max_bytes, kRecordHeader);
  const auto broken = [this](std::string_view how) {
    return Error{"journal segment " + segment_name(reading_first_) + ' ' + std::string(how) + " at byte " +
                 std::to_string(reading_offset_) + ", where record " + std::to_string(reading_next_) +
                 " was expected; restore the folder from a backup"};
  };
  while (records.empty()) {
    auto filled = fill(after, want);
    if (!filled) return filled.error();
    if (!*filled) return records;
    std::string_view rest = buffer_;
    if (rest.empty()) return broken("ends");
    while (!rest.empty() && records.size() < max_records) {
      const Parsed parsed = parse_record(rest);
      if (parsed.outcome == Parse::partial) {
        if (buffer_.size() == reading_left_) return broken("ends within a record");
        if (rest.size() == buffer_.size()) want = std::max(want * 2, parsed.size);  // a record longer than the buffer
        break;
      }
      if (parsed.outcome == Parse::corrupt || parsed.record.sequence != reading_next_) {
        if (!records.empty()) break;  // deliver the good ones first; the next call meets it again
        return broken("is corrupt");
      }
      rest.remove_prefix(parsed.size);
      reading_offset_ += parsed.size;
      ++reading_next_;
      if (parsed.record.sequence > after) records.push_back(parsed.record);
    }
  }
  return records;
}

void Journal::wait(Sequence after, std::chrono::milliseconds at_most) {
  std::unique_lock lock(mutex_);
  awaited_ = after + 1;
  // What cannot be written cannot be read: it is tried again when the time is up.
  const auto readable = [&] { return written_ > after || (last_ > after && !stuck_); };
  readable_.wait_for(lock, at_most, [&] { return closed_ || woken_ || readable(); });
  awaited_ = 0;
  woken_ = false;
}

void Journal::wake() {
  const std::scoped_lock lock(mutex_);
  woken_ = true;
  readable_.notify_all();
}

void Journal::committed(Sequence sequence) {
  const std::scoped_lock lock(mutex_);
  while (!marks_.empty() && marks_.front().sequence <= sequence) {
    consumed_ = marks_.front().position;
    marks_.pop_front();
  }
  if (sequence >= last_) consumed_ = position_;
  space_.notify_all();
}

Journal::Pin Journal::pin() {
  const std::scoped_lock lock(mutex_);
  ++pins_;
  return Pin(*this);
}

Journal::Pin::~Pin() {
  if (journal_ == nullptr) return;
  const std::scoped_lock lock(journal_->mutex_);
  --journal_->pins_;
}

void Journal::trim(Sequence sequence) {
  const std::scoped_lock lock(mutex_);
  if (pins_ > 0) return;  // the next checkpoint trims
  while (segments_.size() > 1 && segments_[1].first <= sequence + 1) {
    std::error_code ignored;  // a segment that cannot be removed now is removed with the next start's trim
    std::filesystem::remove(segments_.front().path, ignored);
    segments_.pop_front();
  }
}

Sequence Journal::last() const {
  const std::scoped_lock lock(mutex_);
  return last_;
}

std::size_t Journal::backlog_bytes() const {
  const std::scoped_lock lock(mutex_);
  return position_ - consumed_;
}

std::size_t Journal::disk_bytes() const {
  const std::scoped_lock lock(mutex_);
  std::size_t sum = 0;
  for (const Segment& segment : segments_) sum += segment.bytes;
  return sum;
}

void Journal::close() {
  const std::scoped_lock lock(mutex_);
  if (!closed_) write_gathered(last_);
  closed_ = true;
  readable_.notify_all();
  space_.notify_all();
}

Result<std::vector<OwnedRecord>> read_range(const std::filesystem::path& folder, Sequence after, Sequence to) {
  std::vector<OwnedRecord> records;
  const auto files = segment_files(folder);
  auto file = files.upper_bound(after + 1);
  if (file != files.begin()) --file;
  for (; file != files.end() && file->first <= to && records.size() < to - after; ++file) {
    auto bytes = read_whole(file->second);
    if (!bytes) return bytes.error();
    std::string_view rest = *bytes;
    if (!rest.starts_with(kSegmentMagic)) return Error{file->second.string() + " is no journal segment"};
    rest.remove_prefix(kSegmentMagic.size());
    while (!rest.empty()) {
      const Parsed parsed = parse_record(rest);
      if (parsed.outcome != Parse::record || parsed.record.sequence > to) break;
      rest.remove_prefix(parsed.size);
      if (parsed.record.sequence <= after) continue;
      records.push_back(
          {parsed.record.sequence, parsed.record.kind, parsed.record.received, std::string(parsed.record.body)});
    }
  }
  Sequence expected = after;
  for (const OwnedRecord& record : records) {
    if (record.sequence != ++expected) return Error{"journal record " + std::to_string(expected) + " is missing"};
  }
  if (expected != to) return Error{"journal record " + std::to_string(expected + 1) + " is missing"};
  return records;
}

}  // namespace fettle::journal
