#include "gateway/sparkplug/edge_config.h"

#include <algorithm>
#include <map>

#include "gateway/sparkplug/arrays.h"
#include "gateway/sparkplug/payload.h"
#include "gateway/sparkplug/topic.h"
#include "gateway/sparkplug/value.h"

namespace fettle::sparkplug::edge {
namespace {

using Problem = std::optional<std::string>;

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

// Upper and lower case of ASCII taken as the same.
std::string folded(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// Refuses a name that was there before, in whatever case.
class Names {
 public:
  explicit Names(std::string what) : what_(std::move(what)) {}

  Problem add(const std::string& name) {
    const auto [at, is_new] = seen_.emplace(folded(name), name);
    if (is_new) return std::nullopt;
    if (at->second == name) return what_ + " " + quoted(name) + " is there twice; name it once";
    return what_ + "s " + quoted(at->second) + " and " + quoted(name) +
           " differ only by upper and lower case; give one of them another name";
  }

 private:
  std::string what_;
  std::map<std::string, std::string> seen_;
};

Problem problem_of_name(std::string_view what, std::string_view name) {
  if (name.empty()) return std::string(what) + " without a name; give it one";
  if (name.size() > kMaxNameBytes) {
    return std::string(what) + " " + quoted(name.substr(0, 32)) + "... has a name of " + std::to_string(name.size()) +
           " bytes, expected at most " + std::to_string(kMaxNameBytes);
  }
  if (!is_utf8(name)) return std::string(what) + " name is no UTF-8";
  return std::nullopt;
}

template <class Wire>
Problem scalar_mismatch(DataType type, const Scalar& value) {
  if (std::holds_alternative<std::monostate>(value)) return std::nullopt;
  Wire scratch;
  const auto wrong = set_value(scratch, type, value);
  return wrong ? Problem(wrong->detail) : std::nullopt;
}

const TemplateDefinition* find_template(std::span<const TemplateDefinition> templates, std::string_view name) {
  const auto at = std::ranges::find(templates, name, &TemplateDefinition::name);
  return at == templates.end() ? nullptr : &*at;
}

Problem table_mismatch(const Table& table) {
  Names names("column");
  for (const auto& column : table.columns) {
    if (auto problem = problem_of_name("column", column.name)) return problem;
    if (auto problem = names.add(column.name)) return problem;
    if (!sparkplug::is_basic(column.type)) {
      return "column " + quoted(column.name) + " is of type " + std::string(name_of(column.type)) +
             ", expected a basic type";
    }
  }
  const std::size_t width = table.columns.size();
  if (width * table.rows.size() > kMaxCells)
    return "a table of more than " + std::to_string(kMaxCells) + " cells; send fewer rows";
  for (const auto& row : table.rows) {
    if (row.size() != width)
      return "a row of " + std::to_string(row.size()) + " cells in a table of " + std::to_string(width) + " columns";
    for (std::size_t i = 0; i < width; ++i) {
      // A cell is one of six values or nothing; the wire has no null flag for it.
      if (auto problem = scalar_mismatch<wire::DataSetValue>(table.columns[i].type, row[i]))
        return "column " + quoted(table.columns[i].name) + ": " + *problem;
    }
  }
  return std::nullopt;
}

Problem value_mismatch(DataType type, const Value& value, std::span<const TemplateDefinition> templates,
                       std::size_t depth);

Problem instance_mismatch(const Instance& instance, std::span<const TemplateDefinition> templates, std::size_t depth) {
  if (depth == kMaxNesting) return "templates in templates deeper than " + std::to_string(kMaxNesting) + " levels";
  const auto* definition = find_template(templates, instance.definition);
  if (definition == nullptr)
    return "an instance of template " + quoted(instance.definition) + ", which is not defined; add its definition";
  for (const auto& member : instance.members) {
    const auto known = std::ranges::find(definition->members, member.name, &Member::name);
    if (known == definition->members.end() || known->type != member.type) {
      return "member " + quoted(member.name) + " of type " + std::string(name_of(member.type)) +
             " is not one of template " + quoted(definition->name);
    }
    if (auto problem = value_mismatch(member.type, member.value, templates, depth + 1))
      return "member " + quoted(member.name) + ": " + *problem;
  }
  for (const auto& parameter : instance.parameters) {
    const auto known = std::ranges::find(definition->parameters, parameter.name, &Parameter::name);
    if (known == definition->parameters.end() || known->type != parameter.type)
      return "parameter " + quoted(parameter.name) + " is not one of template " + quoted(definition->name);
    if (auto problem = scalar_mismatch<wire::Parameter>(parameter.type, parameter.value))
      return "parameter " + quoted(parameter.name) + ": " + *problem;
  }
  return std::nullopt;
}

Scalar scalar_of(const Value& value, bool& is_scalar) {
  is_scalar = true;
  return std::visit(
      [&](const auto& held) -> Scalar {
        if constexpr (std::is_constructible_v<Scalar, decltype(held)>) {
          return held;
        } else {
          is_scalar = false;
          return std::monostate();
        }
      },
      value);
}

Problem value_mismatch(DataType type, const Value& value, std::span<const TemplateDefinition> templates,
                       std::size_t depth) {
  if (std::holds_alternative<std::monostate>(value)) return std::nullopt;
  const std::string expected = "expected " + std::string(name_of(type));
  if (type == DataType::bytes || type == DataType::file)
    return std::holds_alternative<std::string>(value) ? std::nullopt : Problem("a value that is no bytes, " + expected);
  if (type == DataType::dataset) {
    const auto* table = std::get_if<Table>(&value);
    return table != nullptr ? table_mismatch(*table) : "a value that is no table, " + expected;
  }
  if (type == DataType::template_) {
    const auto* instance = std::get_if<Instance>(&value);
    return instance != nullptr ? instance_mismatch(*instance, templates, depth)
                               : "a value that is no instance, " + expected;
  }
  if (is_array(type)) {
    const auto* array = std::get_if<Array>(&value);
    if (array == nullptr) return "a value that is no array, " + expected;
    if (array->elements.size() > kMaxElements)
      return "an array of more than " + std::to_string(kMaxElements) + " elements; send fewer";
    const auto packed = encode_array(type, array->elements);
    return packed ? std::nullopt : Problem(packed.error().detail);
  }
  if (!sparkplug::is_basic(type)) return std::string(name_of(type)) + " is no type of a metric";
  bool is_scalar = false;
  const Scalar scalar = scalar_of(value, is_scalar);
  if (!is_scalar) return "a value of several parts, " + expected;
  return scalar_mismatch<wire::DataSetValue>(type, scalar);
}

Problem problem_of_properties(const std::vector<Property>& properties, std::size_t depth) {
  if (depth == kMaxNesting) return "property sets in property sets deeper than " + std::to_string(kMaxNesting);
  Names names("property");
  for (const auto& property : properties) {
    if (auto problem = problem_of_name("property", property.key)) return problem;
    if (auto problem = names.add(property.key)) return problem;
    if (property.key == kQualityProperty)
      return "property 'Quality' belongs to each reading, not to the definition; take it out";
    if (const auto* set = std::get_if<PropertySet>(&property.value)) {
      if (property.type != DataType::property_set) return "property " + quoted(property.key) + " holds a property set";
      if (auto problem = problem_of_properties(set->properties, depth + 1)) return problem;
    } else if (const auto* sets = std::get_if<std::vector<PropertySet>>(&property.value)) {
      if (property.type != DataType::property_set_list)
        return "property " + quoted(property.key) + " holds a list of property sets";
      for (const auto& entry : *sets) {
        if (auto problem = problem_of_properties(entry.properties, depth + 1)) return problem;
      }
    } else {
      if (!sparkplug::is_basic(property.type)) {
        return "property " + quoted(property.key) + " is of type " + std::string(name_of(property.type)) +
               ", expected a basic type or the type of what it holds";
      }
      const Scalar scalar = std::visit(
          [](const auto& held) -> Scalar {
            if constexpr (std::is_constructible_v<Scalar, decltype(held)>) return held;
            return std::monostate();
          },
          property.value);
      if (auto problem = scalar_mismatch<wire::PropertyValue>(property.type, scalar))
        return "property " + quoted(property.key) + ": " + *problem;
    }
  }
  return std::nullopt;
}

Problem problem_of_metrics(const std::string& owner, const std::vector<MetricDefinition>& metrics, Names names,
                           const EdgeConfig& config) {
  if (metrics.size() > kMostMetricsPerSource)
    return owner + ": more than " + std::to_string(kMostMetricsPerSource) + " metrics; spread them over devices";
  for (const auto& metric : metrics) {
    if (auto problem = problem_of_name("metric", metric.name)) return owner + ": " + *problem;
    if (auto problem = names.add(metric.name)) return owner + ": " + *problem;
    auto problem = mismatch(metric.type, metric.value, config.templates);
    if (!problem && metric.type == DataType::unknown) problem = "has no data type; give it one";
    if (!problem && (metric.type == DataType::property_set || metric.type == DataType::property_set_list))
      problem = std::string(name_of(metric.type)) + " is no type of a metric";
    if (!problem && metric.type == DataType::template_ && !std::holds_alternative<Instance>(metric.value))
      problem = "is of a template; say of which by an instance";
    if (!problem) problem = problem_of_properties(metric.properties, 0);
    if (problem) return owner + ": metric " + quoted(metric.name) + ": " + *problem;
  }
  return std::nullopt;
}

Problem problem_of_templates(const EdgeConfig& config, Names& names) {
  for (std::size_t i = 0; i < config.templates.size(); ++i) {
    const auto& definition = config.templates[i];
    if (auto problem = problem_of_name("template", definition.name)) return problem;
    if (auto problem = names.add(definition.name)) return problem;
    if (definition.version && !is_utf8(*definition.version))
      return "template " + quoted(definition.name) + ": its version is no UTF-8";
    Names members("member");
    for (const auto& member : definition.members) {
      if (auto problem = problem_of_name("member", member.name)) return problem;
      if (auto problem = members.add(member.name)) return problem;
      // Only what was defined before it: so no template can hold itself.
      const std::span<const TemplateDefinition> before(config.templates.data(), i);
      auto problem = mismatch(member.type, member.value, before);
      if (!problem && member.type == DataType::template_ && !std::holds_alternative<Instance>(member.value))
        problem = "is of a template; say of which by an instance";
      if (problem) return "template " + quoted(definition.name) + ": member " + quoted(member.name) + ": " + *problem;
    }
    Names parameters("parameter");
    for (const auto& parameter : definition.parameters) {
      if (auto problem = problem_of_name("parameter", parameter.name)) return problem;
      if (auto problem = parameters.add(parameter.name)) return problem;
      if (!sparkplug::is_basic(parameter.type))
        return "template " + quoted(definition.name) + ": parameter " + quoted(parameter.name) + " is of no basic type";
      if (auto problem = scalar_mismatch<wire::Parameter>(parameter.type, parameter.value))
        return "template " + quoted(definition.name) + ": parameter " + quoted(parameter.name) + ": " + *problem;
    }
  }
  return std::nullopt;
}

Problem problem_of_id_named(std::string_view what, std::string_view id) {
  const auto problem = problem_of_id(id);
  if (!problem) return std::nullopt;
  return std::string(what) + " id " + quoted(id) + " " + *problem + "; it stands in MQTT topics";
}

}  // namespace

std::optional<std::string> mismatch(DataType type, const Value& value, std::span<const TemplateDefinition> templates) {
  return value_mismatch(type, value, templates, 0);
}

std::optional<std::string> problem_of(const EdgeConfig& config) {
  if (auto problem = problem_of_id_named("group", config.group)) return problem;
  if (auto problem = problem_of_id_named("edge node", config.node)) return problem;
  // spBv1.0/STATE/<host> would otherwise be read as a group.
  if (config.group == "STATE") return "group id 'STATE' is taken by the hosts' topics; choose another";
  if (config.primary_host) {
    if (auto problem = problem_of_id_named("primary host", *config.primary_host)) return problem;
  }
  if (config.servers == 0) return "an edge node without a server; name at least one";
  Names node_names("metric");
  if (auto problem = node_names.add(std::string(kSessionMetric))) return problem;
  if (auto problem = node_names.add(std::string(kRebirthMetric))) return problem;
  if (auto problem = problem_of_templates(config, node_names)) return problem;
  if (auto problem = problem_of_metrics("edge node " + quoted(config.node), config.metrics, node_names, config))
    return problem;
  if (config.devices.size() > kMostDevices)
    return "more than " + std::to_string(kMostDevices) + " devices; spread them over edge nodes";
  Names devices("device");
  for (const auto& device : config.devices) {
    if (auto problem = problem_of_id_named("device", device.id)) return problem;
    if (auto problem = devices.add(device.id)) return problem;
    if (auto problem = problem_of_metrics("device " + quoted(device.id), device.metrics, Names("metric"), config))
      return problem;
  }
  return std::nullopt;
}

std::optional<std::string> problem_of(std::span<const EdgeConfig> nodes) {
  Names names("edge node");
  for (const auto& node : nodes) {
    if (auto problem = problem_of(node)) return problem;
    if (auto problem = names.add(node.group + "/" + node.node)) return problem;
  }
  return std::nullopt;
}

}  // namespace fettle::sparkplug::edge
