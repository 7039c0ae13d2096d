// The parts of a payload that ordinary telemetry does without: metadata, properties, data sets, templates. Entries of
// one owner lie side by side in their table: they are counted first, get their places, and are then read into them.

#include "gateway/sparkplug/payload_decoder.h"
#include "gateway/sparkplug/value.h"

namespace fettle::sparkplug {

bool Decoder::metadata(Cursor in, MetaData& out) {
  while (!in.done()) {
    std::uint32_t read = 0;
    if (!read_tag(in, read)) return false;
    std::uint64_t value = 0;
    bool said = false;
    bool ok = true;
    switch (read) {
      case tag(1, kVarint):
        ok = flag(in, said);
        out.is_multi_part = said;
        break;
      case tag(2, kLength):
        ok = text(in, out.content_type);
        break;
      case tag(3, kVarint):
        ok = number(in, value);
        out.size = value;
        break;
      case tag(4, kVarint):
        ok = number(in, value);
        out.seq = value;
        break;
      case tag(5, kLength):
        ok = text(in, out.file_name);
        break;
      case tag(6, kLength):
        ok = text(in, out.file_type);
        break;
      case tag(7, kLength):
        ok = text(in, out.md5);
        break;
      case tag(8, kLength):
        ok = text(in, out.description);
        break;
      default:
        ok = unknown(in, read, 8);
    }
    if (!ok) return false;
  }
  return true;
}

// ---- properties

bool Decoder::property_set(Cursor in, Range& out, std::size_t depth) {
  const char* const begin = in.at;
  if (depth > kMaxNesting) {
    return fail(begin, "too_deep", "property sets more than " + std::to_string(kMaxNesting) + " deep");
  }
  std::size_t keys = 0;
  std::size_t values = 0;
  if (!count_fields(in, 1, keys) || !count_fields(in, 2, values)) return false;
  if (keys != values) {
    return fail(begin, "malformed",
                "a property set of " + std::to_string(keys) + " keys and " + std::to_string(values) +
                    " values; expected as many values as keys");
  }
  if (!room(begin, out_.properties.size(), keys, kMaxProperties, "too_many_properties", "properties")) return false;
  out = {static_cast<std::uint32_t>(out_.properties.size()), static_cast<std::uint32_t>(keys)};
  out_.properties.resize(out_.properties.size() + keys);
  std::size_t key = out.first;
  std::size_t value = out.first;
  while (!in.done()) {
    std::uint32_t read = 0;
    if (!read_tag(in, read)) return false;
    Cursor found{};
    if (read == tag(1, kLength)) {
      if (!name(in, out_.properties[key++].key)) return false;
    } else if (read == tag(2, kLength)) {
      Property said;
      if (!part(in, found) || !property_value(found, said, depth)) return false;
      Property& place = out_.properties[value++];
      place.datatype = said.datatype;
      place.is_null = said.is_null;
      place.value = said.value;
    } else if (!unknown(in, read, 2)) {
      return false;
    }
  }
  return true;
}

bool Decoder::property_value(Cursor in, Property& out, std::size_t depth) {
  while (!in.done()) {
    std::uint32_t read = 0;
    if (!read_tag(in, read)) return false;
    const char* const at = in.at;
    Cursor found{};
    Range range;
    bool was = true;
    switch (read) {
      case tag(1, kVarint):
        if (!number32(in, out.datatype)) return false;
        break;
      case tag(2, kVarint):
        if (!flag(in, out.is_null)) return false;
        break;
      case tag(9, kLength):
        if (out.value.kind == ValueKind::property_set) return fail(at, "malformed", "a property set given twice");
        if (!part(in, found) || !property_set(found, range, depth + 1)) return false;
        out.value = {ValueKind::property_set, out_.property_sets.size(), {}};
        out_.property_sets.push_back(range);
        break;
      case tag(10, kLength):
        if (out.value.kind == ValueKind::property_set_list) {
          return fail(at, "malformed", "a list of property sets given twice");
        }
        if (!part(in, found) || !property_list(found, range, depth + 1)) return false;
        out.value = {ValueKind::property_set_list, out_.property_lists.size(), {}};
        out_.property_lists.push_back(range);
        break;
      default:
        if (!scalar(in, read, 3, out.value, was)) return false;
        if (!was && !unknown(in, read, 10)) return false;
    }
  }
  return true;
}

bool Decoder::property_list(Cursor in, Range& out, std::size_t depth) {
  std::size_t count = 0;
  const char* const begin = in.at;
  if (!count_fields(in, 1, count)) return false;
  if (!room(begin, out_.property_sets.size(), count, kMaxProperties, "too_many_properties", "property sets")) {
    return false;
  }
  out = {static_cast<std::uint32_t>(out_.property_sets.size()), static_cast<std::uint32_t>(count)};
  out_.property_sets.resize(out_.property_sets.size() + count);
  std::size_t next = out.first;
  while (!in.done()) {
    std::uint32_t read = 0;
    if (!read_tag(in, read)) return false;
    Cursor found{};
    Range set;
    if (read != tag(1, kLength)) {
      if (!unknown(in, read, 1)) return false;
    } else {
      if (!part(in, found) || !property_set(found, set, depth + 1)) return false;
      out_.property_sets[next++] = set;
    }
  }
  return true;
}

// ---- data sets

bool Decoder::dataset(Cursor in, DataSet& out) {
  const char* const begin = in.at;
  std::size_t columns = 0;
  std::size_t rows = 0;
  if (!count_fields(in, 2, columns) || !count_fields(in, 4, rows)) return false;
  if (!room(begin, out_.columns.size(), columns, kMaxCells, "too_many_cells", "columns of data sets") ||
      !room(begin, rows_, rows, kMaxCells, "too_many_cells", "rows of data sets") ||
      !room(begin, out_.cells.size(), rows * columns, kMaxCells, "too_many_cells", "cells of data sets")) {
    return false;
  }
  rows_ += rows;
  out.rows = static_cast<std::uint32_t>(rows);
  out.columns = {static_cast<std::uint32_t>(out_.columns.size()), static_cast<std::uint32_t>(columns)};
  out.cells = {static_cast<std::uint32_t>(out_.cells.size()), static_cast<std::uint32_t>(rows * columns)};
  out_.columns.resize(out_.columns.size() + columns);
  out_.cells.resize(out_.cells.size() + rows * columns);
  if (!column_types(in, out)) return false;

  std::uint32_t column = out.columns.first;
  std::uint32_t next_row = 0;
  while (!in.done()) {
    std::uint32_t read = 0;
    if (!read_tag(in, read)) return false;
    const char* const at = in.at;
    std::uint64_t said = 0;
    Cursor found{};
    switch (read) {
      case tag(1, kVarint):
        if (!number(in, said)) return false;
        if (said != columns) {
          return fail(
              at, "malformed",
              "a data set says it has " + std::to_string(said) + " columns and names " + std::to_string(columns));
        }
        break;
      case tag(2, kLength):
        if (!name(in, out_.columns[column++].name)) return false;
        break;
      case tag(3, kVarint):
        if (!number(in, said)) return false;
        break;
      case tag(3, kLength):
        if (!part(in, found)) return false;
        break;
      case tag(4, kLength):
        if (!part(in, found) || !row(found, out, next_row++)) return false;
        break;
      default:
        if (!unknown(in, read, 4)) return false;
    }
  }
  return true;
}

// The types stand one by one or packed; there must be one to a column.
bool Decoder::column_types(Cursor in, DataSet& out) {
  const char* const begin = in.at;
  std::uint32_t count = 0;
  const auto add = [&](std::uint64_t said) {
    if (count < out.columns.count) out_.columns[out.columns.first + count].datatype = static_cast<std::uint32_t>(said);
    ++count;
  };
  while (!in.done()) {
    std::uint32_t read = 0;
    if (!read_tag(in, read)) return false;
    std::uint64_t said = 0;
    Cursor packed{};
    if (read == tag(3, kVarint)) {
      if (!number(in, said)) return false;
      add(said);
    } else if (read == tag(3, kLength)) {
      if (!part(in, packed)) return false;
      while (!packed.done()) {
        if (!number(packed, said)) return false;
        add(said);
      }
    } else if (!unknown(in, read, 0)) {
      return false;
    }
  }
  if (count == out.columns.count) return true;
  return fail(begin, "malformed",
              "a data set of " + std::to_string(out.columns.count) + " columns and " + std::to_string(count) +
                  " types; expected one type to a column");
}

bool Decoder::row(Cursor in, const DataSet& set, std::uint32_t index) {
  const char* const begin = in.at;
  std::uint32_t count = 0;
  while (!in.done()) {
    std::uint32_t read = 0;
    if (!read_tag(in, read)) return false;
    Cursor found{};
    if (read != tag(1, kLength)) {
      if (!unknown(in, read, 1)) return false;
      continue;
    }
    if (!part(in, found)) return false;
    if (count < set.columns.count) {
      if (!cell(found, out_.cells[set.cells.first + index * set.columns.count + count])) return false;
    }
    ++count;
  }
  if (count == set.columns.count) return true;
  return fail(begin, "malformed",
              "row " + std::to_string(index) + " of a data set has " + std::to_string(count) + " cells; expected " +
                  std::to_string(set.columns.count) + ", one to a column");
}

bool Decoder::cell(Cursor in, Value& out) {
  while (!in.done()) {
    std::uint32_t read = 0;
    bool was = false;
    if (!read_tag(in, read) || !scalar(in, read, 1, out, was)) return false;
    if (!was && !unknown(in, read, 6)) return false;
  }
  return true;
}

// ---- templates

bool Decoder::template_value(Cursor in, Template& out, std::size_t depth) {
  const char* const begin = in.at;
  if (depth > kMaxNesting) {
    return fail(begin, "too_deep", "templates more than " + std::to_string(kMaxNesting) + " deep");
  }
  std::size_t members = 0;
  std::size_t parameters = 0;
  if (!count_fields(in, 2, members) || !count_fields(in, 3, parameters)) return false;
  if (!room(begin, out_.metrics.size() + out_.members.size(), members, kMaxMetrics, "too_many_metrics", "metrics") ||
      !room(begin, out_.parameters.size(), parameters, kMaxProperties, "too_many_properties", "parameters")) {
    return false;
  }
  out.members = {static_cast<std::uint32_t>(out_.members.size()), static_cast<std::uint32_t>(members)};
  out.parameters = {static_cast<std::uint32_t>(out_.parameters.size()), static_cast<std::uint32_t>(parameters)};
  out_.members.resize(out_.members.size() + members);
  out_.parameters.resize(out_.parameters.size() + parameters);
  std::size_t next_member = out.members.first;
  std::size_t next_parameter = out.parameters.first;
  while (!in.done()) {
    std::uint32_t read = 0;
    if (!read_tag(in, read)) return false;
    Cursor found{};
    Metric member;
    switch (read) {
      case tag(1, kLength):
        if (!name(in, out.version)) return false;
        break;
      case tag(2, kLength):
        if (!part(in, found) || !metric(found, member, depth)) return false;
        out_.members[next_member++] = member;
        break;
      case tag(3, kLength):
        if (!part(in, found) || !parameter(found, out_.parameters[next_parameter++])) return false;
        break;
      case tag(4, kLength):
        if (!name(in, out.reference)) return false;
        break;
      case tag(5, kVarint):
        if (!flag(in, out.is_definition)) return false;
        break;
      default:
        if (!unknown(in, read, 5)) return false;
    }
  }
  return true;
}

bool Decoder::parameter(Cursor in, Parameter& out) {
  while (!in.done()) {
    std::uint32_t read = 0;
    if (!read_tag(in, read)) return false;
    bool was = true;
    if (read == tag(1, kLength)) {
      if (!name(in, out.name)) return false;
    } else if (read == tag(2, kVarint)) {
      if (!number32(in, out.datatype)) return false;
    } else {
      if (!scalar(in, read, 3, out.value, was)) return false;
      if (!was && !unknown(in, read, 8)) return false;
    }
  }
  return true;
}

}  // namespace fettle::sparkplug
