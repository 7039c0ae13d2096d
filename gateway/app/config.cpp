#include "gateway/app/config.h"

#include <array>

#include "gateway/catalog/fields.h"
#include "gateway/catalog/yaml_tree.h"

namespace fettle::app {
namespace {

using catalog::Fields;
using catalog::Need;
using catalog::Word;

constexpr std::int64_t kMiB = 1 << 20;

void read_mqtt(const catalog::Source& source, const catalog::YamlNode& node, MqttConfig& mqtt) {
  Fields fields(source, node, "mqtt");
  mqtt.broker = fields.text("broker", Need::required, "the broker's address, such as tcp://127.0.0.1:1883");
  if (!mqtt.broker.empty() && !mqtt.broker.starts_with("tcp://")) {
    fields.report("broker", "the address is \"" + mqtt.broker + "\"; expected tcp://host:port");
  }
  const std::string client_id =
      fields.text("client_id", Need::optional, "a name that no other client of the broker has");
  if (!client_id.empty()) mqtt.client_id = client_id;
  mqtt.username = fields.text("username", Need::optional, "a name the broker knows");
  mqtt.password_file = fields.text("password_file", Need::optional, "a file with the password");
  std::vector<std::string> topics = fields.texts("topics", Need::optional, "a list of topic filters");
  if (!topics.empty()) mqtt.topics = std::move(topics);
  if (const auto bytes = fields.whole("max_payload", Need::optional, 1024, 8 * kMiB)) {
    mqtt.max_payload = static_cast<std::size_t>(*bytes);
  }
  fields.finish();
}

void read_all(const catalog::Source& source, const catalog::YamlNode& node, Config& config) {
  static constexpr std::array kClocks{Word{"system", 0}, Word{"recording", 1}};
  static constexpr std::array kDurabilities{Word{"process", 0}, Word{"power", 1}};
  Fields fields(source, node, "configuration");
  config.data = fields.text("data", Need::required, "the folder that holds the store and the journal");
  config.clock = fields.word("clock", Need::optional, kClocks, 0) == 0 ? journal::ClockKind::system
                                                                       : journal::ClockKind::recording;
  config.durability = fields.word("durability", Need::optional, kDurabilities, 0) == 0 ? journal::Durability::process
                                                                                       : journal::Durability::power;
  if (const auto bytes = fields.whole("journal_backlog", Need::optional, kMiB, 64 * 1024 * kMiB)) {
    config.journal_backlog = static_cast<std::size_t>(*bytes);
  }
  config.retention = fields.duration("retention", std::chrono::milliseconds(0));
  if (const catalog::YamlNode* mqtt = fields.value("mqtt", Need::optional, "a map with the broker")) {
    read_mqtt(source, *mqtt, config.mqtt);
  }
  fields.finish();
}

}  // namespace

boost::system::result<Config, std::vector<catalog::FileDiagnostic>> parse_config(const std::string& name,
                                                                                 const std::string& text) {
  catalog::Diagnostics diagnostics;
  catalog::YamlFile file(name, text);
  file.parse(diagnostics);
  Config config;
  if (diagnostics.empty() && file.documents().size() != 1) {
    diagnostics.add(name, {1, 1}, "expected one YAML document with at least the key \"data\"");
  }
  if (diagnostics.empty()) read_all({file, diagnostics}, *file.documents().front(), config);
  if (!diagnostics.empty()) return diagnostics.sorted();
  return config;
}

}  // namespace fettle::app
