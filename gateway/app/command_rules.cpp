// `fettle rules report`: how a gateway's rules bother people.

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>

#include "gateway/app/commands.h"
#include "gateway/app/hygiene.h"
#include "gateway/app/output.h"

namespace fettle::app {
namespace {

namespace json = boost::json;

// Episodes that one report reads, some hundred bytes each.
constexpr std::size_t kMaxReported = 500'000;

// What the report is about. The period ends with the gateway's time, and begins with the first raise, where not told.
std::optional<HygieneOptions> options_of(const RulesReport& asked, const std::vector<engine::EpisodeRow>& newest_first,
                                         engine::Time now) {
  HygieneOptions options;
  options.positions = asked.positions;
  options.now = now;
  options.from = options.until = now;
  if (!newest_first.empty()) {
    options.from = newest_first.back().raised_at;
    // Raises are dated by the device's clock, which may be ahead of the gateway's.
    options.until = std::max(now, newest_first.front().raised_at + std::chrono::milliseconds(1));
  }
  if (!asked.from.empty()) {
    const auto from = date_argument(asked.from, "--from");
    if (!from) return std::nullopt;
    options.from = *from;
  }
  if (!asked.until.empty()) {
    const auto until = date_argument(asked.until, "--until");
    if (!until) return std::nullopt;
    options.until = *until;
  }
  return options;
}

void print_json(const std::vector<HygieneRow>& rows, const HygieneOptions& options) {
  json::array list;
  for (const HygieneRow& row : rows) {
    list.push_back(json::object{{"pack", row.pack.empty() ? json::value(nullptr) : json::value(row.pack)},
                                {"rule", row.rule.empty() ? json::value(nullptr) : json::value(row.rule)},
                                {"episodes", row.episodes},
                                {"chattering", row.chattering},
                                {"fleeting", row.fleeting},
                                {"stale", row.stale},
                                {"stale_now", row.stale_now},
                                {"average_per_10_min", row.average},
                                {"acceptable", row.acceptable()},
                                {"busiest_10_min", row.busiest},
                                {"floods", row.floods},
                                {"flood_share", row.flood_share}});
  }
  std::printf("%s\n", json::serialize(json::object{{"from", text_of(options.from)},
                                                   {"until", text_of(options.until)},
                                                   {"operator_positions", options.positions},
                                                   {"rows", std::move(list)}})
                          .c_str());
}

void print_text(const std::vector<HygieneRow>& rows, const HygieneOptions& options) {
  std::printf("episodes raised from %s until %s, operator positions: %zu\n", text_of(options.from).c_str(),
              text_of(options.until).c_str(), options.positions);
  std::printf("%-40s %9s %10s %8s %11s %12s %8s %12s\n", "pack/rule", "episodes", "chattering", "fleeting",
              "stale (now)", "avg/10 min", "busiest", "floods");
  for (const HygieneRow& row : rows) {
    const std::string name = row.pack.empty() ? "all packs" : row.rule.empty() ? row.pack : "  " + row.rule;
    const std::string stale = std::to_string(row.stale) + " (" + std::to_string(row.stale_now) + ')';
    std::printf("%-40s %9zu %10zu %8zu %11s %11.4f%c %8zu %5zu %5.1f%%\n", name.c_str(), row.episodes, row.chattering,
                row.fleeting, stale.c_str(), row.average, row.acceptable() ? ' ' : '!', row.busiest, row.floods,
                100 * row.flood_share);
  }
  std::printf(
      "!: more than %.0f in 10 minutes on average. Floods: 10-minute spans with more than %zu, and their share\n",
      kAcceptableRate, kFloodAbove);
}

}  // namespace

int report_rules(const Config& config, const RulesReport& asked, Format format) {
  const auto reader = open_reader(config);
  if (!reader) return 1;
  const auto episodes = value_or_fail(reader->episodes({}, kMaxReported));
  const auto position = value_or_fail(reader->position());
  if (!episodes || !position) return 1;
  const auto options = options_of(asked, *episodes, position->now);
  if (!options) return 1;
  if (episodes->empty()) {
    if (format == Format::json) {
      print_json({}, *options);
    } else {
      std::printf("no episodes yet\n");
    }
    return 0;
  }
  if (options->from >= options->until) {
    return fail("the period from " + text_of(options->from) + " until " + text_of(options->until) +
                " is empty; say --from before --until");
  }
  if (episodes->size() == kMaxReported && options->from <= episodes->back().raised_at) {
    return fail("more than " + std::to_string(kMaxReported) + " episodes; say --from later than " +
                text_of(episodes->back().raised_at));
  }
  const std::vector<HygieneRow> rows = hygiene_of(*episodes, *options);
  if (format == Format::json) {
    print_json(rows, *options);
  } else {
    print_text(rows, *options);
  }
  return 0;
}

}  // namespace fettle::app
