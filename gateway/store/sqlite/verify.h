#pragma once
// Whether a store holds together: the file, every block of readings, every invoice, every number series.
//
// Reads everything once, in one snapshot; works on a live store and on a backup. That usage follows from the readings
// is not asked here (the engine computes it again on top of this).

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/database.h"

namespace fettle::store {

inline constexpr std::size_t kMaxFindings = 1'000;      // then one more says that there are more
inline constexpr std::size_t kEvidencePerSignal = 256;  // of an episode

// What is wrong, a sentence each that names the thing; empty where all is well. Error: the file cannot be read at all.
engine::StoreResult<std::vector<std::string>> verify(Database& database);
engine::StoreResult<std::vector<std::string>> verify(const std::filesystem::path& file);

}  // namespace fettle::store
