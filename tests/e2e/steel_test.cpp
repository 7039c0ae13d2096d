// A year of a real energy meter through MQTT to twelve invoices: in order, shuffled, and every message sent twice.

#define XXH_INLINE_ALL
#include <gtest/gtest.h>
#include <xxhash.h>

#include <array>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>

#include "firmware-sim/clocked_source.h"
#include "firmware-sim/replay.h"
#include "tests/e2e/harness/decimal.h"
#include "tests/e2e/harness/recordings.h"
#include "tests/e2e/harness/stage.h"

namespace fettle::e2e {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kRows = 35'040;
constexpr std::uint64_t kReadings = 6 * kRows;  // energy, load type, four gauges
constexpr const char* kUntil = "2019-01-01";    // UTC, after the year's end in Seoul

std::string text(const json::value& object, const char* key) {
  return std::string(object.at(key).as_string());
}

// The month in Seoul, which has no summer time.
unsigned seoul_month(std::int64_t ms) {
  using namespace std::chrono;
  const sys_days day = floor<days>(sys_time<milliseconds>(milliseconds(ms)) + hours(9));
  return static_cast<unsigned>(year_month_day(day).month());
}

std::unique_ptr<Stage> replayed(const Words& options) {
  auto stage = std::make_unique<Stage>();
  stage->gateway.start();
  stage->gateway.apply({source("firmware-sim/catalog/seller.yaml"), source("firmware-sim/catalog/steel.yaml")});
  Words words{"replay", "--dataset", "steel", "--data", recordings().string()};
  words.insert(words.end(), options.begin(), options.end());
  simulate(stage->broker, words);
  stage->gateway.wait_for_readings(kReadings);
  stage->gateway.json({"invoice", "run", "--until", kUntil});
  return stage;
}

class Steel : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!std::filesystem::exists(recordings())) return;
    in_order_ = replayed({});
  }
  static void TearDownTestSuite() { in_order_.reset(); }
  void SetUp() override { FETTLE_NEED_RECORDINGS(); }

  static const Gateway& in_order() { return in_order_->gateway; }

 private:
  static std::unique_ptr<Stage> in_order_;
};
std::unique_ptr<Stage> Steel::in_order_;

TEST_F(Steel, EveryKilowattHourIsMeteredInItsBand) {
  const Counters counters = in_order().counters();
  EXPECT_EQ(counters.readings, kReadings);
  EXPECT_EQ(counters.messages, kRows);
  EXPECT_EQ(counters.duplicates, 0U);
  EXPECT_EQ(counters.conflicts, 0U);
  EXPECT_EQ(counters.quarantined, 0U);

  std::map<std::string, std::string> bands;
  std::int64_t total = 0;
  const json::value usage = in_order().json({"usage"});
  for (const json::value& row : usage.as_array()) {
    EXPECT_EQ(text(row, "asset"), "steel-meter-1");
    EXPECT_EQ(text(row, "unit"), "kWh");
    bands[text(row, "band")] = text(row, "quantity");
    total += scaled(text(row, "quantity"), 2);
  }
  EXPECT_EQ(bands, (std::map<std::string, std::string>{
                       {"Light_Load", "155892.81"}, {"Medium_Load", "372766.54"}, {"Maximum_Load", "430977.36"}}));
  EXPECT_EQ(total, 95'963'671);
}

TEST_F(Steel, EveryMonthInSeoulHasItsOwnKilowattHours) {
  constexpr std::array<std::int64_t, 12> kMonths = {12'623'829, 9'149'734, 8'023'041, 7'876'980, 7'905'928, 6'540'464,
                                                    8'167'441,  6'855'943, 5'788'307, 8'466'565, 8'621'761, 5'943'678};
  std::array<std::int64_t, 12> metered{};
  for (const std::string& row : query(in_order().store(), "SELECT start, quantity FROM usage_record")) {
    const std::size_t blank = row.find(' ');
    metered.at(seoul_month(std::stoll(row)) - 1) += std::stoll(row.substr(blank));
  }
  EXPECT_EQ(metered, kMonths);

  std::array<std::int64_t, 12> billed{};
  std::size_t month = 0;
  for (const json::object& invoice : invoices(in_order())) {
    ASSERT_LT(month, billed.size());
    for (const json::value& line : invoice.at("lines").as_array()) {
      if (text(line, "charge") != "energy") continue;
      billed[month] += scaled(text(line, "quantity"), 2);
      EXPECT_EQ(seoul_month(ms_of(text(line.at("period"), "start"))), month + 1);
    }
    ++month;
  }
  EXPECT_EQ(billed, kMonths);
}

TEST_F(Steel, TwelveFinalInvoicesAddUp) {
  const auto all = invoices(in_order());
  ASSERT_EQ(all.size(), 12U);
  const std::map<std::string, std::string> prices{
      {"Light_Load", "0.0900"}, {"Medium_Load", "0.1200"}, {"Maximum_Load", "0.1800"}};
  int number = 0;
  for (const json::object& invoice : all) {
    SCOPED_TRACE(json::serialize(invoice));
    char id[32];
    std::snprintf(id, sizeof id, "FD-2018-%06d", ++number);
    EXPECT_EQ(invoice.at("id").as_string(), id);
    EXPECT_TRUE(invoice.at("final").as_bool());
    EXPECT_EQ(invoice.at("currency").as_string(), "EUR");
    std::int64_t net = 0;
    std::size_t energy_lines = 0;
    for (const json::value& line : invoice.at("lines").as_array()) {
      const std::int64_t amount = scaled(text(line, "amount"), 2);
      net += amount;
      // Four decimals of the price and two of the quantity: six, of which the cents are kept.
      const std::int64_t exact = product(scaled(text(line, "quantity"), 2), scaled(text(line, "unit_price"), 4));
      EXPECT_EQ(amount, rounded(exact, 4)) << json::serialize(line);
      EXPECT_FALSE(line.at("correction").as_bool());
      if (text(line, "charge") == "base") {
        EXPECT_EQ(amount, 12'000);
        continue;
      }
      ++energy_lines;
      EXPECT_EQ(scaled(text(line, "unit_price"), 4), scaled(prices.at(text(line, "band")), 4));
    }
    EXPECT_EQ(energy_lines, 3U);
    EXPECT_EQ(invoice.at("lines").as_array().size(), 4U);
    const json::array& vat = invoice.at("vat").as_array();
    ASSERT_EQ(vat.size(), 1U);
    EXPECT_EQ(scaled(text(vat[0], "percent"), 2), 1'000);
    EXPECT_EQ(scaled(text(vat[0], "base"), 2), net);
    const std::int64_t tax = scaled(text(vat[0], "tax"), 2);
    EXPECT_EQ(tax, rounded(product(net, 10), 2));
    EXPECT_EQ(scaled(text(invoice, "net"), 2), net);
    EXPECT_EQ(scaled(text(invoice, "tax"), 2), tax);
    EXPECT_EQ(scaled(text(invoice, "gross"), 2), net + tax);
  }
}

TEST_F(Steel, RunningTheSamePeriodsAgainPostsNothing) {
  const Lines before = invoices_of(in_order());
  for (const char* until : {"2018-07-01", kUntil}) {
    const json::value again = in_order().json({"invoice", "run", "--until", until});
    EXPECT_TRUE(again.at("invoices").as_array().empty()) << json::serialize(again);
    EXPECT_TRUE(again.at("problems").as_array().empty()) << json::serialize(again);
  }
  EXPECT_EQ(difference(before, invoices_of(in_order())), "");
}

TEST_F(Steel, EveryNumberCanBeDerivedAgain) {
  const Ran verified = verify(in_order().data());
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  EXPECT_NE(verified.out.find(", 0 findings"), std::string::npos) << verified.out;
}

// What the simulator published, by event time.
struct Published {
  std::uint64_t place = 0;  // among all messages, those of the clock included: one journal record each
  std::string topic;
  std::uint64_t hash = 0;
  double energy = 0;
  std::string band;
};

std::map<std::int64_t, Published> published() {
  auto messages = sim::load_recording(sim::Dataset::kSteel, recordings(), {});
  if (!messages) throw std::runtime_error(messages.error().text);
  sim::ListedMessages listed(std::move(*messages));
  sim::ClockedSource source(listed);
  std::map<std::int64_t, Published> found;
  std::uint64_t place = 0;
  while (const auto message = source.next()) {
    ++place;
    if (message->kind == sim::MessageKind::kClock) continue;
    const json::value payload = json::parse(message->payload);
    found[message->at.time_since_epoch().count()] = {
        place, message->topic, XXH3_64bits(message->payload.data(), message->payload.size()),
        payload.at("energy").to_number<double>(), text(payload, "load_type")};
  }
  return found;
}

std::string hex(std::uint64_t hash) {
  char digits[24];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(hash));
  return digits;
}

TEST_F(Steel, AnEnergyLineNamesTheMessagesItRestsOn) {
  const auto sent = published();
  ASSERT_EQ(sent.size(), kRows);
  std::optional<std::uint64_t> before_first;  // journal records before the first published message
  std::size_t explained = 0;
  for (const json::object& invoice : invoices(in_order())) {
    for (const json::value& line : invoice.at("lines").as_array()) {
      if (text(line, "charge") != "energy") continue;
      ++explained;
      const json::value evidence = in_order().json({"explain", "invoice-line", text(line, "id")});
      SCOPED_TRACE(text(line, "id"));
      EXPECT_EQ(text(evidence, "usage_total"), text(line, "quantity"));
      std::int64_t sum = 0;
      for (const json::value& record : evidence.at("usage_records").as_array()) {
        sum += scaled(text(record, "quantity"), 2);
      }
      EXPECT_EQ(sum, scaled(text(line, "quantity"), 2));

      // The first and the last row of that band in that month, from the recording alone.
      const std::int64_t from = ms_of(text(line.at("period"), "start"));
      const std::int64_t to = ms_of(text(line.at("period"), "end"));
      std::optional<std::int64_t> first;
      std::optional<std::int64_t> last;
      for (auto row = sent.lower_bound(from); row != sent.lower_bound(to); ++row) {
        if (row->second.band != text(line, "band")) continue;
        if (!first) first = row->first;
        last = row->first;
      }
      ASSERT_TRUE(first && last);
      for (const auto& [key, time] : {std::pair{"first_reading", *first}, std::pair{"last_reading", *last}}) {
        const json::value& reading = evidence.at(key);
        const Published& message = sent.at(time);
        EXPECT_EQ(ms_of(text(reading, "time")), time) << key;
        EXPECT_EQ(text(reading, "signal"), "energy");
        EXPECT_EQ(reading.at("value").to_number<double>(), message.energy) << key;
        EXPECT_EQ(text(reading.at("message"), "topic"), message.topic);
        EXPECT_EQ(text(reading.at("message"), "xxh3"), hex(message.hash)) << key;
        // Nothing but the replay came in meanwhile, so sequences are as far apart as the messages were.
        const auto sequence = reading.at("message").at("sequence").to_number<std::uint64_t>();
        if (!before_first) before_first = sequence - message.place;
        EXPECT_EQ(sequence, *before_first + message.place) << key;
      }
    }
  }
  EXPECT_EQ(explained, 36U);
}

TEST_F(Steel, ShuffledItIsTheSameUsageAndTheSameInvoices) {
  const auto shuffled = replayed({"--shuffle", "--seed", "7"});
  EXPECT_GT(shuffled->gateway.counters().late, 0U) << "it was not shuffled";
  EXPECT_EQ(difference(state_of(in_order()), state_of(shuffled->gateway)), "");
  EXPECT_EQ(verify(shuffled->gateway.data()).code, 0);
}

TEST_F(Steel, SentTwiceItIsTheSameUsageAndTheSameInvoices) {
  const auto twice = replayed({"--duplicate"});
  until([&] { return twice->gateway.counters().messages >= 2 * kRows; });
  const Counters counters = twice->gateway.counters();
  EXPECT_EQ(counters.messages, 2 * kRows);
  EXPECT_EQ(counters.readings, kReadings);
  EXPECT_EQ(counters.duplicates, kReadings);
  EXPECT_EQ(difference(state_of(in_order()), state_of(twice->gateway)), "");
  EXPECT_EQ(verify(twice->gateway.data()).code, 0);
}

}  // namespace
}  // namespace fettle::e2e
