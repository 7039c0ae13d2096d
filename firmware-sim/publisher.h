#pragma once
// Publishes a source of messages to a broker: executes what Delivery decides on a PahoLink, at the pace asked for. One
// thread, the caller's, besides Paho's own.

#include <atomic>
#include <string>
#include <string_view>

#include "firmware-sim/delivery.h"
#include "firmware-sim/message.h"
#include "firmware-sim/pace.h"
#include "firmware-sim/paho_link.h"
#include "firmware-sim/progress.h"

namespace fettle::sim {

enum class Outcome {
  kDone,         // every message is acknowledged
  kUnreachable,  // no connection in time, at the beginning or later
  kRefused,      // the broker is there and does not want this client
  kStopped,      // asked to stop
  kFailed,       // the disk does not keep what must be kept
};

std::string_view outcome_name(Outcome outcome);

struct PublishReport {
  Outcome outcome = Outcome::kDone;
  std::string why;  // of kUnreachable and kRefused
  DeliveryCounts counts;
  std::chrono::duration<double> duration{0};  // from the first connection to the end
};

// One JSON object, without a line end.
std::string report_json(const PublishReport& report);

// The same for a person, one line without a line end.
std::string report_line(const PublishReport& report);

// Runs until everything is acknowledged, `stop` is set (looked at ten times a second), or the limits are exceeded.
PublishReport publish_all(MessageSource& source, const BrokerAddress& broker, const DeliveryLimits& limits, Pace pace,
                          Progress progress, const std::atomic<bool>& stop);

}  // namespace fettle::sim
