#pragma once
// Ranges of parameters to try in back-tests: reading `limit=0.2 s..0.6 s/5`, their product, and setting a point of it
// in the packs. Pure functions.
//
//   <parameter>=<from>..<to>/<steps>
//
// The parameter is `name`, where one rule of the model has it, or `rule.name` or `pack/rule.name`. Both ends are
// quantities as packs write them, in one unit, and are among the steps; steps lie evenly between them.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "gateway/app/core.h"
#include "gateway/engine/catalog.pb.h"

namespace fettle::app {

// Points of one tuning: the product of the steps of all ranges. Each is a back-test of its own.
inline constexpr std::size_t kMaxTunePoints = 10'000;

// The steps of one parameter.
struct TuneRange {
  std::string pack;
  std::string rule;
  std::string parameter;
  std::vector<std::string> values;  // quantities: "0.2 s", "0.3 s" ...

  std::string name() const { return pack + '/' + rule + '.' + parameter; }
};

// Of the rules of `model` in `declared`. Failures: one line a wrong text, all at once; the same parameter twice; more
// than kMaxTunePoints points. Whether a quantity's unit suits the parameter is the compiler's to say (with_point).
Result<std::vector<TuneRange>> read_tune_ranges(std::span<const std::string> texts,
                                                const catalog::CatalogChange& declared, const std::string& model);

// The number of points.
std::size_t count_points(std::span<const TuneRange> ranges);

// Which step of each range the point is; the last range changes fastest. Pre: point < count_points(ranges).
std::vector<std::size_t> point_at(std::span<const TuneRange> ranges, std::size_t point);

// The entries with the parameters set to the point's values.
catalog::CatalogChange with_point(const catalog::CatalogChange& declared, std::span<const TuneRange> ranges,
                                  std::span<const std::size_t> steps);

}  // namespace fettle::app
