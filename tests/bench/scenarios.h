#pragma once
// What bench_ingest can send: the sessions, topics and expectations that go with each load.

#include "tests/bench/publisher.h"
#include "tests/bench/runs.h"
#include "tests/bench/sparkplug_load.h"

namespace fettle::bench {

// JSON at QoS 1 through the gateway's durable session. Both must live as long.
Scenario json_scenario(const Workload& workload, const Packets& packets, const e2e::Broker& broker);

// Sparkplug at QoS 0 through the gateway's host session. `load` must live as long. The window is the same for both
// sides. `rate`: messages a second at most; 0: any.
Scenario sparkplug_scenario(SparkplugLoad& load, const e2e::Broker& broker, std::size_t window, std::size_t rate);

}  // namespace fettle::bench
