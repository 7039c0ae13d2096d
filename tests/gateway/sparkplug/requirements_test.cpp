// Every requirement of Sparkplug B 3.0 that concerns us has a test, and docs/reference/sparkplug.md says which.
//
// `sparkplug_requirements_test --write` rewrites that page.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace fettle::sparkplug::testing {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = FETTLE_SOURCE_DIR;
const fs::path kFolder = kRoot / "tests" / "gateway" / "sparkplug";
const fs::path kPage = kRoot / "docs" / "reference" / "sparkplug.md";

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

struct Requirement {
  std::string id;
  std::string role;  // host, edge, both
  std::string sentence;
};

std::vector<Requirement> requirements() {
  std::vector<Requirement> out;
  std::istringstream in(contents(kFolder / "requirements.tsv"));
  for (std::string line; std::getline(in, line);) {
    const std::size_t first = line.find('\t');
    const std::size_t second = line.find('\t', first + 1);
    out.push_back({line.substr(0, first), line.substr(first + 1, second - first - 1), line.substr(second + 1)});
  }
  return out;
}

struct Proof {
  std::string test;   // Suite.Name
  bool edge = false;  // of the edge node's role; else of the host's
};

// Reads one test source: the ids in each COVERS(...) belong to the TEST it stands in.
class Source {
 public:
  Source(const fs::path& path, std::multimap<std::string, Proof>& proofs)
      : edge_(path.filename().string().starts_with("edge_")), text_(contents(path)), proofs_(proofs) {}

  void read() {
    for (std::size_t at = 0; at < text_.size();) {
      const std::size_t line_end = std::min(text_.find('\n', at), text_.size());
      const std::string_view line = std::string_view(text_).substr(at, line_end - at);
      if (line.starts_with("TEST")) test_ = name_of_test(line);
      if (line == "}") test_.clear();
      const std::size_t covers = line.find("COVERS(");
      if (covers != std::string_view::npos && line.find_first_not_of(' ') == covers && !test_.empty()) {
        ids(at + covers);
      }
      at = line_end + 1;
    }
  }

 private:
  // "TEST_F(Suite, Name) {" -> "Suite.Name"
  static std::string name_of_test(std::string_view line) {
    std::string name(line.substr(line.find('(') + 1));
    name.resize(std::min(name.find(')'), name.size()));
    const std::size_t comma = name.find(", ");
    if (comma != std::string::npos) name.replace(comma, 2, ".");
    return name;
  }

  void ids(std::size_t at) {
    const std::size_t end = text_.find(')', at);
    for (std::size_t open = text_.find('"', at); open < end; open = text_.find('"', open)) {
      const std::size_t close = text_.find('"', open + 1);
      proofs_.emplace(text_.substr(open + 1, close - open - 1), Proof{test_, edge_});
      open = close + 1;
    }
  }

  bool edge_;
  std::string text_;
  std::string test_;
  std::multimap<std::string, Proof>& proofs_;
};

std::multimap<std::string, Proof> proofs() {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().string().ends_with("_test.cpp")) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::multimap<std::string, Proof> out;
  for (const fs::path& file : files) {
    if (file.filename() != "requirements_test.cpp") Source(file, out).read();
  }
  return out;
}

std::string tests_of(const std::multimap<std::string, Proof>& all, const std::string& id, bool edge) {
  std::set<std::string> names;
  const auto [first, last] = all.equal_range(id);
  for (auto it = first; it != last; ++it) {
    if (it->second.edge == edge) names.insert('`' + it->second.test + '`');
  }
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

// A table of one role; ids of the other role that this role's tests touch are in the other table's last column.
void table(const std::multimap<std::string, Proof>& all, bool edge, std::ostream& out) {
  out << "| requirement | in our words | holds | shown by |\n|---|---|---|---|\n";
  for (const Requirement& requirement : requirements()) {
    if (requirement.role != "both" && (requirement.role == "edge") != edge) continue;
    const std::string by = tests_of(all, requirement.id, edge);
    out << "| " << requirement.id << " | " << requirement.sentence << " | " << (by.empty() ? "no test" : "yes") << " | "
        << by << " |\n";
  }
}

void survived(const std::multimap<std::string, Proof>& all, std::ostream& out) {
  out << "| requirement of edge nodes | the host, also where one breaks it |\n|---|---|\n";
  for (const Requirement& requirement : requirements()) {
    if (requirement.role != "edge") continue;
    const std::string by = tests_of(all, requirement.id, false);
    if (!by.empty()) out << "| " << requirement.id << " | " << by << " |\n";
  }
}

// What the tables do not say.
constexpr std::string_view kBehaviour =
    "## What the gateway makes of messages\n"
    "\n"
    "**Names.** Each metric of a node or a device is a signal of its source, `<group>/<node>` or\n"
    "`<group>/<node>/<device>`. A composed metric becomes one signal for each of its parts:\n"
    "\n"
    "| metric | signals |\n"
    "|---|---|\n"
    "| template `Pump` with member `flow` and parameter `size` | `Pump/flow`, `Pump/size` |\n"
    "| template in a template | `Pump/motor/temperature` |\n"
    "| array `Levels` | `Levels[0]`, `Levels[1]` ... |\n"
    "| data set `Tanks` with column `level` | `Tanks[0]/level`, `Tanks[1]/level` ... |\n"
    "\n"
    "`bdSeq` and what begins with `Node Control/` or `Device Control/` is no signal. Template definitions are\n"
    "none either.\n"
    "\n"
    "**Times.** A value has the timestamp of its metric, else that of the payload, else the time it was\n"
    "received.\n"
    "\n"
    "**Quality.** The property `Quality` is good (192, or absent), stale (500) or bad (0, and anything else).\n"
    "\n"
    "**Order.** Messages of an edge node are applied in the order of their sequence numbers. One that comes too\n"
    "early waits, at most `reorder_timeout` (2 s). When the missing one comes in time, nothing is to be seen of\n"
    "it but a healed gap. When it does not, the gap is recorded as lost, what waited is kept as history, and\n"
    "the node is asked for a rebirth: at once, and again after 5 s, 10 s and so on up to every 5 minutes (each\n"
    "time with up to half as much added) until it is born. A rebirth is also asked for when a message comes\n"
    "before any birth, cannot be read, or names what no birth named.\n"
    "\n"
    "**Online.** A node is dead when an NDEATH names the `bdSeq` of its last NBIRTH (any NDEATH, if that had\n"
    "none); it takes its devices with it. Everything is stale while the connection to its broker is lost, and\n"
    "devices are from their node's birth until their own. A node belongs to the broker of its last NBIRTH;\n"
    "messages over another one are ignored and counted.\n"
    "\n"
    "**Compressed payloads**, as Eclipse Tahu and the npm package `sparkplug-client` can send them, are taken for\n"
    "the payload inside, although Sparkplug 3.0 does not know them: the outer one has the uuid\n"
    "`SPBV1.0_COMPRESSED`, its body is the compressed one, and its metric `algorithm` is `DEFLATE` (the zlib format;\n"
    "meant where there is none) or `GZIP`; which of the two it is is read from the body itself. Sequence number,\n"
    "times and metrics are those inside. What is larger than `sparkplug.max_payload` when inflated, cut short,\n"
    "damaged, compressed twice or of another algorithm is refused as `compression`.\n"
    "\n"
    "**What is refused** goes to the quarantine with one of these reasons: `malformed`, `not_utf8`,\n"
    "`too_large`, `too_deep`, `name_too_long`, `too_many_metrics`, `too_many_cells`, `too_many_properties`,\n"
    "`too_many_elements`, `too_many_nodes`, `too_many_devices` (limits below), `not_sparkplug`, `unknown_type`,\n"
    "`bad_topic` (the topic), `compression` (above), `before_birth`, `no_seq`, `overtaken`, `unknown_alias`,\n"
    "`unknown_metric`, `no_name`, `name_twice`, `alias_twice`, `no_datatype`, `unknown_datatype`, `wrong_value`.\n"
    "Of several metrics of one message the first is named, and how many there are.\n"
    "\n"
    "| limit | |\n"
    "|---|---|\n"
    "| payload | 16 MiB; 10,000 metrics, members of templates included; 100,000 properties; 100,000 cells of data sets "
    "|\n"
    "| compressed payload | `sparkplug.max_payload` when inflated, never more than 8 MiB |\n"
    "| name of a metric, property, parameter or column | 1,024 bytes |\n"
    "| nesting of templates and of property sets | 8 |\n"
    "| elements of an array | 100,000; as signals 10,000 |\n"
    "| edge nodes, devices | 10,000, 100,000 |\n"
    "| metrics of a node or device | 10,000, parts of composed ones included |\n"
    "| messages that wait | 256 and 1 MiB for a node, 64 MiB for all |\n"
    "\n";

std::string page() {
  const auto all = proofs();
  std::ostringstream out;
  out << "# Sparkplug B 3.0, requirement by requirement\n\n"
         "The gateway is a Sparkplug Host Application; the simulator `fettle-sim` is an Edge Node. The ids are those "
         "of the\n"
         "Eclipse Sparkplug 3.0.0 specification (there with `tck-id-` before them); the sentences are ours. The page "
         "is made\n"
         "from the tests: each names the requirements it proves, and a test fails where one has none or where this "
         "page is\n"
         "out of date. After a change: `build/release/bin/sparkplug_requirements_test --write`.\n\n"
         "Where the specification contradicts itself: the first sequence number of an NBIRTH is sent as 0 and any is\n"
         "accepted; arrays are little endian as the text says, not as four of its examples show.\n\n"
      << kBehaviour;
  out << "## Host Application\n\n";
  table(all, false, out);
  out << "\n## Edge Node\n\n";
  table(all, true, out);
  out << "\n## Rules of edge nodes that the host relies on\n\n"
         "Equipment in the field breaks rules. These tests show what the host makes of them, kept or broken.\n\n";
  survived(all, out);
  return out.str();
}

TEST(Requirements, AreListedOnceAndEachInOneSentence) {
  std::set<std::string> seen;
  std::map<std::string, int> roles;
  for (const Requirement& requirement : requirements()) {
    EXPECT_TRUE(seen.insert(requirement.id).second) << requirement.id << " is listed twice";
    EXPECT_TRUE(requirement.sentence.ends_with('.')) << requirement.id;
    ++roles[requirement.role];
  }
  EXPECT_EQ(roles["host"] + roles["both"], 90);
  EXPECT_EQ(roles["edge"] + roles["both"], 200);
  EXPECT_EQ(roles.size(), 3u);
}

TEST(Requirements, OfTheHostAreAllProved) {
  const auto all = proofs();
  for (const Requirement& requirement : requirements()) {
    if (requirement.role == "edge") continue;
    EXPECT_FALSE(tests_of(all, requirement.id, false).empty()) << requirement.id << ": " << requirement.sentence;
  }
}

TEST(Requirements, OfTheEdgeNodeAreAllProved) {
  const auto all = proofs();
  for (const Requirement& requirement : requirements()) {
    if (requirement.role == "host") continue;
    EXPECT_FALSE(tests_of(all, requirement.id, true).empty()) << requirement.id << ": " << requirement.sentence;
  }
}

TEST(Requirements, NamedByTestsAreListed) {
  std::set<std::string> listed;
  for (const Requirement& requirement : requirements()) listed.insert(requirement.id);
  for (const auto& [id, proof] : proofs()) EXPECT_TRUE(listed.contains(id)) << proof.test << " names " << id;
}

TEST(Requirements, PageIsUpToDate) {
  EXPECT_EQ(contents(kPage), page()) << "rewrite it with: build/release/bin/sparkplug_requirements_test --write";
}

}  // namespace

bool write_page() {
  std::ofstream out(kPage, std::ios::binary);
  out << page();
  out.close();
  std::cout << kPage.string() << (out.good() ? " written\n" : " cannot be written\n");
  return out.good();
}

}  // namespace fettle::sparkplug::testing

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (argc == 2 && std::strcmp(argv[1], "--write") == 0) return fettle::sparkplug::testing::write_page() ? 0 : 1;
  return RUN_ALL_TESTS();
}
