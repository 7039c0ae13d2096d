#include "tests/bench/empty_subscriber.h"

#include <fcntl.h>
#include <mqtt/async_client.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdio>
#include <new>
#include <stdexcept>

namespace fettle::bench {
namespace {

// write(2), since standard output is a file here and would be buffered.
void say(const char* text) {
  const std::string line = std::string(text) + '\n';
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) ::_exit(1);
}

}  // namespace

SharedCounter::SharedCounter(const std::filesystem::path& file) {
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
  const int opened = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  void* mapped = MAP_FAILED;
  if (opened >= 0 && ::ftruncate(opened, sizeof(std::uint64_t)) == 0) {
    mapped = ::mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, opened, 0);
  }
  if (opened >= 0) ::close(opened);
  if (mapped == MAP_FAILED) throw std::runtime_error("cannot map " + file.string());
  value_ = static_cast<std::atomic<std::uint64_t>*>(mapped);
}

SharedCounter::~SharedCounter() {
  ::munmap(value_, sizeof(std::uint64_t));
}

int run_empty_subscriber(const Subscription& subscription) {
  try {
    SharedCounter seen(subscription.counter);
    mqtt::async_client client(subscription.broker, subscription.client_id, mqtt::create_options(), nullptr);
    client.set_message_callback([&](const mqtt::const_message_ptr&) { seen.count(); });
    mqtt::connect_options how;
    how.set_mqtt_version(MQTTVERSION_3_1_1);
    how.set_clean_session(subscription.qos == 0);
    how.set_keep_alive_interval(std::chrono::seconds(30));
    client.connect(how)->wait();
    for (const std::string& topic : subscription.topics) client.subscribe(topic, subscription.qos)->wait();
    say(kSubscribed);
    for (;;) ::pause();
  } catch (const mqtt::exception& error) {
    std::fprintf(stderr, "cannot subscribe at %s: %s\n", subscription.broker.c_str(), error.what());
    return 1;
  }
}

}  // namespace fettle::bench
