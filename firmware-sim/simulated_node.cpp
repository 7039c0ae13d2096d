#include "firmware-sim/simulated_node.h"

#include <algorithm>
#include <utility>

#include "firmware-sim/clocked_source.h"
#include "gateway/sparkplug/topic.h"

namespace fettle::sim {
namespace {

namespace edge = sparkplug::edge;

constexpr std::size_t kMostUnsent = 1'000;         // publications in Paho's hands
constexpr std::size_t kMostFlushedAtOnce = 5'000;  // readings
constexpr int kFlushesPerSecond = 10;
constexpr std::chrono::milliseconds kBetweenLooks{200};

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

Instant steady_now() {
  return std::chrono::steady_clock::now();
}

SimulatedNode::WallTime wall_now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

edge::Value value_of(const SignalValue& value) {
  return std::visit([](const auto& held) -> edge::Value { return held; }, value);
}

std::vector<edge::Reading> readings_of(const Batch& batch) {
  std::vector<edge::Reading> readings;
  readings.reserve(batch.readings.size());
  for (const auto& reading : batch.readings) {
    readings.push_back({reading.signal, value_of(reading.value), reading.at, sparkplug::Quality::good});
  }
  return readings;
}

}  // namespace

SimulatedNode::SimulatedNode(std::size_t number, edge::EdgeConfig config, Outbox outbox,
                             std::vector<BrokerAddress> servers, const EdgePlan& plan, EdgeInbox& inbox)
    : machine_([&] {
        config.first_session = outbox.next_session();
        return std::move(config);
      }()),
      outbox_(std::move(outbox)),
      servers_(std::move(servers)),
      plan_(plan),
      link_(number, inbox),
      next_flush_(steady_now()) {}

std::optional<Problem> SimulatedNode::start() {
  machine_.start(wall_now());
  return execute();
}

std::optional<Problem> SimulatedNode::take(const EdgeEvent& event) {
  if (event.connection != link_.connection()) return std::nullopt;
  std::visit(
      Overloaded{[&](const EdgeConnected&) {
                   connected_ = true;
                   failure_ = {};
                   machine_.connected(wall_now());
                 },
                 [&](const EdgeConnectFailed& failed) {
                   failure_ = failed.failure;
                   lose();
                 },
                 [&](const EdgeLost& lost) {
                   failure_ = {false, lost.why};
                   lose();
                 },
                 [&](const EdgeMessage& message) { machine_.message(message.topic, message.payload, wall_now()); }},
      event.what);
  return execute();
}

void SimulatedNode::lose() {
  connected_ = false;
  link_.drop();
  machine_.disconnected(wall_now());
}

// Executing may lose the connection, which makes the machine say more.
std::optional<Problem> SimulatedNode::execute() {
  for (auto actions = machine_.take_actions(); !actions.empty(); actions = machine_.take_actions()) {
    for (const auto& action : actions) {
      auto problem =
          std::visit(Overloaded{[&](const edge::Connect& connect) { return execute(connect); },
                                [&](const edge::Subscribe& subscribe) -> std::optional<Problem> {
                                  if (!link_.subscribe(subscribe.filters)) lose();
                                  return std::nullopt;
                                },
                                [&](const edge::Publish& publication) -> std::optional<Problem> {
                                  publish(publication);
                                  return std::nullopt;
                                },
                                [&](const edge::Disconnect&) -> std::optional<Problem> {
                                  connected_ = false;
                                  link_.leave();
                                  return std::nullopt;
                                },
                                // Nothing simulated here can be commanded: no metric is announced as writable.
                                [](const edge::Command&) -> std::optional<Problem> { return std::nullopt; },
                                [&](const edge::Doubt&) { return outbox_.doubt(wall_now()); }},
                     action);
      if (problem) return problem;
    }
  }
  return std::nullopt;
}

std::optional<Problem> SimulatedNode::execute(const edge::Connect& action) {
  if (auto problem = outbox_.keep_next_session(static_cast<std::uint8_t>(action.session + 1))) return problem;
  link_.open(servers_[action.server], action.will);
  return std::nullopt;
}

// Births show values, and the clock is said before them: whoever hears them lives in their time.
void SimulatedNode::publish(const edge::Publish& action) {
  if (clock_) {
    const auto topic = sparkplug::parse_topic(action.topic);
    if (topic && topic->type == sparkplug::MessageType::nbirth) say_clock();
  }
  hand_to_link(action);
}

void SimulatedNode::say_clock() {
  said_ = clock_;
  const Message message = clock_message(*clock_);
  hand_to_link({message.topic, message.payload, 0, false});
}

void SimulatedNode::hand_to_link(const edge::Publish& action) {
  if (link_.publish(action)) {
    ++publications_;
  } else if (connected_) {
    lose();
  }
}

std::optional<Problem> SimulatedNode::tick() {
  machine_.tick(wall_now());
  if (auto problem = execute()) return problem;
  if (auto problem = outbox_.retire(wall_now())) return problem;
  return flush();
}

std::optional<Problem> SimulatedNode::stop() {
  machine_.stop(wall_now());
  return execute();
}

void SimulatedNode::keep(std::uint32_t device, Batch batch, std::uint64_t position) {
  batch.asset = device;
  outbox_.add(batch, position, online() ? std::optional(wall_now()) : std::nullopt);
  kept_.push_back(std::move(batch));
}

std::optional<Problem> SimulatedNode::publish_kept() {
  if (kept_.empty()) return std::nullopt;
  if (auto problem = outbox_.commit()) return problem;
  for (const auto& batch : std::exchange(kept_, {})) publish_batch(batch);
  return execute();
}

// While the node is not online this only tells the machine what its next births are to show.
void SimulatedNode::publish_batch(const Batch& batch) {
  auto readings = readings_of(batch);
  for (std::size_t done = 0; done < readings.size(); done += plan_.per_message) {
    const std::size_t count = std::min(plan_.per_message, readings.size() - done);
    const auto first = readings.begin() + static_cast<std::ptrdiff_t>(done);
    std::vector<edge::Reading> part(first, first + static_cast<std::ptrdiff_t>(count));
    machine_.write(batch.asset, std::move(part), wall_now());
  }
}

std::optional<Problem> SimulatedNode::flush() {
  const Instant now = steady_now();
  if (!online() || outbox_.pending() == 0 || now < next_flush_ || !has_room()) return std::nullopt;
  const auto share = static_cast<std::size_t>(std::max(plan_.flush_rate / kFlushesPerSecond, 1.0));
  const auto taken = outbox_.take_pending(std::min(share, kMostFlushedAtOnce), wall_now());
  if (!taken) return taken.error();
  // One message for each device, its readings in the order they were measured.
  std::vector<std::pair<std::uint32_t, std::vector<edge::Reading>>> devices;
  std::size_t count = 0;
  for (const auto& batch : *taken) {
    auto at = std::ranges::find(devices, batch.asset, &decltype(devices)::value_type::first);
    if (at == devices.end()) at = devices.insert(devices.end(), {batch.asset, {}});
    auto readings = readings_of(batch);
    count += readings.size();
    std::ranges::move(readings, std::back_inserter(at->second));
  }
  for (const auto& [device, readings] : devices) {
    machine_.write_history(device, readings, wall_now());
  }
  next_flush_ = now + std::chrono::duration_cast<Instant::duration>(
                          std::chrono::duration<double>(static_cast<double>(count) / plan_.flush_rate));
  return execute();
}

std::optional<Problem> SimulatedNode::publish_clock() {
  if (!connected_ || !clock_) return std::nullopt;
  say_clock();
  return execute();
}

bool SimulatedNode::has_room() const {
  return link_.unsent() < kMostUnsent;
}

bool SimulatedNode::settled() const {
  return outbox_.empty() && online() && link_.unsent() == 0;
}

Instant SimulatedNode::next_due() const {
  const Instant now = steady_now();
  Instant due = now + kBetweenLooks;
  if (const auto machine_due = machine_.next_due())
    due = std::min(due, now + std::max<std::chrono::milliseconds>(*machine_due - wall_now(), {}));
  if (online() && outbox_.pending() > 0 && has_room()) due = std::min(due, next_flush_);
  return due;
}

}  // namespace fettle::sim
