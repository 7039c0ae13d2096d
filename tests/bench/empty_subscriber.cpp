#include "tests/bench/empty_subscriber.h"

#include <mqtt/async_client.h>
#include <unistd.h>

#include <cstdio>

namespace fettle::bench {
namespace {

// write(2), since standard output is a file here and would be buffered.
void say(const char* text) {
  const std::string line = std::string(text) + '\n';
  if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) ::_exit(1);
}

}  // namespace

int run_empty_subscriber(const std::string& broker, const std::string& client_id, std::uint64_t messages) {
  try {
    mqtt::async_client client(broker, client_id, mqtt::create_options(), nullptr);
    std::uint64_t seen = 0;  // the callback's own
    client.set_message_callback([&](const mqtt::const_message_ptr&) {
      if (++seen == messages) say(kSeenAll);
    });
    mqtt::connect_options how;
    how.set_mqtt_version(MQTTVERSION_3_1_1);
    how.set_clean_session(false);
    how.set_keep_alive_interval(std::chrono::seconds(30));
    client.connect(how)->wait();
    for (const char* topic : {"fettle/v1/+/telemetry", "fettle/v1/+/event", "fettle/v1/+/batch"}) {
      client.subscribe(topic, 1)->wait();
    }
    say(kSubscribed);
    for (;;) ::pause();
  } catch (const mqtt::exception& error) {
    std::fprintf(stderr, "cannot subscribe at %s: %s\n", broker.c_str(), error.what());
    return 1;
  }
}

}  // namespace fettle::bench
