#include "gateway/app/serve.h"

#include <malloc.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include "gateway/app/control.h"
#include "gateway/app/core.h"
#include "gateway/app/links.h"
#include "gateway/app/observability.h"
#include "gateway/http/server.h"

namespace fettle::app {
namespace {

constexpr std::chrono::seconds kTick{1};
constexpr int kArenas = 2;

// What is to be seen of the running gateway, gathered when somebody looks.
class View {
 public:
  View(Core& core, const Links& links, const Config& config, const Log& log)
      : core_(core), links_(links), backlog_limit_(config.journal_backlog), log_(log) {}

  Snapshot snapshot(const http::Server* server) const {
    const Progress progress = core_.loop().progress();
    Snapshot snapshot;
    snapshot.version = FETTLE_VERSION;
    snapshot.recorded = core_.metrics().recorded();
    snapshot.journal.last_sequence = core_.journal().last();
    snapshot.journal.committed_sequence = progress.folded;
    snapshot.journal.backlog_bytes = core_.journal().backlog_bytes();
    snapshot.journal.backlog_limit_bytes = backlog_limit_;
    snapshot.journal.disk_bytes = core_.journal().disk_bytes();
    const journal::Refusals refusals = core_.journal().refusals();
    snapshot.journal.refused_full = refusals.full;
    snapshot.journal.refused_disk = refusals.disk;
    if (progress.folded < snapshot.journal.last_sequence) snapshot.lag = core_.clock().now() - progress.now;
    snapshot.sessions = links_.sessions();
    snapshot.sparkplug = core_.sparkplug();
    if (snapshot.sparkplug) snapshot.sparkplug->rebirths_requested = links_.rebirths_sent();
    snapshot.store = core_.store_state();
    snapshot.events = links_.events();
    snapshot.log = log_.counts();
    if (server != nullptr) snapshot.http = server->served();
    snapshot.process = read_process();
    return snapshot;
  }

  Readiness readiness() const {
    const Progress progress = core_.loop().progress();
    Readiness readiness;
    if (core_.failed()) readiness.fold_failure = core_.failure();
    readiness.stopping = stopping_;
    readiness.folded = progress.folded;
    readiness.last = core_.journal().last();
    readiness.replaying = progress.replaying || progress.catching_up;
    readiness.store_writes = core_.loop().writing();
    readiness.store_problem = core_.loop().problem();
    readiness.journal_problem = core_.journal().refusing();
    readiness.journal_writes = readiness.journal_problem.empty();
    readiness.sessions = links_.sessions();
    readiness.merge_problem = core_.store_state().merge_problem;
    return readiness;
  }

  void stop() { stopping_ = true; }

 private:
  Core& core_;
  const Links& links_;
  std::size_t backlog_limit_;
  Log log_;
  bool stopping_ = false;  // the io_context's thread only
};

// The gateway's own beat: a tick record a second (with the system's clock; a recording brings its own), and a look at
// whether the gateway is ready.
class Beat {
 public:
  Beat(boost::asio::io_context& io, Core& core, const View& view, Log log)
      : io_(io), timer_(io), core_(core), view_(view), log_(std::move(log)) {}

  void start() {
    timer_.expires_after(kTick);
    timer_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      if (core_.failed()) {
        io_.stop();
        return;
      }
      if (core_.clock().kind() == journal::ClockKind::system) {
        // Refused while the journal is full or the disk is: the next tick that is taken carries the time all the same.
        (void)core_.journal().append(journal::Kind::tick, core_.clock().now(), {});
      }
      look();
      log_.tell_repeats();
      start();
    });
  }
  void stop() { timer_.cancel(); }

 private:
  void look() {
    const std::vector<Reason> reasons = not_ready_because(view_.readiness());
    if (reasons.empty() == ready_) return;
    ready_ = reasons.empty();
    if (ready_) {
      log_.info("ready", "ready");
    } else {
      log_.warn("not_ready", "not ready: " + reasons.front().detail, {{"what", reasons.front().what}});
    }
  }

  boost::asio::io_context& io_;
  boost::asio::steady_timer timer_;
  Core& core_;
  const View& view_;
  Log log_;
  bool ready_ = false;
};

int refuse(const Log& log, const std::string& message) {
  log.error("cannot_start", message);
  return 1;
}

// Metrics and health, where they are asked for.
Result<std::unique_ptr<http::Server>> watch_over(boost::asio::io_context& io, const ObservabilityConfig& config,
                                                 const View& view, const Log& log) {
  if (config.port == 0) return std::unique_ptr<http::Server>();
  http::Options options;
  options.address = config.address;
  options.port = config.port;
  auto server =
      std::make_unique<http::Server>(io, options, [log](const std::string& message) { log.warn("http", message); });
  http::Server* raw = server.get();
  add_watching(*server, {[&view, raw] { return view.snapshot(raw); }, [&view] { return view.readiness(); }});
  if (const auto port = server->start(); !port) return Failure{port.error().message};
  log.info("listening", "metrics and health on http://" + config.address + ':' + std::to_string(config.port));
  return server;
}

}  // namespace

int serve(const Config& config, const Log& log) {
  // glibc's malloc gives each new thread an arena, and what one frees no other uses: some 50 MB over all of ours.
  ::mallopt(M_ARENA_MAX, kArenas);
  auto lock = FolderLock::take(config);
  if (!lock) return refuse(log, lock.error().message);
  if (!*lock) {
    return refuse(
        log, "another gateway works on " + config.data.string() + "; stop it first, or name another \"data\" folder");
  }
  auto core = Core::open(config, std::move(**lock), log);
  if (!core) return refuse(log, core.error().message);
  ::malloc_trim(0);  // what the start alone needed
  auto links = Links::make(config, **core, log);
  if (!links) return refuse(log, links.error().message);

  boost::asio::io_context io;
  ControlServer control(io, config, **core);
  if (auto listening = control.start(); !listening) return refuse(log, listening.error().message);
  View view(**core, **links, config, log);
  auto server = watch_over(io, config.observability, view, log);
  if (!server) return refuse(log, server.error().message);
  (*core)->attach({[&links] { (*links)->committed(); },
                   [&links](const engine::RebirthRequest& request) { (*links)->request(request); },
                   [&links](const std::vector<std::string>& filters) { (*links)->subscribe(filters); }});
  (*links)->start();
  Beat beat(io, **core, view, log);
  beat.start();
  boost::asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](boost::system::error_code error, int) {
    if (!error) io.stop();
  });
  io.run();

  log.info("stopping", "stopping");
  view.stop();
  beat.stop();
  control.stop();
  if (*server) (*server)->stop();
  const bool clean = (*links)->stop();
  (*core)->attach({});
  const auto problem = (*core)->stop();
  if (problem) log.error("fold", *problem);
  if (!clean) {
    // A message is in hand that could not be kept. Ending the session properly would acknowledge it.
    log.warn("held", "ended with the disk refusing; the broker keeps what was not taken in");
    ::_exit(problem ? 1 : 0);
  }
  log.info("stopped", "stopped");
  return problem ? 1 : 0;
}

}  // namespace fettle::app
