#pragma once
// Whether the gateway does its work, and what keeps it from it: the answers of /healthz and /readyz. Pure.
//
// Healthy: the process serves and the fold goes on; otherwise it is to be started again. Ready: it takes in what
// devices send, and keeps it; otherwise something outside has to be mended, and starting again would not help.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "gateway/app/metrics.h"

namespace fettle::app {

struct Readiness {
  std::optional<std::string> fold_failure;  // what ended the fold
  bool stopping = false;
  bool replaying = false;  // the start still folds what the journal holds
  std::uint64_t folded = 0;
  std::uint64_t last = 0;              // of the journal
  bool store_writes = true;            // the last commit succeeded
  std::string store_problem;           // why not
  bool journal_writes = true;          // the last append was not refused
  std::string journal_problem;         // why not
  std::vector<SessionState> sessions;  // that must be up, each
  std::string merge_problem;           // why the store cannot merge blocks of readings; empty: it can
};

struct Reason {
  std::string what;    // a word for programs: fold, stopping, replay, store, journal, session; merge
  std::string detail;  // for people
  std::string mend;    // what to do
};

// Empty: ready.
std::vector<Reason> not_ready_because(const Readiness& readiness);
// Nothing: healthy.
std::optional<Reason> not_healthy_because(const Readiness& readiness);

// What does not keep the gateway from its work, and will if nobody mends it.
std::vector<Reason> warnings_of(const Readiness& readiness);

// {"ready":false,"reasons":[{"what":...,"detail":...,"mend":...}],"warnings":[]}; "ready" is the name given. Without
// `warnings` no such member.
std::string reasons_json(std::string_view name, const std::vector<Reason>& reasons,
                         const std::optional<std::vector<Reason>>& warnings = std::nullopt);

}  // namespace fettle::app
