#pragma once
// The way from a session's callback into the journal: returns when the record is there, and holds the callback while
// the journal refuses. Holding is how a gateway pushes back: what was not taken in is not acknowledged, and a callback
// held past the keep-alive ends the session, so that brokers and devices keep what they have.
//
// Any thread; one call at a time from each.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "gateway/journal/clock.h"
#include "gateway/journal/journal.h"

namespace fettle::mqtt_adapter {

// Told from a session's own threads; must be quick and must not call back.
using SessionLog = std::function<void(const std::string& message)>;

class Intake {
 public:
  // `elsewhere` completes "holding messages back until there is room (...)": who keeps them meanwhile.
  Intake(journal::Journal& journal, journal::Clock& clock, SessionLog log, std::string elsewhere)
      : journal_(journal), clock_(clock), log_(std::move(log)), elsewhere_(std::move(elsewhere)) {}

  // What happens to a record that is still refused once stop() was called.
  enum class AtStop : std::uint8_t {
    hold,    // waits on: giving up would acknowledge what was not kept
    give_up  // returns false: at once where the disk refuses, after kPatience where the backlog is full
  };
  // Appends with the clock's time. True once the record is in the journal.
  bool append(journal::Kind kind, std::string_view body, AtStop at_stop, journal::Keep keep = journal::Keep::now);
  // A message of QoS 0 is acknowledged to nobody. Until the engine reads it, it may stand in memory as it did in the
  // socket's buffer before.
  static journal::Keep keep_of(int qos) { return qos == 0 ? journal::Keep::soon : journal::Keep::now; }
  // A message on kClockTopic, {"now": ms}: moves the clock of a recording on. The tick that follows carries the new
  // time; a redelivered, older one is no news.
  static constexpr std::string_view kClockTopic = "fettle/v1/clock";
  bool follows_clock() const { return clock_.kind() == journal::ClockKind::recording; }
  void clock(std::string_view payload, AtStop at_stop);
  void stop() { stopping_ = true; }

  // Whether a record waits that must not be given up, because the disk refuses it (not because the backlog is full).
  bool refused_by_disk() const { return refused_by_disk_; }
  // How many records had to wait so far.
  std::uint64_t held() const { return held_; }

  static constexpr std::chrono::milliseconds kSlice{200};  // between two tries; well below any keep-alive
  static constexpr std::chrono::milliseconds kPatience{5'000};

 private:
  journal::Journal& journal_;
  journal::Clock& clock_;
  SessionLog log_;
  std::string elsewhere_;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> refused_by_disk_{false};
  std::atomic<std::uint64_t> held_{0};
};

}  // namespace fettle::mqtt_adapter
