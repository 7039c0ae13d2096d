#pragma once
// From the store's outbox to the MQTT publisher: what is committed there is offered in order, and what was delivered is
// journaled, so that the engine takes it out of the outbox.
//
// At least once: after a crash events are offered again from the first one that is not known as delivered. A thread of
// its own reads the store on its own connection; it sleeps until wake() says that something was committed.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "gateway/app/log.h"
#include "gateway/store/sqlite/reader.h"

namespace fettle::app {

class EventFeed {
 public:
  // Where events go. False: not now, offer it again. gateway/mqtt/event_publisher.h is the one there is.
  using Offer = std::function<bool(std::uint64_t id, const std::string& kind, const std::string& body)>;
  // Journals that everything up to this number was delivered. False: the journal refuses; told again later.
  using Settle = std::function<bool(std::uint64_t up_to)>;

  EventFeed(std::unique_ptr<store::Reader> outbox, Offer offer, Settle settle, Log log);
  ~EventFeed();
  EventFeed(const EventFeed&) = delete;
  EventFeed& operator=(const EventFeed&) = delete;

  void start();
  void stop();

  // Something was committed. Any thread; does not wait.
  void wake();
  // The receiver has acknowledged the event. Any thread; does not wait.
  void delivered(std::uint64_t id);

  std::uint64_t waiting() const { return waiting_; }        // offered and not yet delivered
  std::uint64_t delivered_count() const { return count_; }  // since the start

 private:
  void run();
  bool offer_new();

  std::unique_ptr<store::Reader> outbox_;  // the thread's own
  Offer offer_;
  Settle settle_;
  Log log_;
  std::uint64_t offered_ = 0;  // the thread's own: number of the newest event offered
  std::uint64_t settled_ = 0;  // the thread's own: journaled up to here

  std::thread thread_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool woken_ = false;
  bool stopping_ = false;
  std::set<std::uint64_t> open_;  // offered, not delivered
  std::atomic<std::uint64_t> waiting_{0};
  std::atomic<std::uint64_t> count_{0};
};

}  // namespace fettle::app
