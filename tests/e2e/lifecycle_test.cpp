// What a person does to a gateway: apply, start, stop, back up, restore, close orders, and make mistakes.

#include <boost/json.hpp>
#include <csignal>
#include <regex>

#include "tests/e2e/harness/fleet_stage.h"
#include "tests/e2e/harness/stage.h"

namespace fettle::e2e {
namespace {

namespace json = boost::json;

// 36 days: an invoice, episodes and orders.
const FleetRun kRun{34'560, "2026-06-01T00:00:00Z", "15m"};
const Words kPaced{"--speed", "400000"};  // in 8 s
constexpr const char* kUntil = "2026-07-01";
const char* const kSeller = "firmware-sim/catalog/seller.yaml";
const char* const kFleet = "firmware-sim/catalog/fleet.yaml";
const char* const kPack = "rules/packs/lift-proactive.yaml";

std::unique_ptr<Process> launch_paced(const Stage& stage) {
  Words command = kRun.command();
  command.insert(command.end(), kPaced.begin(), kPaced.end());
  return launch_simulation(stage.broker, command, stage.folder.path() / "sim.log");
}

// The state of a gateway to which nothing special happened.
const State& undisturbed() {
  static const State kState = [] {
    Stage stage;
    stage.gateway.start();
    apply_fleet_catalog(stage.gateway);
    simulate(stage.broker, kRun.command());
    stage.gateway.wait_for_readings(sent_by(kRun).readings.size());
    stage.gateway.json({"invoice", "run", "--until", kUntil});
    return state_of(stage.gateway);
  }();
  return kState;
}

void expect_undisturbed(Gateway& gateway) {
  gateway.wait_for_readings(sent_by(kRun).readings.size());
  gateway.json({"invoice", "run", "--until", kUntil});
  EXPECT_GE(undisturbed().orders.size(), 5U);
  EXPECT_EQ(undisturbed().invoices.size(), 1U);
  EXPECT_EQ(difference(undisturbed(), state_of(gateway)), "");
  const Ran verified = verify(gateway.data());
  EXPECT_EQ(verified.code, 0) << verified.out;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("there is no '" + from + "' to be replaced");
  return text.replace(at, from.size(), to);
}

// ---- catalog -------------------------------------------------------------------------------------------------------

TEST(Lifecycle, ACatalogWithMistakesIsRefusedAsAWholeAndEachMistakeHasItsPlace) {
  Stage stage;
  stage.gateway.start();
  const auto broken = stage.folder.path() / "broken.yaml";
  std::string text = text_of(source(kFleet));
  text = replaced(text, "name: vibration, kind: gauge", "name: vibration, kind: gouge");
  text = replaced(text, "zone: Europe/Berlin", "zone: Europe/Berlim");
  text = replaced(text, "plan: lift-care", "plan: lift-cure");
  write_text(broken, text);
  const auto place_of = [&](const std::string& word) {
    const std::size_t at = text.find(word);
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n') + 1;
    const std::size_t column = at - text.rfind('\n', at);
    return broken.string() + ':' + std::to_string(line) + ':' + std::to_string(column) + ": ";
  };

  const Ran refused =
      stage.gateway.command({"apply", source(kSeller).string(), broken.string(), source(kPack).string()});
  EXPECT_EQ(refused.code, 1);
  EXPECT_EQ(refused.out, "");
  for (const char* word : {"gouge", "Europe/Berlim", "lift-cure"}) {
    EXPECT_NE(refused.err.find(place_of(word)), std::string::npos) << place_of(word) << word << '\n' << refused.err;
  }
  EXPECT_NE(refused.err.find("nothing was applied"), std::string::npos) << refused.err;
  EXPECT_EQ(query(stage.gateway.store(), "SELECT count(*) FROM catalog_entry"), Lines{"0"});

  write_text(broken, "models: [\n");
  const Ran unreadable = stage.gateway.command({"apply", source(kSeller).string(), broken.string()});
  EXPECT_EQ(unreadable.code, 1);
  EXPECT_TRUE(std::regex_search(unreadable.err, std::regex("broken\\.yaml:[0-9]+:[0-9]+: "))) << unreadable.err;
  const Ran missing = stage.gateway.command({"apply", source(kSeller).string(), (broken.string() + ".not")});
  EXPECT_EQ(missing.code, 1);
  EXPECT_NE(missing.err.find("broken.yaml.not: cannot be read"), std::string::npos) << missing.err;
  EXPECT_EQ(query(stage.gateway.store(), "SELECT count(*) FROM catalog_entry"), Lines{"0"});
}

TEST(Lifecycle, ApplyingTheSameFilesAgainChangesNothing) {
  Stage stage;
  stage.gateway.start();
  const Words words{"apply", source(kSeller).string(), source(kFleet).string(), source(kPack).string()};
  const std::string first = stage.gateway.done(words);
  EXPECT_NE(first.find("+ asset lift-001\n"), std::string::npos) << first;
  EXPECT_NE(first.find(" 0 changed, 0 unchanged\n"), std::string::npos) << first;
  const Lines entries = query(stage.gateway.store(), "SELECT kind, id, sequence FROM catalog_entry ORDER BY 1, 2, 3");
  EXPECT_GE(entries.size(), 16U);
  const std::string again = stage.gateway.done(words);
  EXPECT_EQ(again, "0 added, 0 changed, " + std::to_string(entries.size()) + " unchanged\n");
  EXPECT_EQ(query(stage.gateway.store(), "SELECT kind, id, sequence FROM catalog_entry ORDER BY 1, 2, 3"), entries);
}

// ---- running -------------------------------------------------------------------------------------------------------

TEST(Lifecycle, ASecondGatewayOnTheSameFolderIsRefused) {
  Stage stage;
  stage.gateway.start();
  const Ran second = stage.gateway.command({"serve"});
  EXPECT_EQ(second.code, 1);
  EXPECT_NE(second.err.find("another gateway works on " + stage.gateway.data().string()), std::string::npos)
      << second.err;
  EXPECT_TRUE(stage.gateway.running());
  apply_fleet_catalog(stage.gateway);  // the first one still listens
}

TEST(Lifecycle, CommandsDoTheSameWithAndWithoutARunningGateway) {
  Stage running;
  Stage stopped;
  running.gateway.start();
  for (const Words& files : {Words{kSeller, kFleet, kPack}, Words{"tests/e2e/catalog/motor-watch.yaml"}}) {
    Words words{"apply"};
    for (const std::string& file : files) words.push_back(source(file).string());
    EXPECT_EQ(running.gateway.done(words), stopped.gateway.done(words));
  }
  stopped.gateway.start();
  const std::size_t readings = sent_by(kRun).readings.size();
  for (Stage* stage : {&running, &stopped}) {
    simulate(stage->broker, kRun.command());
    stage->gateway.wait_for_readings(readings);
  }
  EXPECT_EQ(stopped.gateway.stop(), 0);

  const std::string order(
      running.gateway.json({"work-order", "list", "--state", "open"}).as_array().front().at("id").as_string());
  const std::vector<Words> commands{
      {"invoice", "run", "--until", "2026-06-15", "--json"},
      {"invoice", "run", "--until", kUntil, "--json"},
      {"invoice", "run", "--until", kUntil},
      {"work-order", "close", order, "--actor", "anna", "--reason", "greased"},
      {"work-order", "close", order, "--actor", "anna"},
      {"work-order", "close", "WO-NONE", "--actor", "anna"},
      {"work-order", "show", "WO-NONE"},
      {"usage", "--json"},
      {"usage", "--from", "2026-06-02", "--until", "2026-06-03"},
      {"invoice", "run", "--until", "yesterday"},
  };
  for (const Words& command : commands) {
    const Ran with = running.gateway.command(command);
    const Ran without = stopped.gateway.command(command);
    SCOPED_TRACE(command[0] + ' ' + command[1]);
    EXPECT_EQ(with.code, without.code);
    EXPECT_EQ(with.out, without.out);
    EXPECT_EQ(with.err, without.err);
  }
  EXPECT_EQ(running.gateway.command(commands[1]).code, 0);
  EXPECT_EQ(running.gateway.command(commands[4]).code, 1) << "an order is closed once";
  EXPECT_EQ(difference(state_of(running.gateway), state_of(stopped.gateway)), "");
  for (Stage* stage : {&running, &stopped}) {
    stage->gateway.drain();
    const auto copy = stage->folder.path() / "copy.db";
    stage->gateway.done({"backup", copy.string()});
    EXPECT_EQ(verify(copy).code, 0);
    const Ran twice = stage->gateway.command({"backup", copy.string()});
    EXPECT_EQ(twice.code, 1) << "a backup was written over";
  }

  // And the one that was stopped goes on where it was.
  stopped.gateway.start();
  EXPECT_EQ(difference(state_of(running.gateway), state_of(stopped.gateway)), "");
}

TEST(Lifecycle, EndedWithSigtermInTheMiddleItGoesOnWithoutLoss) {
  Stage stage;
  stage.gateway.start();
  apply_fleet_catalog(stage.gateway);
  const auto simulation = launch_paced(stage);
  for (const std::uint64_t readings : {20'000U, 60'000U, 100'000U}) {
    ASSERT_TRUE(until([&] { return stage.gateway.counters().readings >= readings; })) << stage.gateway.log();
    EXPECT_EQ(stage.gateway.stop(), 0);
    EXPECT_NE(stage.gateway.log().find("info stopped\n"), std::string::npos) << stage.gateway.log();
    EXPECT_FALSE(std::filesystem::exists(stage.gateway.data() / "control.sock"));
    // Ended by a signal it has committed all it had taken in.
    const json::value status = stage.gateway.json({"status"});
    EXPECT_EQ(status.at("committed"), status.at("checkpoint"));
    stage.gateway.start();
  }
  EXPECT_EQ(simulation->wait(), 0) << text_of(stage.folder.path() / "sim.log");
  expect_undisturbed(stage.gateway);
  EXPECT_EQ(stage.gateway.stop(), 0);
}

TEST(Lifecycle, ABacklogOfAHundredThousandMessagesWaitsForTheGatewayAlsoInARestartedBroker) {
  const FleetRun run{100'000};
  const Sent sent = sent_by(run);
  Stage stage;
  stage.gateway.start();
  apply_fleet_catalog(stage.gateway);
  EXPECT_EQ(stage.gateway.stop(), 0);
  simulate(stage.broker, run.command());
  stage.broker.stop();
  stage.broker.start();
  stage.gateway.start();
  stage.gateway.wait_for_readings(sent.readings.size());
  const Counters counters = stage.gateway.counters();
  EXPECT_EQ(counters.messages, sent.messages);
  EXPECT_EQ(counters.readings, sent.readings.size());
  EXPECT_EQ(counters.late, 0U) << "the broker changed the order";
}

// ---- backup --------------------------------------------------------------------------------------------------------

TEST(Lifecycle, ABackupOfARunningGatewayIsRestoredAndGoesOn) {
  test::TemporaryFolder folder;
  const auto copy = folder.path() / "copy.db";
  bool with_tail = false;
  {
    Stage stage;
    stage.gateway.start();
    apply_fleet_catalog(stage.gateway);
    const auto simulation = launch_paced(stage);
    const std::size_t readings = sent_by(kRun).readings.size();
    ASSERT_TRUE(until([&] { return stage.gateway.counters().readings >= readings / 5; })) << stage.gateway.log();
    // The first that caught the gateway between a checkpoint and a commit, and so carries a piece of the journal; the
    // last one tried where none does.
    do {
      std::filesystem::remove(copy);
      stage.gateway.done({"backup", copy.string()});
      with_tail = query(copy, "SELECT count(*) FROM journal_tail") != Lines{"0"};
    } while (!with_tail && stage.gateway.counters().readings < readings / 2);
    std::cout << "the backup " << (with_tail ? "carries a" : "needed no") << " piece of the journal\n";
    EXPECT_LT(stage.gateway.counters().readings, readings) << "the backup was made too late";
    EXPECT_EQ(simulation->wait(), 0) << text_of(stage.folder.path() / "sim.log");
    expect_undisturbed(stage.gateway);  // a backup disturbs nothing
  }
  const Ran verified = verify(copy);
  EXPECT_EQ(verified.code, 0) << verified.out << verified.err;

  Stage restored;
  std::filesystem::create_directories(restored.gateway.data());
  std::filesystem::copy_file(copy, restored.gateway.store());
  restored.gateway.start();
  const Counters before = restored.gateway.counters();
  EXPECT_GT(before.readings, 0U);
  EXPECT_LT(before.readings, sent_by(kRun).readings.size());
  // The devices send all of it again: what is there already changes nothing.
  simulate(restored.broker, kRun.command());
  expect_undisturbed(restored.gateway);
  EXPECT_GE(restored.gateway.counters().duplicates, before.readings);
}

// ---- work orders ---------------------------------------------------------------------------------------------------

class Motor {
 public:
  explicit Motor(Stage& stage) : stage_(stage) {}

  // Two hours at that temperature, a reading every five minutes, after what was sent before.
  void run_at(int celsius) {
    std::string payload;
    for (int i = 0; i < 24; ++i) {
      payload += (i == 0 ? "[" : ",") + std::string("{\"ts\":") + std::to_string(time_) +
                 ",\"motor_temperature\":" + std::to_string(celsius) + '}';
      time_ += 300'000;
    }
    stage_.broker.publish("fettle/v1/clock", "{\"now\":" + std::to_string(time_) + '}');
    stage_.broker.publish("fettle/v1/lift-003/telemetry", payload + ']');
    stage_.gateway.wait_for_readings(readings_ += 24);
  }

 private:
  Stage& stage_;
  std::int64_t time_ = 1'781'000'000'000;  // in June 2026
  std::uint64_t readings_ = 0;
};

json::array orders_in(const Stage& stage, const char* state) {
  return stage.gateway.json({"work-order", "list", "--state", state}).as_array();
}

TEST(Lifecycle, ARepeatJoinsTheLiveOrderAndAfterItIsClosedTheNextEpisodeMakesANewOne) {
  Stage stage;
  stage.gateway.start();
  apply_fleet_catalog(stage.gateway);
  Motor motor(stage);
  motor.run_at(20);
  EXPECT_TRUE(orders_in(stage, "open").empty());
  motor.run_at(50);
  ASSERT_EQ(orders_in(stage, "open").size(), 1U);
  const std::string first(orders_in(stage, "open")[0].at("id").as_string());
  motor.run_at(20);
  motor.run_at(50);
  ASSERT_EQ(orders_in(stage, "open").size(), 1U);
  EXPECT_EQ(orders_in(stage, "open")[0].at("id").as_string(), first);
  EXPECT_EQ(orders_in(stage, "open")[0].at("occurrences").to_number<int>(), 2);

  motor.run_at(20);
  stage.gateway.done({"work-order", "close", first, "--actor", "anna", "--reason", "fan cleaned"});
  EXPECT_TRUE(orders_in(stage, "open").empty());
  motor.run_at(50);
  ASSERT_EQ(orders_in(stage, "open").size(), 1U);
  const std::string second(orders_in(stage, "open")[0].at("id").as_string());
  EXPECT_NE(second, first);
  ASSERT_EQ(orders_in(stage, "closed").size(), 1U);

  const json::value closed = stage.gateway.json({"work-order", "show", first});
  EXPECT_EQ(closed.at("state").as_string(), "closed");
  EXPECT_EQ(closed.at("occurrences").to_number<int>(), 2);
  EXPECT_EQ(closed.at("episodes").as_array().size(), 2U);
  const json::value last = closed.at("events").as_array().back();
  EXPECT_EQ(last.at("from").as_string(), "open");
  EXPECT_EQ(last.at("to").as_string(), "closed");
  EXPECT_EQ(last.at("actor").as_string(), "anna");
  EXPECT_EQ(last.at("reason").as_string(), "fan cleaned");
  EXPECT_EQ(stage.gateway.json({"work-order", "show", second}).at("episodes").as_array().size(), 1U);
  EXPECT_EQ(stage.gateway.json({"episodes"}).as_array().size(), 3U);
}

// ---- mistakes ------------------------------------------------------------------------------------------------------

TEST(Lifecycle, MisuseIsTwoAndWhatIsFoundWantingIsOne) {
  Stage stage;
  const std::string fettle = FETTLE_BIN_DIR "/fettle";
  const std::string config = stage.gateway.config().string();
  const std::vector<Words> misuses{
      {fettle},
      {fettle, "nonsense"},
      {fettle, "serve"},
      {fettle, "serve", "--config"},
      {fettle, "serve", "--config", config, "--nonsense"},
      {fettle, "work-order", "--config", config},
      {fettle, "work-order", "list", "--state", "lost", "--config", config},
      {fettle, "work-order", "close", "WO-1", "--config", config},
      {fettle, "invoice", "run", "--config", config},
      {fettle, "episodes", "--limit", "0", "--config", config},
      {fettle, "apply", "--config", config},
      {fettle, "watch", "--for", "soon", "--config", config},
  };
  for (const Words& misuse : misuses) {
    const Ran ran = run_command(misuse);
    std::string line;
    for (const std::string& word : misuse) line += word + ' ';
    EXPECT_EQ(ran.code, 2) << line << ran.err;
    EXPECT_NE(ran.err + ran.out, "") << line;
  }

  const auto expect_wanting = [](const Words& words, const std::string& message) {
    const Ran ran = run_command(words);
    EXPECT_EQ(ran.code, 1) << words[1] << ran.err;
    EXPECT_NE(ran.err.find(message), std::string::npos) << ran.err;
    EXPECT_EQ(ran.out, "");
  };
  expect_wanting({fettle, "check", "--config", config + ".not"}, "cannot read the configuration " + config + ".not");
  expect_wanting({fettle, "serve", "--config", config + ".not"}, "cannot read the configuration");
  const std::string wrong = (stage.folder.path() / "wrong.yaml").string();
  write_text(wrong, "data: /tmp/x\nclok: recording\nmqtt: {broker: \"tcp://localhost\", max_payload: many}\n");
  expect_wanting({fettle, "check", "--config", wrong}, wrong + ":2:1: ");
  expect_wanting({fettle, "serve", "--config", wrong}, wrong + ":3:");
  expect_wanting({fettle, "status", "--config", config}, stage.gateway.store().string());  // nothing there yet
  EXPECT_EQ(run_command({fettle, "check", "--config", config}).code, 0);
  EXPECT_EQ(run_command({fettle, "--help"}).code, 0);
  EXPECT_EQ(run_command({fettle, "serve", "--help"}).code, 0);
}

}  // namespace
}  // namespace fettle::e2e
