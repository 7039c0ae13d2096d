#pragma once
// What a billing function reports instead of throwing or wrapping round.

#include <boost/system/result.hpp>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace fettle::billing {

struct Error {
  enum class Code : std::uint8_t {
    syntax,    // a text is not of its form
    overflow,  // an exact result does not fit in 64 bits
    missing,   // something needed was not given (a price, a VAT rate)
    invalid,   // the input contradicts itself
  };
  Code code = Code::invalid;
  std::string message;  // says what, of which value, and what was expected
};

[[noreturn]] inline void throw_exception_from_error(const Error& error, const boost::source_location&) {
  throw std::runtime_error(error.message);
}

template <typename T>
using Result = boost::system::result<T, Error>;

}  // namespace fettle::billing
