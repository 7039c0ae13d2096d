#include "gateway/direct/mapping.h"

#include <set>

#include "gateway/direct/mapping_reader.h"

namespace fettle::direct {

double UnitConversion::operator()(double value) const {
  if (kind == Kind::same) return value;
  return ((value * from_scale + from_offset) - to_offset) / to_scale;
}

Mappings::Mappings(std::vector<Mapping> mappings, std::vector<ModelSignals> models)
    : mappings_(std::move(mappings)), models_(std::move(models)), branches_(1) {
  for (std::uint32_t i = 0; i < mappings_.size(); ++i) plant(i);
  for (std::uint32_t i = 0; i < models_.size(); ++i) model_index_.emplace(models_[i].model, i);
  for (Mapping& mapping : mappings_) {
    std::set<std::string_view> names;
    for (SignalMapping& signal : mapping.signals) signal.alternative = !names.insert(signal.signal.text).second;
  }
}

std::uint32_t Mappings::grow(std::optional<std::uint32_t> child) {
  if (child) return *child;
  branches_.emplace_back();
  return static_cast<std::uint32_t>(branches_.size() - 1);
}

void Mappings::plant(std::uint32_t index) {
  const TopicFilter& topic = mappings_[index].topic;
  std::uint32_t at = 0;
  for (const TopicFilter::Level& level : topic.levels) {
    std::uint32_t next = 0;
    if (level.any) {
      next = grow(branches_[at].any);
      branches_[at].any = next;
    } else {
      const auto found = branches_[at].literals.find(level.text);
      const bool known = found != branches_[at].literals.end();
      next = grow(known ? std::optional(found->second) : std::nullopt);
      branches_[at].literals[level.text] = next;
    }
    at = next;
  }
  auto& end = topic.rest ? branches_[at].mapping_rest : branches_[at].mapping;
  if (!end) end = index;
}

// Depth first, the closest child first: mappings whose topics do not cross form a chain on any one topic, and the
// innermost of a chain is met first.
std::optional<std::uint32_t> Mappings::search(std::uint32_t branch, std::string_view rest) const {
  const Branch& here = branches_[branch];
  const std::size_t slash = rest.find('/');
  const std::string_view level = rest.substr(0, slash);
  const auto below = [&](std::uint32_t child) -> std::optional<std::uint32_t> {
    if (slash != std::string_view::npos) return search(child, rest.substr(slash + 1));
    const Branch& last = branches_[child];
    return last.mapping ? last.mapping : last.mapping_rest;  // "a/#" matches "a" as well (MQTT 3.1.1, 4.7.1.2)
  };
  if (const auto literal = here.literals.find(level); literal != here.literals.end()) {
    if (const auto found = below(literal->second)) return found;
  }
  if (here.any) {
    if (const auto found = below(*here.any)) return found;
  }
  return here.mapping_rest;
}

const Mapping* Mappings::match(std::string_view topic) const {
  if (mappings_.empty() || topic.empty() || topic.front() == '$') return nullptr;
  const auto found = search(0, topic);
  return found ? &mappings_[*found] : nullptr;
}

Mappings::Outcome Mappings::apply(const MappedMessage& message, const ModelOf& model_of, Telemetry& out,
                                  std::string& asset, Malformed& why) {
  asset.clear();
  out.clear(message.payload.size());
  const Mapping* mapping = match(message.topic);
  if (mapping == nullptr) return Outcome::no_mapping;
  split_levels(message.topic, mapping->topic.levels.size(), buffers_.levels);
  buffers_.spans.clear();
  MappingReader reader(*mapping, message.received, buffers_);
  const auto refuse = [&](std::string detail) {
    why = {"malformed", "mapping " + mapping->id + ": " + std::move(detail)};
    return Outcome::malformed;
  };
  if (auto fault = reader.open(message.payload)) return refuse(std::move(*fault));
  if (!reader.wanted()) return Outcome::passed_over;
  if (auto fault = reader.read_asset(asset)) return refuse(std::move(*fault));
  const auto model = model_index_.find(model_of(asset));
  if (model == model_index_.end()) return Outcome::unknown_asset;
  if (auto fault = reader.read(models_[model->second], out)) {
    out.clear(0);
    if (reader.too_many()) {
      why = {"too_many_readings", "mapping " + mapping->id + ": " + *fault};
      return Outcome::malformed;
    }
    return refuse(std::move(*fault));
  }
  return out.values.empty() ? Outcome::passed_over : Outcome::readings;
}

}  // namespace fettle::direct
