#pragma once
// The routes by which others watch the gateway: GET /metrics, /healthz, /readyz. What they say comes from the two
// functions given here; nothing is kept.

#include <functional>

#include "gateway/app/metrics.h"
#include "gateway/app/readiness.h"
#include "gateway/http/server.h"

namespace fettle::app {

// Called on the server's thread for each question; must be quick and must not throw.
struct Watched {
  std::function<Snapshot()> snapshot;  // without `ready`, which readiness says
  std::function<Readiness()> readiness;
};

// Before the server's start().
void add_watching(http::Server& server, Watched watched);

}  // namespace fettle::app
