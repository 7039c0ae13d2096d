#pragma once
// `fettle serve`: the gateway until a signal ends it.

#include "gateway/app/config.h"
#include "gateway/app/core.h"
#include "gateway/app/engine_loop.h"

namespace fettle::app {

// Returns the exit code: 0 ended by SIGTERM or SIGINT, 1 could not start or could not go on (the log says why).
int serve(const Config& config, const Log& log);

// The first line of a password file. Failure where it cannot be read, or others than its owner may read it.
Result<std::string> read_password(const std::filesystem::path& file);

}  // namespace fettle::app
