// The tests of rule packs, one line each.

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "gateway/app/commands.h"
#include "gateway/app/output.h"
#include "gateway/app/pack_tests.h"
#include "gateway/catalog/catalog_reader.h"

namespace fettle::app {
namespace {

namespace json = boost::json;

// Who waits longer than this is told how far it is, on standard error.
constexpr std::chrono::seconds kSilence{2};

std::optional<std::vector<catalog::Entry>> entries_in_force(const Config& config) {
  const auto reader = open_reader(config);
  if (!reader) return std::nullopt;
  const auto rows = value_or_fail(reader->catalog());
  if (!rows) return std::nullopt;
  std::vector<catalog::Entry> entries;
  for (const engine::CatalogRow& row : *rows) entries.emplace_back().ParseFromString(row.body);
  return entries;
}

std::optional<std::vector<catalog::SourceFile>> read_files(const std::vector<std::filesystem::path>& paths) {
  std::vector<catalog::SourceFile> files;
  for (const std::filesystem::path& path : paths) {
    std::ifstream in(path, std::ios::binary);
    if (!in) {
      fail("cannot read " + path.string());
      return std::nullopt;
    }
    files.push_back({path.string(), std::string(std::istreambuf_iterator<char>(in), {})});
  }
  return files;
}

bool lacks_model(const std::vector<catalog::FileDiagnostic>& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(), [](const catalog::FileDiagnostic& each) {
    return each.message.find("there is no model") != std::string::npos;
  });
}

json::object json_of(const TestResult& result) {
  json::array episodes;
  for (const FoundEpisode& each : result.episodes) {
    episodes.push_back(
        json::object{{"raised_after_ms", each.raised.count()},
                     {"cleared_after_ms", each.cleared ? json::value(each.cleared->count()) : json::value()}});
  }
  return {{"pack", result.pack},         {"rule", result.rule},
          {"test", result.test},         {"file", result.file},
          {"line", result.line},         {"ok", result.passed},
          {"readings", result.readings}, {"episodes", std::move(episodes)},
          {"expected", result.expected}, {"happened", result.happened},
          {"hint", result.hint}};
}

void print(const TestResult& result, Format format) {
  if (format == Format::json) {
    std::printf("%s\n", json::serialize(json_of(result)).c_str());
  } else if (result.passed) {
    std::printf("ok      %s/%s: %s (%s)\n", result.pack.c_str(), result.rule.c_str(), result.test.c_str(),
                result.happened.c_str());
    if (!result.hint.empty()) std::printf("    %s\n", result.hint.c_str());
  } else {
    std::printf("FAILED  %s\n", failure_text(result).c_str());
  }
}

void print_sum(std::size_t tests, std::size_t failed, Format format) {
  if (format == Format::json) {
    std::printf("%s\n", json::serialize(json::object{{"tests", tests}, {"failed", failed}}).c_str());
  } else {
    std::printf("%zu test%s, %zu failed\n", tests, tests == 1 ? "" : "s", failed);
  }
}

}  // namespace

int test_packs(const std::optional<Config>& config, const std::vector<std::filesystem::path>& paths, Format format) {
  std::vector<catalog::Entry> existing;
  if (config) {
    auto in_force = entries_in_force(*config);
    if (!in_force) return 1;
    existing = std::move(*in_force);
  }
  const auto files = read_files(paths);
  if (!files) return 1;
  const auto declared = catalog::read_catalog(*files, existing, catalog::RuleTests::required);
  if (!declared) {
    for (const catalog::FileDiagnostic& diagnostic : declared.error()) {
      std::fprintf(stderr, "%s\n", catalog::to_string(diagnostic).c_str());
    }
    if (!config && lacks_model(declared.error())) {
      std::fprintf(stderr,
                   "fettle: models are looked for in the files given; name the file that declares them as well, "
                   "or a gateway that knows them with --config FILE\n");
    }
    return 1;
  }
  const std::vector<catalog::Entry> entries(declared->entries().begin(), declared->entries().end());
  const std::vector<TestCase> tests = tests_of(entries, existing);
  if (tests.empty()) return fail("no rule pack in the files given; name one that begins with `pack:`");
  std::size_t failed = 0;
  auto told = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < tests.size(); ++i) {
    const auto result = run_test(tests[i]);
    if (!result) return fail(result.error().message);
    print(*result, format);
    if (!result->passed) ++failed;
    if (const auto now = std::chrono::steady_clock::now(); now - told > kSilence && i + 1 < tests.size()) {
      told = now;
      std::fprintf(stderr, "fettle: %zu of %zu tests done\n", i + 1, tests.size());
    }
  }
  print_sum(tests.size(), failed, format);
  return failed == 0 ? 0 : 1;
}

}  // namespace fettle::app
