// What is going on: counters, usage, the quarantine, and a window that follows them.

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <map>
#include <set>

#include "gateway/app/commands.h"
#include "gateway/app/output.h"

namespace fettle::app {
namespace {

namespace json = boost::json;

constexpr std::chrono::milliseconds kPoll{500};
constexpr std::size_t kNewest = 200;  // work orders and episodes looked at per poll

std::string printable(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    if (c >= ' ' && c < 127) {
      text += c;
    } else {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      text += escaped;
    }
  }
  return text;
}

// Prints what is new since it last looked.
class Follower {
 public:
  Follower(store::Reader& reader, const MeterTexts& meters) : reader_(reader), meters_(meters) {}

  bool look() {
    const auto stamp = reader_.change_stamp();
    if (!stamp) return fail(stamp.error().message) == 0;
    if (seen_stamp_ && *stamp == *seen_stamp_) return true;
    seen_stamp_ = *stamp;
    return work_orders() && episodes() && usage();
  }

 private:
  bool work_orders() {
    const auto orders = value_or_fail(reader_.work_orders({}, kNewest));
    if (!orders) return false;
    for (auto order = orders->rbegin(); order != orders->rend(); ++order) {
      std::string& seen = orders_[order->id];
      const std::string now = order->state + std::to_string(order->occurrences);
      if (seen == now) continue;
      std::printf("work order %s %s %-8s %s: %s%s\n", order->id.c_str(), order->priority.c_str(), order->state.c_str(),
                  order->asset.c_str(), order->title.c_str(),
                  order->occurrences > 1 ? (", occurrence " + std::to_string(order->occurrences)).c_str() : "");
      seen = now;
    }
    return true;
  }

  bool episodes() {
    const auto episodes = value_or_fail(reader_.episodes({}, kNewest));
    if (!episodes) return false;
    for (auto episode = episodes->rbegin(); episode != episodes->rend(); ++episode) {
      const std::string now =
          episode->cleared_at ? "cleared " + text_of(*episode->cleared_at) : "raised " + text_of(episode->raised_at);
      if (std::exchange(episodes_[episode->id], now) == now) continue;
      std::printf("episode    %s %s/%s on %s %s\n", episode->id.c_str(), episode->pack.c_str(), episode->rule.c_str(),
                  episode->asset.c_str(), now.c_str());
    }
    return true;
  }

  bool usage() {
    const auto totals = value_or_fail(reader_.usage_totals(engine::Time::min(), engine::Time::max()));
    if (!totals) return false;
    for (const store::UsageTotal& total : *totals) {
      std::int64_t& seen = usage_[total.asset + '\0' + total.meter + '\0' + total.band];
      if (seen == total.quantity) continue;
      seen = total.quantity;
      const MeterText form = meters_.of(total.asset, total.meter);
      std::printf("usage      %s %s%s%s%s: %s %s\n", total.asset.c_str(), total.meter.c_str(),
                  total.band.empty() ? "" : " [", total.band.c_str(), total.band.empty() ? "" : "]",
                  grouped(quantity_text(total.quantity, form.scale)).c_str(), form.unit.c_str());
    }
    std::fflush(stdout);
    return true;
  }

  store::Reader& reader_;
  const MeterTexts& meters_;
  std::optional<std::int64_t> seen_stamp_;
  std::map<std::string, std::string> orders_;
  std::map<std::string, std::string> episodes_;
  std::map<std::string, std::int64_t> usage_;
};

}  // namespace

int watch(const Config& config, std::optional<std::chrono::milliseconds> until_over) {
  const auto reader = open_reader(config);
  if (!reader) return 1;
  const auto catalog = value_or_fail(reader->catalog());
  if (!catalog) return 1;
  const MeterTexts meters(*catalog);
  Follower follower(*reader, meters);
  boost::asio::io_context io;
  boost::asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](boost::system::error_code error, int) {
    if (!error) io.stop();
  });
  boost::asio::steady_timer end(io);
  if (until_over) {
    end.expires_after(*until_over);
    end.async_wait([&](boost::system::error_code) { io.stop(); });
  }
  boost::asio::steady_timer poll(io);
  bool good = true;
  std::function<void()> look = [&] {
    good = follower.look();
    if (!good) {
      io.stop();
      return;
    }
    poll.expires_after(kPoll);
    poll.async_wait([&](boost::system::error_code error) {
      if (!error) look();
    });
  };
  look();
  io.run();
  if (good) follower.look();
  return good ? 0 : 1;
}

int status(const Config& config, Format format) {
  const auto reader = open_reader(config);
  if (!reader) return 1;
  const auto counters = value_or_fail(reader->counters());
  const auto position = value_or_fail(reader->position());
  if (!counters || !position) return 1;
  const engine::Counters& c = counters->counters;
  const json::object out{{"committed", position->committed}, {"checkpoint", position->checkpoint},
                         {"now", text_of(position->now)},    {"messages", c.messages},
                         {"readings", c.readings},           {"duplicates", c.duplicates},
                         {"conflicts", c.conflicts},         {"late", c.late},
                         {"quarantined", c.quarantined},     {"quarantine_removed", counters->quarantine_removed}};
  if (format == Format::json) {
    std::printf("%s\n", json::serialize(out).c_str());
    return 0;
  }
  for (const auto& [key, value] : out) {
    std::printf("%-20s %s\n", std::string(key).c_str(),
                value.is_string() ? value.as_string().c_str() : json::serialize(value).c_str());
  }
  return 0;
}

int list_usage(const Config& config, const std::string& from, const std::string& until, Format format) {
  engine::Time start = engine::Time::min();
  engine::Time end = engine::Time::max();
  if (!from.empty()) {
    const auto time = date_argument(from, "--from");
    if (!time) return 1;
    start = *time;
  }
  if (!until.empty()) {
    const auto time = date_argument(until, "--until");
    if (!time) return 1;
    end = *time;
  }
  const auto reader = open_reader(config);
  if (!reader) return 1;
  const auto catalog = value_or_fail(reader->catalog());
  const auto totals = value_or_fail(reader->usage_totals(start, end));
  if (!catalog || !totals) return 1;
  const MeterTexts meters(*catalog);
  json::array all;
  for (const store::UsageTotal& total : *totals) {
    const MeterText form = meters.of(total.asset, total.meter);
    const std::string quantity = quantity_text(total.quantity, form.scale);
    if (format == Format::json) {
      all.push_back(json::object{{"asset", total.asset},
                                 {"meter", total.meter},
                                 {"band", total.band},
                                 {"quantity", quantity},
                                 {"unit", form.unit},
                                 {"records", total.records},
                                 {"start", text_of(total.start)},
                                 {"end", text_of(total.end)}});
      continue;
    }
    std::printf("%-16s %-12s %-16s %16s %s, %llu records from %s until %s\n", total.asset.c_str(), total.meter.c_str(),
                total.band.c_str(), grouped(quantity).c_str(), form.unit.c_str(),
                static_cast<unsigned long long>(total.records), text_of(total.start).c_str(),
                text_of(total.end).c_str());
  }
  if (format == Format::json) std::printf("%s\n", json::serialize(all).c_str());
  return 0;
}

int list_quarantine(const Config& config, std::size_t limit, Format format) {
  const auto reader = open_reader(config);
  if (!reader) return 1;
  const auto rows = value_or_fail(reader->quarantine(limit));
  if (!rows) return 1;
  json::array all;
  for (const engine::QuarantineRow& row : *rows) {
    if (format == Format::json) {
      all.push_back(json::object{{"sequence", row.sequence},
                                 {"item", row.item},
                                 {"received", text_of(row.received)},
                                 {"topic", row.topic},
                                 {"reason", row.reason},
                                 {"detail", row.detail},
                                 {"first_bytes", printable(row.first_bytes)}});
      continue;
    }
    std::printf("%s record %llu on %s: %s: %s\n    %s\n", text_of(row.received).c_str(),
                static_cast<unsigned long long>(row.sequence), row.topic.c_str(), row.reason.c_str(),
                row.detail.c_str(), printable(row.first_bytes).c_str());
  }
  if (format == Format::json) std::printf("%s\n", json::serialize(all).c_str());
  return 0;
}

}  // namespace fettle::app
