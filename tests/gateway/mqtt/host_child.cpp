// A Sparkplug host in a process of its own, for a test to kill: mqtt_host_child BROKER HOST_ID FOLDER. Says "online" on
// its standard output once it is born, and stays.

#include <unistd.h>

#include <cstdio>
#include <thread>

#include "gateway/mqtt/sparkplug_session.h"

int main(int argc, char** argv) {
  namespace journal = fettle::journal;
  namespace mqtt_adapter = fettle::mqtt_adapter;
  if (argc != 4) return 2;
  journal::Options where;
  where.folder = argv[3];
  const auto kept = std::move(*journal::Journal::open(where, 0));
  journal::Clock clock(journal::ClockKind::system, {});
  mqtt_adapter::SparkplugOptions options;
  options.broker = argv[1];
  options.name = "main";
  options.client_id = "child";
  options.host_id = argv[2];
  const auto session = std::move(*mqtt_adapter::SparkplugSession::make(
      options, *kept, clock, [](const std::string& line) { std::fprintf(stderr, "%s\n", line.c_str()); }));
  session->start();
  while (!session->online()) std::this_thread::yield();
  std::puts("online");
  std::fflush(stdout);
  ::pause();
  return 0;
}
