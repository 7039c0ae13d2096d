#include "firmware-sim/outbox.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "firmware-sim/outbox_record.h"

namespace fettle::sim {
namespace {

using record::Kind;
using std::chrono::milliseconds;

// The file is rewritten when at least this much of it, and more than half, is no longer needed.
constexpr std::uint64_t kLeastWorthRewriting = 1U << 20U;
constexpr std::size_t kWriteAtOnce = 1U << 20U;

std::string why() {
  return std::error_code(errno, std::generic_category()).message();
}

bool write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t done = write(file, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
  return true;
}

int open_nameless() {
  const char* folder = std::getenv("TMPDIR");
  std::string name = std::string(folder != nullptr ? folder : "/tmp") + "/fettle-sim-outbox-XXXXXX";
  const int file = mkostemp(name.data(), O_APPEND | O_CLOEXEC);
  if (file >= 0) unlink(name.c_str());
  return file;
}

std::filesystem::path beside(const std::filesystem::path& path) {
  return path.string() + ".new";
}

}  // namespace

Outbox::Outbox(std::optional<std::filesystem::path> path, int file, std::uint64_t run, const OutboxLimits& limits)
    : path_(std::move(path)), file_(file), run_(run), limits_(limits) {}

Outbox::Outbox(Outbox&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      run_(other.run_),
      limits_(other.limits_),
      entries_(std::move(other.entries_)),
      first_number_(other.first_number_),
      search_from_(other.search_from_),
      position_(other.position_),
      next_session_(other.next_session_),
      unwritten_(std::move(other.unwritten_)),
      written_(other.written_),
      needed_(other.needed_),
      pending_(other.pending_),
      counts_(other.counts_) {}

Outbox::~Outbox() {
  if (file_ >= 0) close(file_);
}

Problem Outbox::problem(std::string_view what) const {
  return Problem{(path_ ? path_->string() : std::string("the buffer in the temporary folder")) + ": " +
                 std::string(what)};
}

Result<Outbox> Outbox::open(const std::optional<std::filesystem::path>& file, std::uint64_t run,
                            const OutboxLimits& limits) {
  const int opened =
      file ? ::open(file->c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR) : open_nameless();
  Outbox box(file, opened, run, limits);
  if (opened < 0) return box.problem("cannot be opened: " + why() + "; name a file that may be written with --buffer");
  if (flock(opened, LOCK_EX | LOCK_NB) != 0)
    return box.problem("is in use by another fettle-sim; end that, or name another file with --buffer");
  if (auto problem = box.load()) return *problem;
  return box;
}

// ---- reading what an earlier run left -------------------------------------------------------------------------------

std::optional<Problem> Outbox::load() {
  struct stat status {};
  if (fstat(file_, &status) != 0) return problem("cannot be read: " + why());
  written_ = static_cast<std::uint64_t>(status.st_size);
  if (written_ == 0) return write_header();
  const std::uint64_t asked_run = run_;
  void* mapped = mmap(nullptr, written_, PROT_READ, MAP_PRIVATE, file_, 0);
  if (mapped == MAP_FAILED) return problem("cannot be read: " + why());
  const std::size_t good = replay({static_cast<const char*>(mapped), written_});
  munmap(mapped, written_);
  if (good == 0) return problem("is no buffer of fettle-sim; name another file with --buffer, or remove it");
  counts_.torn_bytes = written_ - good;
  if (ftruncate(file_, static_cast<off_t>(good)) != 0) return problem("cannot be cut to its good part: " + why());
  written_ = good;

  SentTime newest{};
  for (const auto& entry : entries_) newest = std::max(newest, entry.sent);
  if (newest != SentTime{}) {
    if (auto failed = doubt(newest)) return failed;
  }
  if (run_ == asked_run) return std::nullopt;
  if (pending_ > 0) {
    return problem("holds " + std::to_string(pending_) +
                   " readings of another run; start fettle-sim with the options of that run, so that they are sent, or "
                   "name another file with --buffer");
  }
  run_ = asked_run;
  return finish();
}

// Takes record after record; the size of what was good.
std::size_t Outbox::replay(std::string_view text) {
  std::size_t good = 0;
  while (good < text.size()) {
    const auto body = record::body_at_front(text.substr(good));
    if (!body || (good == 0) != (body->front() == static_cast<char>(Kind::kHeader))) break;
    if (!replay_record(*body, good)) break;
    good += record::kFrameBytes + body->size();
  }
  return good;
}

bool Outbox::replay_record(std::string_view body, std::uint64_t offset) {
  record::Reader in(body);
  const auto kind = static_cast<Kind>(in.get<char>());
  const auto get_time = [&in] { return SentTime(milliseconds(in.get<std::int64_t>())); };
  switch (kind) {
    case Kind::kHeader: {
      const auto version = in.get<std::uint8_t>();
      run_ = in.get<std::uint64_t>();
      position_ = in.get<std::uint64_t>();
      first_number_ = in.get<std::uint64_t>();
      next_session_ = in.get<std::uint8_t>();
      return in.complete() && version == record::kVersion;
    }
    case Kind::kReadings: {
      const auto number = in.get<std::uint64_t>();
      position_ = std::max(position_, in.get<std::uint64_t>());
      Entry entry{offset, static_cast<std::uint32_t>(record::kFrameBytes + body.size()), 0, get_time()};
      in.get<std::uint32_t>();
      entry.readings = in.get<std::uint32_t>();
      if (entries_.empty()) first_number_ = number;
      if (in.failed() || number != first_number_ + entries_.size()) return false;
      needed_ += entry.length;
      if (entry.sent == SentTime{}) pending_ += entry.readings;
      entries_.push_back(entry);
      keep_to_bound();
      return true;
    }
    case Kind::kMark: {
      const auto sent = get_time();
      const auto first = in.get<std::uint64_t>();
      mark(first, in.get<std::uint64_t>(), sent);
      return in.complete();
    }
    case Kind::kDoubt:
      make_pending(get_time());
      return in.complete();
    case Kind::kSession:
      next_session_ = in.get<std::uint8_t>();
      return in.complete();
  }
  return false;
}

// ---- what is kept ---------------------------------------------------------------------------------------------------

void Outbox::mark(std::uint64_t first, std::uint64_t last, SentTime sent) {
  const std::uint64_t end = first_number_ + entries_.size();
  for (std::uint64_t number = std::max(first, first_number_); number <= last && number < end; ++number) {
    Entry& entry = entries_[static_cast<std::size_t>(number - first_number_)];
    if (entry.sent == SentTime{}) pending_ -= entry.readings;
    entry.sent = sent;
  }
}

void Outbox::make_pending(SentTime since) {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    Entry& entry = entries_[i];
    if (entry.sent == SentTime{} || entry.sent < since) continue;
    entry.sent = SentTime{};
    pending_ += entry.readings;
    search_from_ = std::min(search_from_, i);
  }
}

void Outbox::drop_front() {
  needed_ -= entries_.front().length;
  entries_.pop_front();
  ++first_number_;
  if (search_from_ > 0) --search_from_;
}

void Outbox::keep_to_bound() {
  while (needed_ > limits_.bytes && entries_.size() > 1) {
    const Entry& oldest = entries_.front();
    if (oldest.sent == SentTime{}) {
      pending_ -= oldest.readings;
      counts_.dropped += oldest.readings;
    } else {
      counts_.cut_short += oldest.readings;
    }
    drop_front();
  }
}

void Outbox::add(const Batch& batch, std::uint64_t position, std::optional<SentTime> sent) {
  std::string body;
  record::put(body, Kind::kReadings);
  record::put(body, first_number_ + entries_.size());
  record::put(body, position);
  record::put(body, std::int64_t{sent.value_or(SentTime{}).time_since_epoch().count()});
  record::put(body, batch.asset);
  record::put_readings(body, batch);
  Entry entry{written_ + unwritten_.size(), static_cast<std::uint32_t>(record::kFrameBytes + body.size()),
              static_cast<std::uint32_t>(batch.readings.size()), sent.value_or(SentTime{})};
  unwritten_ += record::framed(body);
  position_ = position;
  needed_ += entry.length;
  if (!sent) pending_ += entry.readings;
  entries_.push_back(entry);
  keep_to_bound();
}

std::optional<Problem> Outbox::commit() {
  if (unwritten_.empty()) return std::nullopt;
  if (!write_all(file_, unwritten_))
    return problem("cannot be written: " + why() + "; make room, or name another file with --buffer");
  written_ += unwritten_.size();
  unwritten_.clear();
  return std::nullopt;
}

std::optional<Problem> Outbox::keep_next_session(std::uint8_t session) {
  next_session_ = session;
  std::string body;
  record::put(body, Kind::kSession);
  record::put(body, session);
  unwritten_ += record::framed(body);
  return commit();
}

std::optional<Problem> Outbox::doubt(SentTime now) {
  const SentTime since = now - limits_.overlap;
  std::string body;
  record::put(body, Kind::kDoubt);
  record::put(body, std::int64_t{since.time_since_epoch().count()});
  unwritten_ += record::framed(body);
  make_pending(since);
  return commit();
}

Result<std::string> Outbox::read_record(const Entry& entry) {
  std::string bytes(entry.length, '\0');
  std::size_t got = 0;
  while (got < bytes.size()) {
    const ssize_t part = pread(file_, bytes.data() + got, bytes.size() - got, static_cast<off_t>(entry.offset + got));
    if (part < 0 && errno == EINTR) continue;
    if (part <= 0) return problem("cannot be read at byte " + std::to_string(entry.offset) + ": " + why());
    got += static_cast<std::size_t>(part);
  }
  if (!record::body_at_front(bytes))
    return problem("is damaged at byte " + std::to_string(entry.offset) + "; somebody else has written to it");
  return Result<std::string>(boost::system::in_place_value, std::move(bytes));
}

Result<std::vector<Batch>> Outbox::take_pending(std::size_t readings, SentTime now) {
  std::vector<Batch> taken;
  if (auto failed = commit()) return *failed;
  for (std::size_t count = 0; search_from_ < entries_.size() && count < readings; ++search_from_) {
    const Entry& entry = entries_[search_from_];
    if (entry.sent != SentTime{}) continue;
    auto bytes = read_record(entry);
    if (!bytes) return bytes.error();
    record::Reader in(std::string_view(*bytes).substr(record::kFrameBytes + record::kSentOffset + 8));
    Batch batch;
    batch.asset = in.get<std::uint32_t>();
    if (!record::get_readings(in, batch))
      return problem("is damaged at byte " + std::to_string(entry.offset) + "; somebody else has written to it");
    count += batch.readings.size();
    taken.push_back(std::move(batch));

    const std::uint64_t number = first_number_ + search_from_;
    mark(number, number, now);
    std::string body;
    record::put(body, Kind::kMark);
    record::put(body, std::int64_t{now.time_since_epoch().count()});
    record::put(body, number);
    record::put(body, number);
    unwritten_ += record::framed(body);
  }
  if (auto failed = commit()) return *failed;
  return taken;
}

std::optional<Outbox::SentTime> Outbox::next_retirement() const {
  if (entries_.empty() || entries_.front().sent == SentTime{}) return std::nullopt;
  return entries_.front().sent + limits_.overlap + milliseconds(1);
}

std::optional<Problem> Outbox::retire(SentTime now) {
  while (!entries_.empty()) {
    const Entry& oldest = entries_.front();
    if (oldest.sent == SentTime{} || oldest.sent + limits_.overlap >= now) break;
    drop_front();
  }
  const std::uint64_t size = written_ + unwritten_.size();
  if (size - needed_ < std::max(needed_, kLeastWorthRewriting)) return std::nullopt;
  if (auto failed = commit()) return failed;
  return rewrite();
}

std::optional<Problem> Outbox::finish() {
  entries_.clear();
  needed_ = pending_ = search_from_ = position_ = 0;
  unwritten_.clear();
  return rewrite();
}

// ---- the file -------------------------------------------------------------------------------------------------------

std::string Outbox::header() const {
  std::string body;
  record::put(body, Kind::kHeader);
  record::put(body, record::kVersion);
  record::put(body, run_);
  record::put(body, position_);
  record::put(body, first_number_);
  record::put(body, next_session_);
  return record::framed(body);
}

std::optional<Problem> Outbox::write_header() {
  unwritten_ = header();
  return commit();
}

// Everything needed into a new file, which then takes the place of the old one at once.
std::optional<Problem> Outbox::rewrite() {
  const int fresh =
      path_ ? ::open(beside(*path_).c_str(), O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR)
            : open_nameless();
  if (fresh < 0) return problem("cannot be rewritten: " + why());
  std::string out = header();
  std::uint64_t size = 0;
  std::optional<Problem> failed;
  std::vector<std::uint64_t> offsets;
  offsets.reserve(entries_.size());
  for (std::size_t i = 0; i < entries_.size() && !failed; ++i) {
    auto bytes = read_record(entries_[i]);
    if (!bytes) {
      failed = bytes.error();
      break;
    }
    std::string body = bytes->substr(record::kFrameBytes);
    const std::int64_t sent = entries_[i].sent.time_since_epoch().count();
    std::memcpy(body.data() + record::kSentOffset, &sent, sizeof sent);
    offsets.push_back(size + out.size());
    out += record::framed(body);
    if (out.size() < kWriteAtOnce) continue;
    if (!write_all(fresh, out)) failed = problem("cannot be rewritten: " + why() + "; make room");
    size += out.size();
    out.clear();
  }
  if (!failed && !write_all(fresh, out)) failed = problem("cannot be rewritten: " + why() + "; make room");
  size += out.size();
  if (!failed && flock(fresh, LOCK_EX | LOCK_NB) != 0) failed = problem("cannot be locked: " + why());
  if (!failed && path_ && rename(beside(*path_).c_str(), path_->c_str()) != 0)
    failed = problem("cannot be replaced: " + why());
  if (failed) {
    close(fresh);
    return failed;
  }
  close(std::exchange(file_, fresh));
  written_ = size;
  for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].offset = offsets[i];
  return std::nullopt;
}

}  // namespace fettle::sim
