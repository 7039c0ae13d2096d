#include "gateway/app/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace fettle::app {
namespace {

using Instant = std::chrono::steady_clock::time_point;

constexpr std::chrono::seconds kSweep{1};

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// Lines on a file, each repetition counted.
class Lines : public LogTarget {
 public:
  explicit Lines(LogOptions options)
      : options_(std::move(options)),
        logger_("fettle",
                std::make_shared<spdlog::sinks::stdout_sink_base<spdlog::details::console_mutex>>(options_.out)),
        next_sweep_(options_.now() + kSweep) {
    logger_.set_level(spdlog::level::trace);  // the level is ours to look at
    logger_.flush_on(spdlog::level::trace);
    if (options_.format == LogFormat::json) {
      logger_.set_pattern(R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ",%v})", spdlog::pattern_time_type::utc);
    } else {
      logger_.set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l %v");
    }
  }
  ~Lines() override {
    for (const auto& [line, known] : repeating_) tell(line, known);
  }

  void write(const LogEntry& entry) override {
    if (entry.level < options_.level) return;
    const std::scoped_lock lock(mutex_);
    ++count_of(entry.level);
    const Instant now = options_.now();
    if (now >= next_sweep_) sweep(now);
    std::string line = options_.format == LogFormat::json ? json_members(entry, secrets_) : text_line(entry, secrets_);
    auto found = repeating_.find(line);
    if (found == repeating_.end()) {
      if (repeating_.size() >= Log::kMaxRepeating) forget_oldest();
      found = repeating_.emplace(std::move(line), Known{entry.level, now}).first;
    }
    Known& known = found->second;
    if (++known.seen > Log::kRepeats) {
      ++counts_.suppressed;
      return;
    }
    logger_.log(spdlog_level(entry.level), spdlog::string_view_t(found->first));
  }

  void hide(const std::string& secret) override {
    const std::scoped_lock lock(mutex_);
    if (secret.size() < Log::kMinSecret || secrets_.size() >= Log::kMaxSecrets) return;
    secrets_.push_back(secret);
    // The longest first: a secret may be a part of another.
    std::sort(secrets_.begin(), secrets_.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  }

  void tell_repeats() override {
    const std::scoped_lock lock(mutex_);
    sweep(options_.now());
  }

  LogCounts counts() const override {
    const std::scoped_lock lock(mutex_);
    return counts_;
  }

 private:
  struct Known {
    LogLevel level;
    Instant since;
    std::uint64_t seen = 0;
  };

  std::uint64_t& count_of(LogLevel level) {
    switch (level) {
      case LogLevel::debug:
        return counts_.debug;
      case LogLevel::info:
        return counts_.info;
      case LogLevel::warn:
        return counts_.warn;
      case LogLevel::error:
        break;
    }
    return counts_.error;
  }

  void tell(const std::string& line, const Known& known) {
    if (known.seen <= Log::kRepeats) return;
    const std::string more = std::to_string(known.seen - Log::kRepeats);
    if (options_.format == LogFormat::json) {
      logger_.log(spdlog_level(known.level), spdlog::string_view_t(line + ",\"repeated\":" + more));
    } else {
      logger_.log(spdlog_level(known.level), spdlog::string_view_t(line + " (" + more + " more times)"));
    }
  }

  void sweep(Instant now) {
    next_sweep_ = now + kSweep;
    for (auto at = repeating_.begin(); at != repeating_.end();) {
      if (now - at->second.since < Log::kRepeatTime) {
        ++at;
        continue;
      }
      tell(at->first, at->second);
      at = repeating_.erase(at);
    }
  }

  void forget_oldest() {
    const auto oldest = std::min_element(repeating_.begin(), repeating_.end(),
                                         [](const auto& a, const auto& b) { return a.second.since < b.second.since; });
    tell(oldest->first, oldest->second);
    repeating_.erase(oldest);
  }

  const LogOptions options_;
  mutable std::mutex mutex_;  // guards everything below
  spdlog::logger logger_;
  Instant next_sweep_;
  std::unordered_map<std::string, Known> repeating_;  // by the line without its time
  std::vector<std::string> secrets_;
  LogCounts counts_;
};

}  // namespace

Log::Log(LogOptions options) : target_(std::make_shared<Lines>(std::move(options))) {}

}  // namespace fettle::app
