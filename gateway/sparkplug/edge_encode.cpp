#include "gateway/sparkplug/edge_encode.h"

#include <algorithm>

#include "gateway/sparkplug/edge_config.h"

namespace fettle::sparkplug::edge {
namespace {

// The scalar in a variant that can hold more; null where it holds something else.
template <class Variant>
Scalar scalar_in(const Variant& value) {
  return std::visit(
      [](const auto& held) -> Scalar {
        if constexpr (std::is_constructible_v<Scalar, decltype(held)>) {
          return held;
        } else {
          return std::monostate();
        }
      },
      value);
}

void encode_table(const Table& table, wire::DataSet& out) {
  out.set_num_of_columns(table.columns.size());
  for (const auto& column : table.columns) {
    out.add_columns(column.name);
    out.add_types(static_cast<std::uint32_t>(column.type));
  }
  for (const auto& row : table.rows) {
    auto& cells = *out.add_rows();
    for (std::size_t i = 0; i < row.size() && i < table.columns.size(); ++i) {
      auto& cell = *cells.add_elements();
      // A null cell has no value at all: the wire has no flag for it.
      if (!std::holds_alternative<std::monostate>(row[i]) && set_value(cell, table.columns[i].type, row[i]))
        cell.Clear();
    }
  }
}

void encode_members(const std::vector<Member>& members, Role role, wire::Template& out) {
  for (const auto& member : members) {
    auto& metric = *out.add_metrics();
    metric.set_name(member.name);
    if (role == Role::birth) metric.set_datatype(static_cast<std::uint32_t>(member.type));
    encode_value(member.type, member.value, role, metric);
  }
}

void encode_parameters(const std::vector<Parameter>& parameters, wire::Template& out) {
  for (const auto& parameter : parameters) {
    auto& entry = *out.add_parameters();
    entry.set_name(parameter.name);
    entry.set_type(static_cast<std::uint32_t>(parameter.type));
    if (!std::holds_alternative<std::monostate>(parameter.value) && set_value(entry, parameter.type, parameter.value))
      entry.clear_value();
  }
}

bool equal_scalars(const std::vector<Scalar>& a, const std::vector<Scalar>& b) {
  return a == b;
}

bool equal_members(const std::vector<Member>& a, const std::vector<Member>& b) {
  return std::ranges::equal(a, b, [](const Member& x, const Member& y) {
    return x.name == y.name && x.type == y.type && equal(x.value, y.value);
  });
}

bool equal_held(const Array& a, const Array& b) {
  return equal_scalars(a.elements, b.elements);
}

bool equal_held(const Table& a, const Table& b) {
  const auto same_column = [](const Column& x, const Column& y) { return x.name == y.name && x.type == y.type; };
  return std::ranges::equal(a.columns, b.columns, same_column) && std::ranges::equal(a.rows, b.rows, equal_scalars);
}

bool equal_held(const Instance& a, const Instance& b) {
  const auto same_parameter = [](const Parameter& x, const Parameter& y) {
    return x.name == y.name && x.type == y.type && x.value == y.value;
  };
  return a.definition == b.definition && equal_members(a.members, b.members) &&
         std::ranges::equal(a.parameters, b.parameters, same_parameter);
}

template <class T>
bool equal_held(const T& a, const T& b) {
  return a == b;
}

}  // namespace

void encode_value(DataType type, const Value& value, Role role, wire::Metric& out) {
  bool fits = true;
  if (std::holds_alternative<std::monostate>(value)) {
    fits = false;
  } else if (type == DataType::bytes || type == DataType::file) {
    const auto* bytes = std::get_if<std::string>(&value);
    fits = bytes != nullptr;
    if (fits) out.set_bytes_value(*bytes);
  } else if (const auto* array = std::get_if<Array>(&value)) {
    auto packed = encode_array(type, array->elements);
    fits = packed.has_value();
    if (fits) out.set_bytes_value(std::move(*packed));
  } else if (const auto* table = std::get_if<Table>(&value)) {
    encode_table(*table, *out.mutable_dataset_value());
  } else if (const auto* instance = std::get_if<Instance>(&value)) {
    auto& held = *out.mutable_template_value();
    held.set_template_ref(instance->definition);
    held.set_is_definition(false);
    encode_members(instance->members, role, held);
    encode_parameters(instance->parameters, held);
  } else {
    fits = !set_value(out, type, scalar_in(value));
  }
  if (!fits) {
    out.clear_value();
    out.set_is_null(true);
  }
}

void encode_properties(std::span<const Property> properties, wire::PropertySet& out) {
  for (const auto& property : properties) {
    out.add_keys(property.key);
    auto& value = *out.add_values();
    value.set_type(static_cast<std::uint32_t>(property.type));
    if (const auto* set = std::get_if<PropertySet>(&property.value)) {
      encode_properties(set->properties, *value.mutable_propertyset_value());
    } else if (const auto* sets = std::get_if<std::vector<PropertySet>>(&property.value)) {
      auto& list = *value.mutable_propertysets_value();
      for (const auto& entry : *sets) encode_properties(entry.properties, *list.add_propertyset());
    } else if (set_value(value, property.type, scalar_in(property.value))) {
      value.clear_value();
      value.set_is_null(true);
    }
  }
}

void encode_quality(std::int32_t quality, wire::PropertySet& out) {
  out.add_keys(std::string(kQualityProperty));
  auto& value = *out.add_values();
  value.set_type(static_cast<std::uint32_t>(DataType::int32));
  value.set_int_value(static_cast<std::uint32_t>(quality));
}

void encode_definition(const TemplateDefinition& definition, wire::Metric& out) {
  out.set_name(definition.name);
  out.set_datatype(static_cast<std::uint32_t>(DataType::template_));
  auto& held = *out.mutable_template_value();
  if (definition.version) held.set_version(*definition.version);
  held.set_is_definition(true);
  encode_members(definition.members, Role::birth, held);
  encode_parameters(definition.parameters, held);
}

Instance completed(const TemplateDefinition& definition, const Instance* known, const Instance& update) {
  Instance full{definition.name, definition.members, definition.parameters};
  const auto take = [&full](const Instance& from) {
    for (const auto& member : from.members) {
      const auto at = std::ranges::find(full.members, member.name, &Member::name);
      if (at != full.members.end()) at->value = member.value;
    }
    for (const auto& parameter : from.parameters) {
      const auto at = std::ranges::find(full.parameters, parameter.name, &Parameter::name);
      if (at != full.parameters.end()) at->value = parameter.value;
    }
  };
  if (known != nullptr) take(*known);
  take(update);
  return full;
}

bool equal(const Value& a, const Value& b) {
  if (a.index() != b.index()) return false;
  return std::visit([&b](const auto& held) { return equal_held(held, std::get<std::decay_t<decltype(held)>>(b)); }, a);
}

}  // namespace fettle::sparkplug::edge
