#pragma once
// The gateway's log: what a person or a collector should know, one line each, on standard error. Levels, an event word
// and fields for programs; text for people or JSON for machines. It is not an audit trail: nothing rests on it, and
// what repeats itself is counted instead of written.
//
// A Log is a handle: copies write to the same place. Any thread. A line is written with one write and flushed; whoever
// logs waits for standard error to take it.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "gateway/app/config.h"
#include "gateway/app/log_line.h"

namespace fettle::app {

struct LogOptions {
  LogFormat format = LogFormat::text;
  LogLevel level = LogLevel::info;  // what is below is dropped
  std::FILE* out = stderr;          // not owned; must outlive every copy of the log
  // The time that repetitions are measured with.
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
};

// Since the log was made. By level, repetitions that were not written included.
struct LogCounts {
  std::uint64_t debug = 0;
  std::uint64_t info = 0;
  std::uint64_t warn = 0;
  std::uint64_t error = 0;
  std::uint64_t suppressed = 0;  // of all these: not written because they repeat
};

// Where entries go.
class LogTarget {
 public:
  virtual ~LogTarget() = default;
  virtual void write(const LogEntry& entry) = 0;
  virtual void hide(const std::string& /*secret*/) {}
  virtual void tell_repeats() {}
  virtual LogCounts counts() const { return {}; }
};

class Log {
 public:
  // Of an entry whose like has been written kRepeats times within kRepeatTime, the rest of that time is counted only.
  static constexpr std::uint64_t kRepeats = 5;
  static constexpr std::chrono::seconds kRepeatTime{10};
  // That many different entries are told apart at a time; beyond, the oldest is forgotten after its count is written.
  static constexpr std::size_t kMaxRepeating = 256;
  // A shorter secret would mask common words: it is not masked.
  static constexpr std::size_t kMinSecret = 4;  // bytes
  static constexpr std::size_t kMaxSecrets = 64;

  // Lines as options say, with time and level before them.
  explicit Log(LogOptions options);
  explicit Log(std::shared_ptr<LogTarget> target) : target_(std::move(target)) {}
  // A function hears the messages alone; for tests, and for commands that print them in their own way.
  template <typename Ear>
  requires std::invocable<const Ear&, const std::string&> &&(!std::same_as<std::remove_cvref_t<Ear>, Log>)
      Log(Ear ear)  // NOLINT(google-explicit-constructor): a function is a log, as it always was
      : target_(std::make_shared<Hearing<Ear>>(std::move(ear))) {}

  // A message without more to it: level info, event "note".
  void operator()(const std::string& message) const { write(LogLevel::info, "note", message, {}); }

  void debug(std::string_view event, std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(LogLevel::debug, event, message, fields);
  }
  void info(std::string_view event, std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(LogLevel::info, event, message, fields);
  }
  void warn(std::string_view event, std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(LogLevel::warn, event, message, fields);
  }
  void error(std::string_view event, std::string_view message, std::initializer_list<Field> fields = {}) const {
    write(LogLevel::error, event, message, fields);
  }

  // From now on every occurrence of this text is masked. For what is read from password files, before it is used.
  void hide(const std::string& secret) const { target_->hide(secret); }

  // Writes the counts of repetitions whose time is over. For a timer of about a second; without it they come with the
  // next entry, or at the end.
  void tell_repeats() const { target_->tell_repeats(); }

  LogCounts counts() const { return target_->counts(); }

 private:
  template <typename Ear>
  class Hearing : public LogTarget {
   public:
    explicit Hearing(Ear ear) : ear_(std::move(ear)) {}
    void write(const LogEntry& entry) override { ear_(std::string(entry.message)); }

   private:
    const Ear ear_;
  };

  void write(LogLevel level, std::string_view event, std::string_view message,
             std::initializer_list<Field> fields) const {
    target_->write({level, event, message, {fields.begin(), fields.size()}});
  }

  std::shared_ptr<LogTarget> target_;  // shared by the copies of the log
};

}  // namespace fettle::app
