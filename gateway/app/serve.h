#pragma once
// `fettle serve`: the gateway until a signal ends it.

#include "gateway/app/config.h"
#include "gateway/app/log.h"

namespace fettle::app {

// Returns the exit code: 0 ended by SIGTERM or SIGINT, 1 could not start or could not go on (the log says why).
int serve(const Config& config, const Log& log);

}  // namespace fettle::app
