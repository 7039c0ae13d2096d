// The fuzzers' laws over their corpus, without a fuzzer. A find of theirs becomes a file there and stays.
//
// `fuzz_corpus_test --write` makes the part of the corpus that comes from our own samples anew.

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>

#include "tests/fuzz/entries.h"
#include "tests/gateway/sparkplug/samples.h"

namespace fettle::sparkplug::testing {
namespace {

namespace fs = std::filesystem;

const fs::path kCorpus = fs::path(FETTLE_SOURCE_DIR) / "tests" / "fuzz" / "corpus";

template <typename Entry>
int run_folder(const fs::path& folder, Entry entry) {
  int files = 0;
  for (const auto& file : fs::directory_iterator(folder)) {
    std::ifstream in(file.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    std::cout << file.path().filename().string() << '\n';  // the last one named is the one that broke a law
    entry(bytes);
    ++files;
  }
  return files;
}

TEST(Corpus, OfPayloadsKeepsTheLaws) {
  EXPECT_GE(run_folder(kCorpus / "payload", fuzz_payload), 15);
}

TEST(Corpus, OfScriptsKeepsTheLaws) {
  EXPECT_GE(run_folder(kCorpus / "host_nodes", fuzz_host_nodes), 10);
}

TEST(Corpus, OfRulesKeepsTheLaws) {
  EXPECT_GE(run_folder(kCorpus / "rules", rules::fuzz_rules), 20);
}

TEST(Corpus, HasEverySampleAsItIsNow) {
  for (const SamplePayload& sample : sample_payloads()) {
    std::ifstream in(kCorpus / "payload" / sample.name, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    EXPECT_EQ(bytes, sample.bytes) << sample.name << "; make it anew with: build/release/bin/fuzz_corpus_test --write";
  }
}

}  // namespace

void write_corpus() {
  for (const SamplePayload& sample : sample_payloads()) {
    std::ofstream(kCorpus / "payload" / sample.name, std::ios::binary) << sample.bytes;
  }
  constexpr unsigned kScripts = 8;
  constexpr std::size_t kScriptBytes = 400;
  for (unsigned seed = 0; seed < kScripts; ++seed) {
    std::mt19937 random(seed);
    std::string bytes(kScriptBytes, '\0');
    for (char& byte : bytes) byte = static_cast<char>(random() & 0xFFU);
    std::ofstream(kCorpus / "host_nodes" / ("script_" + std::to_string(seed)), std::ios::binary) << bytes;
  }
}

}  // namespace fettle::sparkplug::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (argc == 2 && std::strcmp(argv[1], "--write") == 0) {
    fettle::sparkplug::testing::write_corpus();
    return 0;
  }
  return RUN_ALL_TESTS();
}
