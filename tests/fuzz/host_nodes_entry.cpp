#include <google/protobuf/stubs/logging.h>

#include <cstdlib>
#include <iostream>
#include <map>
#include <set>
#include <string>

#include "gateway/sparkplug/host_nodes.h"
#include "tests/fuzz/entries.h"
#include "tests/gateway/sparkplug/messages.h"
#include "tests/gateway/sparkplug/scripts.h"

namespace fettle::sparkplug::testing {
namespace {

constexpr std::size_t kMaxSteps = 120;

void check(bool holds, const std::string& what) {
  if (holds) return;
  std::cerr << "broken law: " << what << '\n';
  std::abort();
}

void check_output(const HostNodes& nodes, const Output& out, const HostOptions& options) {
  for (const Event& event : out.events) {
    check(event.source == kNoSource || event.source < nodes.sources(), "an event of a source there is not");
    check(std::size_t{event.first_sample} + event.sample_count <= out.samples.size(), "samples there are not");
    for (std::uint32_t i = 0; i < event.sample_count; ++i) {
      const Sample& sample = out.samples[event.first_sample + i];
      check(sample.metric < nodes.source(event.source).metrics.size(), "a sample of a metric there is not");
    }
  }
  check(nodes.waiting_bytes() <= options.max_waiting_bytes_all, "more waits than may");
  for (SourceId id = 0; id < nodes.sources(); ++id) {
    check(nodes.source(id).metrics.size() <= options.max_metrics, "a table larger than the limit");
  }
}

using Changes = std::set<HostNodes::Changed>;

HostNodes reloaded(const HostNodes& nodes, Changes& changes, std::map<std::string, std::string>& parts,
                   const HostOptions& options) {
  for (const HostNodes::Changed& changed : std::exchange(changes, {})) parts[nodes.key(changed)] = nodes.save(changed);
  HostNodes fresh(options);
  for (const char* suffix : {"/tables", "/session"}) {
    for (const auto& [key, bytes] : parts) {
      if (!key.ends_with(suffix)) continue;
      const auto problem = fresh.load(bytes);
      check(!problem, "a state that cannot be loaded: " + (problem ? problem->detail : std::string()));
    }
  }
  return fresh;
}

}  // namespace

void fuzz_host_nodes(std::string_view bytes) {
  const google::protobuf::LogSilencer quiet;
  std::size_t at = 0;
  std::size_t steps = 0;
  const Script script = make_script(
      [&]() -> std::uint8_t { return at < bytes.size() ? static_cast<std::uint8_t>(bytes[at++]) : std::uint8_t{0}; },
      [&] { return at >= bytes.size() || steps++ >= kMaxSteps; });
  HostNodes through(script.options);
  HostNodes restarted(script.options);
  std::map<std::string, std::string> parts;
  Changes changes;
  const auto note = [&changes](HostNodes::Changed part) { changes.insert(part); };
  restarted.before_changes(note);
  Output first;
  Output second;
  for (std::size_t i = 0; i < script.steps.size(); ++i) {
    if (i % 32 == 20) {
      restarted = reloaded(restarted, changes, parts, script.options);
      restarted.before_changes(note);
    }
    first.clear();
    second.clear();
    run_step(script.steps[i], through, first);
    run_step(script.steps[i], restarted, second);
    check_output(through, first, script.options);
    const std::string one = told(through, first);
    const std::string other = told(restarted, second);
    if (one != other) {
      std::string what = "after loading, \"";
      check(false, what.append(other).append("\" instead of \"").append(one));
    }
  }
}

}  // namespace fettle::sparkplug::testing
