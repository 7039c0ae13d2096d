#include "tests/e2e/harness/gateway.h"

#include <csignal>
#include <stdexcept>

namespace fettle::e2e {
namespace {

constexpr const char* kFettle = FETTLE_BIN_DIR "/fettle";

Words simulation(const Door& broker, Words words) {
  words.insert(words.begin(), FETTLE_BIN_DIR "/fettle-sim");
  words.insert(words.end(), {"--broker", broker.uri, "--json", "--quiet"});
  words.insert(words.end(), broker.simulator.begin(), broker.simulator.end());
  return words;
}

std::string with_broker(std::string text, const Door& broker) {
  constexpr std::string_view kMark = "@BROKER@";
  for (std::size_t at = 0; (at = text.find(kMark, at)) != std::string::npos;) {
    text.replace(at, kMark.size(), broker.uri);
  }
  return text;
}

}  // namespace

Gateway::Gateway(const std::filesystem::path& folder, const Door& broker, ClockKind clock, const std::string& mqtt_keys,
                 const std::string& sections)
    : folder_(folder), broker_(broker.uri) {
  std::filesystem::create_directories(folder_);
  write_text(config(), "data: " + data().string() +
                           "\nclock: " + (clock == ClockKind::recording ? "recording" : "system") +
                           "\nmqtt:\n  broker: " + broker.uri + '\n' + broker.mqtt_keys +
                           (mqtt_keys.empty() ? "" : "  " + mqtt_keys + '\n') + with_broker(sections, broker));
}

Gateway::~Gateway() = default;

void Gateway::launch() {
  log_begin_ = log().size();
  process_ = std::make_unique<Process>(Words{kFettle, "serve", "--config", config().string()}, folder_ / "serve.log");
}

void Gateway::start() {
  launch();
  const bool up = until([this] { return !process_->running() || connected(); });
  if (!up || !process_->running()) throw std::runtime_error("the gateway did not start: " + log());
}

bool Gateway::connected() const {
  return log().find("connected to " + broker_ + ' ', log_begin_) != std::string::npos;
}

int Gateway::stop() {
  process_->signal(SIGTERM);
  const auto code = process_->wait();
  if (!code) throw std::runtime_error("the gateway does not end on SIGTERM: " + log());
  process_.reset();
  return *code;
}

void Gateway::kill() {
  process_->signal(SIGKILL);
  process_->wait();
  process_.reset();
}

Ran Gateway::command(Words words) const {
  words.insert(words.begin(), kFettle);
  words.insert(words.end(), {"--config", config().string()});
  return run_command(words);
}

std::string Gateway::done(const Words& words) const {
  const Ran ran = command(words);
  if (ran.code != 0) throw std::runtime_error("fettle " + words.front() + " failed: " + ran.err + ran.out);
  return ran.out;
}

boost::json::value Gateway::json(Words words) const {
  words.push_back("--json");
  return boost::json::parse(done(words));
}

void Gateway::apply(const std::vector<std::filesystem::path>& files) const {
  Words words{"apply"};
  for (const auto& file : files) words.push_back(file.string());
  done(words);
}

Counters Gateway::counters() const {
  const boost::json::value status = json({"status"});
  const auto number = [&](const char* key) { return status.at(key).to_number<std::uint64_t>(); };
  return {number("messages"), number("readings"),    number("duplicates"), number("conflicts"),
          number("late"),     number("quarantined"), number("committed")};
}

void Gateway::drain() const {
  if (process_ && !until([this] { return connected(); })) throw std::runtime_error("no session: " + log());
  done({"drain"});
}

void Gateway::wait_for_readings(std::uint64_t readings, std::chrono::seconds at_most) {
  std::uint64_t seen = 0;
  until([&] { return (seen = counters().readings) >= readings || !running(); }, at_most);
  if (seen < readings) {
    throw std::runtime_error("only " + std::to_string(seen) + " of " + std::to_string(readings) +
                             " readings were admitted" + (running() ? " in time: " : "; the gateway ended: ") + log());
  }
  drain();
}

Ran verify(const std::filesystem::path& what) {
  return run_command({kFettle, "verify", what.string()});
}

boost::json::object simulate(const Door& broker, Words words, std::chrono::seconds at_most) {
  const Ran ran = run_command(simulation(broker, std::move(words)), at_most);
  if (ran.code != 0) throw std::runtime_error("fettle-sim failed: " + ran.err + ran.out);
  return boost::json::parse(ran.out).as_object();
}

std::unique_ptr<Process> launch_simulation(const Door& broker, Words words, const std::filesystem::path& log) {
  return std::make_unique<Process>(simulation(broker, std::move(words)), log);
}

std::filesystem::path source(const std::string& path) {
  return std::filesystem::path(FETTLE_SOURCE_DIR) / path;
}

}  // namespace fettle::e2e
