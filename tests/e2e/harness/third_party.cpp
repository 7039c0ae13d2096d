#include "tests/e2e/harness/third_party.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <string_view>

#include "tests/e2e/harness/process.h"

namespace fettle::e2e {
namespace {

namespace fs = std::filesystem;

constexpr int kLeastNode = 18;  // Debian 12's
constexpr std::chrono::seconds kInstall{180};

// What npm says where no registry answers; everything else is a fault of the project.
constexpr std::array<std::string_view, 8> kUnreachable = {"ENOTFOUND",   "ECONNREFUSED", "ETIMEDOUT",    "EAI_AGAIN",
                                                          "ENETUNREACH", "ECONNRESET",   "EHOSTUNREACH", "ERR_SOCKET"};

bool available(const char* program) {
  return run_command({"sh", "-c", std::string("command -v ") + program}).code == 0;
}

int node_version() {
  const Ran ran = run_command({"node", "-p", "process.versions.node.split('.')[0]"});
  return ran.code == 0 ? std::stoi(ran.out) : 0;
}

void copy_programs(const fs::path& to) {
  const fs::path from = fs::path(FETTLE_SOURCE_DIR) / "tests/e2e/third_party";
  fs::create_directories(to);
  for (const auto& file : fs::directory_iterator(from)) {
    if (file.is_regular_file()) fs::copy_file(file, to / file.path().filename(), fs::copy_options::overwrite_existing);
  }
}

ThirdParty install() {
  ThirdParty clients{fs::path(FETTLE_BIN_DIR) / "../third_party", {}};
  if (!available("node") || !available("npm")) {
    clients.missing = "node and npm are not installed; ./run setup installs them";
    return clients;
  }
  if (const int version = node_version(); version < kLeastNode) {
    clients.missing =
        "Node.js is of version " + std::to_string(version) + "; expected " + std::to_string(kLeastNode) + " or newer";
    return clients;
  }
  copy_programs(clients.folder);
  const fs::path installed = clients.folder / "node_modules/.fettle-installed";
  const std::string lock = text_of(clients.folder / "package-lock.json");
  if (text_of(installed) == lock) return clients;
  const Ran npm =
      run_command({"npm", "ci", "--prefix", clients.folder.string(), "--ignore-scripts", "--no-audit", "--no-fund",
                   "--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000"},
                  kInstall);
  if (npm.code == 0) {
    write_text(installed, lock);
    return clients;
  }
  const bool unreachable = std::any_of(kUnreachable.begin(), kUnreachable.end(),
                                       [&](std::string_view word) { return npm.err.find(word) != std::string::npos; });
  if (!unreachable) throw std::runtime_error("npm ci failed in " + clients.folder.string() + ": " + npm.err);
  clients.missing = "npm reaches no registry; set one with: npm config set registry URL";
  return clients;
}

}  // namespace

const ThirdParty& third_party() {
  static const ThirdParty clients = install();
  return clients;
}

}  // namespace fettle::e2e
