// Each data set's parser on a few rows: the exact messages, and every complaint with file and line.

#include "firmware-sim/recordings.h"

#include <gtest/gtest.h>

#include <string>

namespace fettle::sim {
namespace {

using std::chrono::milliseconds;

const std::string kSteelHeader =
    "\xEF\xBB\xBF"
    "date,Usage_kWh,Lagging_Current_Reactive_Power_kVarh,Leading_Current_Reactive_Power_kVarh,CO2(tCO2),"
    "Lagging_Current_Power_Factor,Leading_Current_Power_Factor,NSM,WeekStatus,Day_of_week,Load_Type\r\n";
const std::string kBatteryHeader =
    "cycle_num,ambient_temperature,cycle_time_start,Capacity,Voltage_measured,Current_measured,Temperature_measured,"
    "Current_load,Voltage_load,Time\n";

std::string battery_row(int cycle, const std::string& start, const std::string& capacity, const std::string& time) {
  return std::to_string(cycle) + ",24," + start + "," + capacity + ",4.1,-2.0,24.5,0.0,0.0," + time + "\n";
}

TEST(Steel, ARowIsOneMessageWithTheNumbersAsTheyStand) {
  const auto messages = parse_steel(
      {"s.csv", kSteelHeader + "01/01/2018 00:15,3.170,2.95,0,0.0,73.21,100,900,Weekday,Monday,Light_Load\r\n"}, {});
  ASSERT_TRUE(messages) << messages.error().text;
  ASSERT_EQ(messages->size(), 1u);
  const Message& message = messages->front();
  EXPECT_EQ(message.topic, "fettle/v1/steel-meter-1/telemetry");
  EXPECT_EQ(message.payload, R"({"ts":1514733300000,"energy":3.170,"load_type":"Light_Load","reactive_lagging":2.95,)"
                             R"("reactive_leading":0,"power_factor_lagging":73.21,"power_factor_leading":100})");
  EXPECT_EQ(message.at, EventTime(milliseconds(1'514'733'300'000)));
  EXPECT_EQ(message.kind, MessageKind::kTelemetry);
}

TEST(Steel, TheLastIntervalOfADayKeepsItsStampAndItsPlace) {
  const std::string rest = ",3,2,0,0,73,100,0,Weekday,Monday,Light_Load\n";
  const auto messages = parse_steel(
      {"s.csv", kSteelHeader + "01/01/2018 23:45" + rest + "01/01/2018 00:00" + rest + "02/01/2018 00:15" + rest}, {});
  ASSERT_TRUE(messages);
  EXPECT_EQ((*messages)[1].at - (*messages)[0].at, -milliseconds(85'500'000));
  EXPECT_EQ((*messages)[2].at - (*messages)[1].at, milliseconds(87'300'000));
}

TEST(Nab, TheOrderOfTheFileIsKept) {
  const auto messages = parse_nab(
      {"n.csv", "timestamp,value\n2014-01-01 10:00:00,73.96732207\n2014-01-01 09:05:00,-4e+1\n"}, {"plant2-", 9});
  ASSERT_TRUE(messages);
  ASSERT_EQ(messages->size(), 2u);
  EXPECT_EQ((*messages)[0].payload, R"({"ts":1388570400000,"temperature":73.96732207})");
  EXPECT_EQ((*messages)[1].payload, R"({"ts":1388567100000,"temperature":-4e+1})");
  EXPECT_EQ((*messages)[1].topic, "fettle/v1/plant2-machine-1/telemetry");
}

TEST(Nab, NoMoreRowsThanTheLimitAreRead) {
  const auto messages =
      parse_nab({"n.csv", "timestamp,value\n2014-01-01 10:00:00,1\n2014-01-01 10:05:00,2\nrubbish\n"}, {"", 2});
  ASSERT_TRUE(messages) << messages.error().text;
  EXPECT_EQ(messages->size(), 2u);
}

TEST(Battery, SamplesGoOutAsArraysAndACycleEndsWithItsCapacity) {
  const std::string start = "1970-01-01 00:01:40";
  const auto messages = parse_battery(
      {"b.csv", kBatteryHeader + battery_row(7, start, "1.85648", "0.0") + battery_row(7, start, "1.85648", "16.7814")},
      "B0005", {});
  ASSERT_TRUE(messages) << messages.error().text;
  ASSERT_EQ(messages->size(), 2u);
  EXPECT_EQ((*messages)[0].topic, "fettle/v1/battery-B0005/telemetry");
  EXPECT_EQ((*messages)[0].payload, R"([{"ts":100000,"voltage":4.1,"current":-2.0,"temperature":24.5},)"
                                    R"({"ts":116781,"voltage":4.1,"current":-2.0,"temperature":24.5}])");
  EXPECT_EQ((*messages)[0].at, EventTime(milliseconds(116'781)));
  EXPECT_EQ((*messages)[1].topic, "fettle/v1/battery-B0005/event");
  EXPECT_EQ((*messages)[1].payload, R"({"ts":116781,"capacity":1.85648,"cycle":7})");
  EXPECT_EQ((*messages)[1].kind, MessageKind::kEvent);
}

TEST(Battery, AMessageHoldsAtMostFiftySamplesOfOneCycle) {
  std::string text = kBatteryHeader;
  for (int i = 0; i < 120; ++i) text += battery_row(1, "2008-04-02 15:25:41", "1.8", std::to_string(i * 10));
  for (int i = 0; i < 50; ++i) text += battery_row(2, "2008-04-03 15:25:41", "1.7", std::to_string(i * 10));
  const auto messages = parse_battery({"b.csv", text}, "B0005", {});
  ASSERT_TRUE(messages);
  std::vector<std::size_t> samples;  // 0 stands for a capacity event
  for (const auto& message : *messages) {
    std::size_t count = 0;
    for (std::size_t at = 0; (at = message.payload.find("voltage", at)) != std::string::npos; ++at) ++count;
    samples.push_back(count);
  }
  EXPECT_EQ(samples, (std::vector<std::size_t>{50, 50, 20, 0, 50, 0}));
}

TEST(Battery, ACycleCutOffByTheLimitHasNoCapacity) {
  const std::string text = kBatteryHeader + battery_row(1, "2008-04-02 15:25:41", "1.8", "0") +
                           battery_row(1, "2008-04-02 15:25:41", "1.8", "10") +
                           battery_row(2, "2008-04-03 15:25:41", "1.7", "0");
  const auto cut = parse_battery({"b.csv", text}, "B0005", {"", 1});
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->size(), 1u);
  const auto complete = parse_battery({"b.csv", text}, "B0005", {"", 2});
  ASSERT_TRUE(complete);
  ASSERT_EQ(complete->size(), 2u);
  EXPECT_EQ(complete->back().kind, MessageKind::kEvent);
}

TEST(MergeByTime, RecordingsInterleaveAndEachKeepsItsOwnOrder) {
  const auto message = [](const char* name, int millis) {
    return Message{MessageKind::kTelemetry, name, "", EventTime(milliseconds(millis))};
  };
  const auto merged = merge_by_time({{message("a1", 10), message("a2", 40), message("a3", 20), message("a4", 50)},
                                     {message("b1", 10), message("b2", 30), message("b3", 60)}});
  std::string order;
  for (const auto& m : merged) order += m.topic + " ";
  EXPECT_EQ(order, "a1 b1 b2 a2 a3 a4 b3 ");
}

struct Complaint {
  const char* what;
  std::string text;
  std::string expected;
};

TEST(Complaints, NameFileAndLineAndWhatWasExpected) {
  const std::string good = "2014-01-01 10:00:00,1\n";
  const std::string header = "timestamp,value\n";
  const Complaint complaints[] = {
      {"empty", "", "n.csv:1: the file is empty; expected a header line"},
      {"other data set", "date,Usage_kWh\n",
       "n.csv:1: column 1 of the header is 'date', expected 'timestamp'; is this "
       "another data set?"},
      {"column missing", "timestamp\n", "n.csv:1: column 2 of the header is missing: expected 'value'"},
      {"column too many", "timestamp,value,x\n", "n.csv:1: column 3 of the header is one too many: 'x'"},
      {"fields", header + good + "2014-01-01 10:05:00\n", "n.csv:3: 1 fields, expected 2 as in the header"},
      {"stamp", header + good + good + "01.01.2014,1\n",
       "n.csv:4: timestamp is '01.01.2014', expected YYYY-MM-DD HH:MM:SS"},
      {"number", header + "\n2014-01-01 10:00:00,#VALUE!\n",
       "n.csv:3: column 2 (temperature) is '#VALUE!', expected a decimal number"},
  };
  for (const auto& complaint : complaints) {
    const auto messages = parse_nab({"n.csv", complaint.text}, {});
    ASSERT_FALSE(messages) << complaint.what;
    EXPECT_EQ(messages.error().text, complaint.expected) << complaint.what;
  }
}

TEST(Complaints, OfSteelAndBatteryNameTheirColumns) {
  const auto load =
      parse_steel({"s.csv", kSteelHeader + "01/01/2018 00:15,3,2,0,0,73,100,900,Weekday,Monday,Light\"Load\n"}, {});
  ASSERT_FALSE(load);
  EXPECT_EQ(load.error().text, "s.csv:2: Load_Type is 'Light\"Load', expected a word such as Light_Load");
  const std::string start = "2008-04-02 15:25:41";
  const Complaint complaints[] = {
      {"time", kBatteryHeader + battery_row(1, start, "1.8", "-1"),
       "b.csv:2: Time is '-1', expected seconds since the start of the cycle"},
      {"start", kBatteryHeader + battery_row(1, "noon", "1.8", "1"),
       "b.csv:2: cycle_time_start is 'noon', expected YYYY-MM-DD HH:MM:SS"},
      {"capacity", kBatteryHeader + battery_row(1, start, "[]", "1"),
       "b.csv:2: Capacity is '[]', expected a decimal number"},
      {"capacity changes", kBatteryHeader + battery_row(1, start, "1.8", "1") + battery_row(1, start, "1.9", "2"),
       "b.csv:3: Capacity '1.9' differs within cycle 1"},
  };
  for (const auto& complaint : complaints) {
    const auto messages = parse_battery({"b.csv", complaint.text}, "B0005", {});
    ASSERT_FALSE(messages) << complaint.what;
    EXPECT_EQ(messages.error().text, complaint.expected) << complaint.what;
  }
}

}  // namespace
}  // namespace fettle::sim
