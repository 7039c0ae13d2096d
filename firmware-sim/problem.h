#pragma once
// Why something could not be done, as one text for a person: what is wrong, where, and what to do about it.

#include <boost/system/result.hpp>
#include <string>

namespace fettle::sim {

struct Problem {
  std::string text;
};

template <class T>
using Result = boost::system::result<T, Problem>;

}  // namespace fettle::sim
