#include "gateway/app/observability.h"

#include <utility>

#include "gateway/app/metrics_text.h"

namespace fettle::app {
namespace {

http::Response answer(std::string_view name, const std::vector<Reason>& reasons,
                      const std::optional<std::vector<Reason>>& warnings = std::nullopt) {
  return {reasons.empty() ? 200U : 503U,
          "application/json",
          reasons_json(name, reasons, warnings),
          {{"Cache-Control", "no-store"}}};
}

}  // namespace

void add_watching(http::Server& server, Watched watched) {
  using http::Method;
  server.route(Method::get, "/healthz", http::at_once([readiness = watched.readiness](const http::Request&) {
                 std::vector<Reason> reasons;
                 if (auto reason = not_healthy_because(readiness())) reasons.push_back(std::move(*reason));
                 return answer("healthy", reasons);
               }));
  server.route(Method::get, "/readyz", http::at_once([readiness = watched.readiness](const http::Request&) {
                 const Readiness now = readiness();
                 return answer("ready", not_ready_because(now), warnings_of(now));
               }));
  server.route(Method::get, "/metrics", http::at_once([watched = std::move(watched)](const http::Request&) {
                 Snapshot snapshot = watched.snapshot();
                 snapshot.ready = not_ready_because(watched.readiness()).empty();
                 return http::Response{200, std::string(kExpositionType), exposition(snapshot), {}};
               }));
}

}  // namespace fettle::app
