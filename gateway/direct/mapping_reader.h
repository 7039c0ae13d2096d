#pragma once
// One message under one mapping: opened, looked at, read. Made anew for every message over buffers that last.
//
// For Mappings::apply alone; see mapping.h for what it means.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/direct/mapping.h"

namespace fettle::direct {

// The first `count` levels of a topic. Pre: it has as many.
void split_levels(std::string_view topic, std::size_t count, std::vector<std::string_view>& out);

// Every function that returns a text returns what is wrong, or nothing.
class MappingReader {
 public:
  MappingReader(const Mapping& mapping, Time received, MappingBuffers& buffers)
      : mapping_(mapping), received_(received), buffers_(buffers) {}

  std::optional<std::string> open(std::string_view payload);

  // Whether everything of `when` holds. Pre: opened.
  bool wanted() const;

  std::optional<std::string> read_asset(std::string& asset);

  // Fills `out`, whose views then point into its arena. Empty without a fault: nothing found, and that is no fault.
  std::optional<std::string> read(const ModelSignals& model, Telemetry& out);

  bool too_many() const { return too_many_; }

 private:
  std::optional<std::string> fill(const Template& source, const JsonNode& from, std::string& out) const;
  std::optional<std::string> read_element(const JsonNode& element, const ModelSignals& model, Telemetry& out);
  std::optional<std::string> read_time(const JsonNode& element, std::optional<Time>& time) const;
  // Whether the element whose values begin at `first` has one of the signal being read.
  bool already_read(std::size_t first, const Telemetry& out) const;
  void read_value(const SignalMapping& signal, const JsonNode& node, const ModelSignal& form, Telemetry& out);
  void read_number(const SignalMapping& signal, const JsonNode& node, const MappedValue* value, const ModelSignal& form,
                   Telemetry& out);
  void add(ValueKind kind, double number, std::string_view text, Telemetry& out);
  std::string nothing_found(const ModelSignals& model) const;

  const Mapping& mapping_;
  Time received_;
  MappingBuffers& buffers_;
  std::size_t found_ = 0;  // values that stand in the message, left out or not
  bool too_many_ = false;
};

}  // namespace fettle::direct
