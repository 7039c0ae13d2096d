#include "tests/bench/setting.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "tests/bench/wait.h"
#include "tests/e2e/harness/process.h"

namespace fettle::bench {
namespace {

constexpr std::chrono::milliseconds kLook{2};
constexpr std::chrono::seconds kStart{60};

// The kind of file system that holds a path, as the kernel calls it.
std::string file_system_of(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return "unknown";
  const std::string device = std::to_string(major(info.st_dev)) + ':' + std::to_string(minor(info.st_dev));
  std::ifstream mounts("/proc/self/mountinfo");  // proc(5)
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string skipped;
    std::string number;
    std::string kind;
    fields >> skipped >> skipped >> number;
    const std::size_t dash = line.find(" - ");
    if (number != device || dash == std::string::npos) continue;
    std::istringstream(line.substr(dash + 3)) >> kind;
    return kind;
  }
  return "unknown";
}

}  // namespace

std::unique_ptr<test::TemporaryFolder> make_folder() {
  try {
    return std::make_unique<test::TemporaryFolder>();
  } catch (const std::exception& error) {
    throw std::runtime_error(std::string(error.what()) + "; set TMPDIR to a folder on a disk that you may write to");
  }
}

std::unique_ptr<e2e::Broker> start_broker(const std::filesystem::path& folder) {
  try {
    return std::make_unique<e2e::Broker>(folder);
  } catch (const std::exception& error) {
    throw std::runtime_error(std::string(error.what()) +
                             "\nIs mosquitto installed and on the PATH? `./run setup` installs it.");
  }
}

double load_average() {
  double load = 0;
  return ::getloadavg(&load, 1) == 1 ? load : 0;
}

void describe_place(const std::filesystem::path& folder) {
  const std::string kind = file_system_of(folder);
  std::fprintf(stderr, "in %s (%s), %u processors, load %.1f\n", folder.c_str(), kind.c_str(),
               std::thread::hardware_concurrency(), load_average());
  if (kind == "tmpfs") {
    std::fprintf(stderr,
                 "warning: that is memory, and the gateway is measured without a disk; "
                 "set TMPDIR to a folder on one\n");
  }
}

std::filesystem::path program(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").replace_filename(name);
}

std::filesystem::path apply_catalog(const std::filesystem::path& folder, const std::string& configuration,
                                    const std::string& catalog) {
  const std::filesystem::path config = folder / "gateway.yaml";
  const std::filesystem::path declared = folder / "catalog.yaml";
  e2e::write_text(config, "data: " + (folder / "data").string() + '\n' + configuration);
  e2e::write_text(declared, catalog);
  const e2e::Ran applied =
      e2e::run_command({program("fettle").string(), "apply", "--config", config.string(), declared.string()});
  if (applied.code != 0) {
    throw std::runtime_error("fettle apply failed: " + applied.err + applied.out +
                             "(the benchmark made the catalog; build fettle and it from the same source)");
  }
  return config;
}

void wait_until_says(Child& child, const std::string& text, const std::string& who) {
  wait_for([&] { return !child.running() || child.output().find(text) != std::string::npos; }, kLook, kStart,
           who + " did not subscribe");
  if (!child.running()) throw std::runtime_error(who + " ended at once; it said: " + child.output());
}

}  // namespace fettle::bench
