#pragma once
// Sparkplug's array types (22 to 34), which travel packed in bytes_value (specification 3.0, 6.4.17): little endian;
// BooleanArray is a count of 4 bytes and bits, the first value in the most significant one; StringArray is texts, each
// ended by a NUL. Four of the specification's own examples contradict that text (big endian, a wrong byte, two bytes
// short; issue 435 there): the text is followed. Pure.

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "gateway/sparkplug/data_type.h"
#include "gateway/sparkplug/malformed.h"
#include "gateway/sparkplug/payload.h"

namespace fettle::sparkplug {

inline constexpr std::size_t kMaxElements = 100'000;  // of one array

// Appends the elements to `out`: values for number_of(), integer_of() and text_of() under element_of(array).
// reason: malformed, too_many_elements. On failure `out` is as it was. Texts refer to `bytes`.
std::optional<Malformed> decode_array(DataType array, std::string_view bytes, std::vector<Value>& out);

// The same number without reading them; nothing where decode_array() would refuse for its length.
std::optional<std::size_t> count_elements(DataType array, std::string_view bytes);

}  // namespace fettle::sparkplug
