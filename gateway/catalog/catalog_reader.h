#pragma once
// `fettle apply`: YAML files in, entries out, or everything that is wrong with them at once.
//
// Pure but for the unit and time-zone databases of the operating system. Safe to call from several threads.

#include <boost/system/result.hpp>
#include <span>
#include <string>
#include <vector>

#include "gateway/catalog/diagnostics.h"
#include "gateway/engine/catalog.pb.h"

namespace fettle::catalog {

struct SourceFile {
  std::string name;  // as messages shall show it
  std::string text;
};

// Whether a declared rule without a test is an error. It is one for whoever puts it in force, not for whoever tries it.
enum class RuleTests { optional, required };

// Entries of one apply and of the catalog that it leads to.
inline constexpr std::size_t kMaxEntries = 100'000;

[[noreturn]] void throw_exception_from_error(const std::vector<FileDiagnostic>& diagnostics,
                                             const boost::source_location& location);

// Every declared entry, whole, in the order of the files, those that equal what exists included (catalog_diff.h tells
// them apart). The files are checked together with `existing`, as the catalog would be after the apply. Errors are
// sorted by file, line and column and never empty. Rules' tests are read and checked; running them is app/pack_tests.h.
boost::system::result<CatalogChange, std::vector<FileDiagnostic>> read_catalog(std::span<const SourceFile> files,
                                                                               const std::vector<Entry>& existing,
                                                                               RuleTests tests = RuleTests::optional);

}  // namespace fettle::catalog
