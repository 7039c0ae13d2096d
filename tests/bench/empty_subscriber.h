#pragma once
// The yardstick: Paho with the gateway's session (MQTT 3.1.1, the same topics and quality of service, nothing persisted
// by the client) and a callback that counts. What a gateway built on Paho could reach if it did nothing.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace fettle::bench {

// What it prints on a line of its own.
inline constexpr const char* kSubscribed = "subscribed";

struct Subscription {
  std::string broker;
  std::string client_id;
  std::vector<std::string> topics;
  int qos = 1;          // with 1 the session is durable, with 0 it is clean
  std::string counter;  // a file of eight bytes, which is mapped: how many messages have been seen
};

// Subscribes, prints kSubscribed and counts until it is ended by a signal. Returns where the broker refuses.
int run_empty_subscriber(const Subscription& subscription);

// A number in a file that two processes have mapped.
class SharedCounter {
 public:
  // Made with 0 where there is none. Throws where it cannot be mapped.
  explicit SharedCounter(const std::filesystem::path& file);
  SharedCounter(const SharedCounter&) = delete;
  SharedCounter& operator=(const SharedCounter&) = delete;
  ~SharedCounter();

  // One process counts.
  void count() { value_->store(value_->load(std::memory_order_relaxed) + 1, std::memory_order_release); }
  std::uint64_t read() const { return value_->load(std::memory_order_acquire); }

 private:
  std::atomic<std::uint64_t>* value_ = nullptr;
};

}  // namespace fettle::bench
