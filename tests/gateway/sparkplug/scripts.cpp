#include "tests/gateway/sparkplug/scripts.h"

#include <random>
#include <utility>

#include "gateway/sparkplug/encode.h"
#include "tests/gateway/sparkplug/compress.h"
#include "tests/gateway/sparkplug/messages.h"
#include "tests/gateway/sparkplug/samples.h"

namespace fettle::sparkplug::testing {
namespace {

using Next = std::function<std::uint8_t()>;

HostOptions options_from(const Next& next) {
  HostOptions options;
  const std::uint8_t choice = next();
  if ((choice & 1U) != 0) options.reorder_timeout = std::chrono::milliseconds(0);
  if ((choice & 2U) != 0) options.max_waiting_messages = 3;
  if ((choice & 4U) != 0) options.max_metrics = 12;
  if ((choice & 8U) != 0) options.max_devices = 2;
  if ((choice & 16U) != 0) options.max_waiting_bytes_all = 300;
  return options;
}

// Edge nodes that mean well, most of the time: each knows its own next sequence number.
class Fleet {
 public:
  explicit Fleet(const Next& next) : next_(next) {}

  void message(Step& step) {
    const std::uint8_t choice = next_();
    const std::size_t index = choice & 1U;
    const std::string node = index == 0 ? "n1" : "n2";
    const std::string device = (choice & 2U) != 0 ? "d1" : "d2";
    step.broker = (choice & 0xC0U) == 0xC0U ? "b2" : "b1";
    Node& state = nodes_[index];
    switch (choice >> 2U & 7U) {
      case 0:
        return node_birth(step, node, state);
      case 1:
      case 2:
        step.topic = Host::topic("DBIRTH", node, device);
        step.payload = Host::device_birth(seq(state), step.now).bytes();
        return;
      case 3:
        step.topic = Host::topic("NDEATH", node);
        step.payload = Host::death(state.bd_seq + (next_() % 4 == 0 ? 1 : 0)).bytes();
        return;
      case 4:
        step.topic = Host::topic("DDEATH", node, device);
        step.payload = P(seq(state), step.now - 5).bytes();
        return;
      case 5:
        return composed(step, node, state);
      default:
        return data(step, node, (choice & 4U) != 0 ? "" : device, state);
    }
  }

 private:
  struct Node {
    std::uint8_t seq = 0;
    std::uint64_t bd_seq = 0;
  };

  // The next number, or one that is not.
  std::uint64_t seq(Node& node) {
    const std::uint8_t flaw = next_();
    if (flaw < 12) ++node.seq;                       // one is lost
    if (flaw == 250) return 300;                     // no such number
    if (flaw > 225) return (node.seq + flaw) % 256;  // out of order
    return node.seq++;
  }

  void node_birth(Step& step, const std::string& name, Node& node) {
    const std::uint8_t choice = next_();
    if (choice < 100) ++node.bd_seq;
    node.seq = choice % 8 == 0 ? choice : 0;
    P birth = Host::birth(node.seq++, step.now - choice % 16, node.bd_seq);
    if (choice % 4 == 1) birth.payload.mutable_metrics(3)->set_name("Count" + std::to_string(choice % 32));
    if (choice % 4 == 2) birth.payload.mutable_metrics(3)->set_alias(1 + choice % 3);
    step.topic = Host::topic("NBIRTH", name);
    step.payload = birth.bytes();
  }

  void data(Step& step, const std::string& name, const std::string& device, Node& node) {
    const std::uint8_t choice = next_();
    P payload(seq(node), step.now - choice % 8);
    M value = device.empty() ? M::aliased(1 + choice % 3) : M::aliased(11 + choice / 250);
    value.number(choice);
    if (choice % 8 == 1) value.historical().at(step.now - 1'000);
    if (choice % 8 == 2) value.at(step.now - 3).quality(choice % 16 == 2 ? 500 : 192);
    *payload.payload.add_metrics() = value.metric;
    step.topic = Host::topic(device.empty() ? "NDATA" : "DDATA", name, device);
    step.payload = choice % 32 == 7 ? wrapped(deflated(payload.bytes())).bytes() : payload.bytes();
  }

  // One of the samples with every kind of value, as birth of a device or as its data.
  void composed(Step& step, const std::string& name, Node& node) {
    static const std::vector<SamplePayload> kSamples = sample_payloads();
    const std::uint8_t choice = next_();
    wire::Payload payload;
    payload.ParseFromString(kSamples[choice % kSamples.size()].bytes);
    payload.set_seq(seq(node));
    payload.set_timestamp(static_cast<std::uint64_t>(step.now));
    step.topic = Host::topic(choice < 128 ? "DBIRTH" : "DDATA", name, "d1");
    step.payload = payload.SerializeAsString();
    if (choice % 16 == 5) compress(step, choice);
    if (choice % 16 == 3 && !step.payload.empty()) {  // damaged on its way
      char& byte = step.payload[next_() % step.payload.size()];
      byte = static_cast<char>(byte ^ 0x41);
    }
  }

  // Compressed: well, under a wrong name, twice, or damaged. Takes no byte, so that scripts stay what they were.
  static void compress(Step& step, std::uint8_t choice) {
    const unsigned way = choice / 16U;
    std::string body = deflated(step.payload, way % 2 == 0 ? Packing::gzip : Packing::zlib);
    if (way == 11) body = deflated(wrapped(body).bytes());
    if (way == 13) body[body.size() / 2] = static_cast<char>(body[body.size() / 2] ^ 0x41);
    if (way == 15) body.resize(body.size() / 2);
    step.payload = wrapped(body, way == 9 ? "LZ4" : "").bytes();
  }

  const Next& next_;
  Node nodes_[2];
};

}  // namespace

Script make_script(const Next& next, const std::function<bool()>& done) {
  Script script;
  script.options = options_from(next);
  Fleet fleet(next);
  std::int64_t now = 1'000'000;
  std::uint64_t sequence = 0;
  Step overtaken;  // a message on a slower way
  while (!done()) {
    const std::uint8_t choice = next();
    now += choice % 8 == 0 ? 2'500 : choice % 32;
    Step step;
    step.now = now;
    step.sequence = ++sequence;
    if (choice >= 250) {
      step.kind = choice >= 253 ? Step::Kind::broker_down : Step::Kind::broker_up;
      step.broker = choice % 2 == 0 ? "b1" : "b2";
    } else if (choice >= 240) {
      step.kind = Step::Kind::tick;
    } else if (choice >= 225 && !script.steps.empty()) {  // delivered twice
      step = script.steps[next() % script.steps.size()];
      step.now = now;
      step.sequence = sequence;
    } else if (!overtaken.topic.empty() && choice % 4 == 1) {
      step = std::exchange(overtaken, Step());
      step.now = now;
      step.sequence = sequence;
    } else {
      step.kind = Step::Kind::message;
      fleet.message(step);
      step.hash = std::hash<std::string>()(step.payload);
      if (choice >= 170 && overtaken.topic.empty()) {
        overtaken = step;
        continue;
      }
    }
    script.steps.push_back(std::move(step));
  }
  return script;
}

Script random_script(unsigned seed, std::size_t steps) {
  std::mt19937 random(seed);
  std::size_t left = steps;
  return make_script([&] { return static_cast<std::uint8_t>(random()); }, [&] { return left-- == 0; });
}

void run_step(const Step& step, HostNodes& nodes, Output& out) {
  const Time now{std::chrono::milliseconds(step.now)};
  switch (step.kind) {
    case Step::Kind::message:
      return nodes.message({step.broker, step.topic, step.payload, now, step.sequence, step.hash}, out);
    case Step::Kind::tick:
      return nodes.tick(now, out);
    case Step::Kind::broker_down:
      return nodes.broker_down(step.broker, now, out);
    case Step::Kind::broker_up:
      return nodes.broker_up(step.broker, now);
  }
}

}  // namespace fettle::sparkplug::testing
