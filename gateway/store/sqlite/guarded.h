#pragma once
// The edge between this folder, which throws, and its callers, who get a StoreResult.

#include <exception>
#include <type_traits>
#include <utility>

#include "gateway/engine/ports.h"

namespace fettle::store {

// What f() returns, or the error that it threw.
template <typename F>
auto guarded(F&& f) -> engine::StoreResult<std::invoke_result_t<F>> {
  try {
    if constexpr (std::is_void_v<std::invoke_result_t<F>>) {
      std::forward<F>(f)();
      return {};
    } else {
      return std::forward<F>(f)();
    }
  } catch (const std::exception& error) {
    return engine::StoreError{error.what()};
  }
}

}  // namespace fettle::store
