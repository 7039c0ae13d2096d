#pragma once
// Where a benchmark runs: a folder and a broker of its own, a gateway with a catalog, and what is said about the
// machine.

#include <filesystem>
#include <memory>
#include <string>

#include "tests/bench/child.h"
#include "tests/e2e/harness/broker.h"
#include "tests/gateway/temporary_folder.h"

namespace fettle::bench {

// Throws with what to do where it cannot be made or started.
std::unique_ptr<fettle::test::TemporaryFolder> make_folder();
std::unique_ptr<fettle::e2e::Broker> start_broker(const std::filesystem::path& folder);

double load_average();  // of the last minute
// On standard error: the folder, its file system and the machine, with a warning where that is memory.
void describe_place(const std::filesystem::path& folder);

// A program built together with this one, such as "fettle".
std::filesystem::path program(const std::string& name);

// Writes `configuration` (all but the data folder) and `catalog` into `folder`, where the gateway's data will be in
// data/, and applies them: the configuration's file. Throws where the catalog is refused.
std::filesystem::path apply_catalog(const std::filesystem::path& folder, const std::string& configuration,
                                    const std::string& catalog);

// Waits until `who` has written `text`. Throws where it ends or does not.
void wait_until_says(Child& child, const std::string& text, const std::string& who);

}  // namespace fettle::bench
