#pragma once
// Values of an edge node into Protobuf messages. Pure. Everything here asks for values that mismatch() finds nothing
// against; one that does not fit goes out as null.

#include <span>

#include "gateway/sparkplug/edge_value.h"
#include "gateway/sparkplug/payload.pb.h"

namespace fettle::sparkplug::edge {

// Births name the type of everything they show; data leave out what the birth has said.
enum class Role { birth, data };

// The value and the null flag; not name, time, type or properties.
void encode_value(DataType type, const Value& value, Role role, wire::Metric& out);

// Appends to what is there.
void encode_properties(std::span<const Property> properties, wire::PropertySet& out);
void encode_quality(std::int32_t quality, wire::PropertySet& out);

// The definition as a birth shows it: name, type Template and the template itself.
void encode_definition(const TemplateDefinition& definition, wire::Metric& out);

// All members and parameters of the definition: those of `update` with its values, the others with those of `known`, or
// the definition's defaults.
Instance completed(const TemplateDefinition& definition, const Instance* known, const Instance& update);

// Values as a host would compare them: same type, same content, in the same order.
bool equal(const Value& a, const Value& b);

}  // namespace fettle::sparkplug::edge
