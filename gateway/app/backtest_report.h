#pragma once
// How figures of detection are printed: for people as a table, for programs as JSON. Pure functions.

#include <boost/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "gateway/app/backtest_tune.h"
#include "gateway/app/detection.h"

namespace fettle::app {

// "2d3h", to the second; negative with a sign.
std::string span_text(Span span);

// Absent figures are null; times are in seconds.
boost::json::object json_of(const Judgement& judgement);

// A line of names and one line each, columns aligned. A row is a rule, or a point of a tuning.
using JudgedRow = std::pair<std::string, Judgement>;
std::string table_of(const std::string& first_column, std::span<const JudgedRow> rows);

// "limit = 0.3 s, quick = 2.6 s", by the parameters' full names where two rules have one of that name.
std::string point_text(std::span<const TuneRange> ranges, std::span<const std::size_t> steps);

}  // namespace fettle::app
