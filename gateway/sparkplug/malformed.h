#pragma once
// Why bytes from the outside could not be used: a word to count by and a sentence for a person. Pure.

#include <boost/system/result.hpp>
#include <stdexcept>
#include <string>
#include <utility>

namespace fettle::sparkplug {

struct Malformed {
  // Spelled out, so that a lone text converts to no Malformed and Result<std::string> knows value from error.
  Malformed() = default;
  Malformed(std::string reason_word, std::string detail_sentence)
      : reason(std::move(reason_word)), detail(std::move(detail_sentence)) {}

  std::string reason;  // a word: malformed, too_many_metrics, bad_topic ...
  std::string detail;  // what, where (byte, metric), what was expected
};
[[noreturn]] inline void throw_exception_from_error(const Malformed& error, const boost::source_location&) {
  throw std::runtime_error(error.detail);
}
template <typename T>
using Result = boost::system::result<T, Malformed>;

}  // namespace fettle::sparkplug
