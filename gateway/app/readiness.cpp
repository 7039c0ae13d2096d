#include "gateway/app/readiness.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace fettle::app {

std::optional<Reason> not_healthy_because(const Readiness& readiness) {
  if (!readiness.fold_failure) return std::nullopt;
  return Reason{"fold", "the fold over the journal has ended: " + *readiness.fold_failure,
                "mend what the detail names and start the gateway again; it goes on where it ended"};
}

std::vector<Reason> not_ready_because(const Readiness& readiness) {
  std::vector<Reason> out;
  if (auto failed = not_healthy_because(readiness)) out.push_back(std::move(*failed));
  if (readiness.stopping) {
    out.push_back({"stopping", "the gateway was asked to stop", "wait until it is started again"});
  }
  if (readiness.replaying) {
    out.push_back({"replay",
                   "record " + std::to_string(readiness.folded) + " of " + std::to_string(readiness.last) +
                       " of the journal is folded",
                   "wait: the gateway catches up with its journal after a start"});
  }
  const auto refusal = [&](const char* what, const std::string& problem) {
    out.push_back({what, "the " + std::string(what) + " takes no writes" + (problem.empty() ? "" : ": " + problem),
                   "free space on the disk of the data folder, or mend it; the gateway tries again by itself"});
  };
  if (!readiness.store_writes) refusal("store", readiness.store_problem);
  if (!readiness.journal_writes) refusal("journal", readiness.journal_problem);
  for (const SessionState& session : readiness.sessions) {
    if (session.up) continue;
    out.push_back(
        {"session",
         "the session " + session.name + " is not connected" + (session.detail.empty() ? "" : ": " + session.detail),
         "look at the broker and at its settings in the configuration; the gateway tries again by itself"});
  }
  return out;
}

std::vector<Reason> warnings_of(const Readiness& readiness) {
  if (readiness.merge_problem.empty()) return {};
  return {{"merge",
           "blocks of readings cannot be merged: " + readiness.merge_problem +
               "; readings are kept all the same, in more space, and are slower to find",
           "free space on the disk of the data folder, or mend it; if that is not it, run fettle verify. The gateway "
           "tries again by itself"}};
}

std::string reasons_json(std::string_view name, const std::vector<Reason>& reasons,
                         const std::optional<std::vector<Reason>>& warnings) {
  const auto listed = [](const std::vector<Reason>& all) {
    boost::json::array list;
    for (const Reason& reason : all) {
      list.push_back(boost::json::object{{"what", reason.what}, {"detail", reason.detail}, {"mend", reason.mend}});
    }
    return list;
  };
  boost::json::object body{{name, reasons.empty()}, {"reasons", listed(reasons)}};
  if (warnings) body["warnings"] = listed(*warnings);
  return boost::json::serialize(body) + '\n';
}

}  // namespace fettle::app
