#include "tests/layering/source_rules.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

namespace fettle::layering {
namespace {

// ---- the tables
// ------------------------------------------------------------------------------------------------------

// A folder and the folders or single files it may include besides itself. The longest matching folder counts.
struct Layer {
  std::string_view folder;
  std::vector<std::string_view> may_include;
};

// Dependencies point one way: app -> adapters -> engine -> {rules, billing, dispatch}; those three do not know each
// other.
const std::vector<Layer>& layers() {
  static const std::vector<Layer> kLayers = {
      {"rules", {}},
      {"billing", {}},
      {"gateway/dispatch", {}},
      {"gateway/journal", {}},
      {"gateway/direct", {}},
      {"gateway/sparkplug", {}},
      // The engine reads records; how they are kept on the disk is the journal's own affair.
      {"gateway/engine",
       {"gateway/direct", "gateway/sparkplug", "gateway/journal/record.h", "gateway/dispatch", "rules", "billing"}},
      {"gateway/store", {"gateway/engine", "gateway/dispatch", "rules", "billing"}},
      // Routes come in as functions: the server knows nothing of what they answer.
      {"gateway/http", {}},
      {"gateway/mqtt", {"gateway/journal", "gateway/sparkplug"}},
      {"gateway/catalog",
       {"gateway/engine", "gateway/direct/mapping_syntax.h", "gateway/direct/mapping.h", "rules", "billing"}},
      // The only place that names every adapter.
      {"gateway/app", {"gateway", "rules", "billing"}},
      // Simulated equipment speaks to the gateway over MQTT; the two share how Sparkplug is spoken and nothing else.
      {"firmware-sim", {"gateway/sparkplug"}},
      {"tests", {"rules", "billing", "gateway", "firmware-sim"}},
  };
  return kLayers;
}

constexpr std::array<std::string_view, 5> kRoots = {"rules", "billing", "gateway", "firmware-sim", "tests"};

// Same input, same result: these take values and return values.
constexpr std::array<std::string_view, 3> kPureFolders = {"rules", "billing", "gateway/dispatch"};

// Headers by name, or by beginning where the pattern ends in '*', and what each would bring into a pure folder.
struct ImpureHeader {
  std::string_view pattern;
  std::string_view brings;
};
constexpr std::array<ImpureHeader, 18> kImpureHeaders = {{
    {"fstream", "files"},
    {"iostream", "the console"},
    {"filesystem", "files"},
    {"thread", "threads"},
    {"mutex", "threads"},
    {"shared_mutex", "threads"},
    {"condition_variable", "threads"},
    {"future", "threads"},
    {"sqlite3.h", "SQL"},
    {"boost/json*", "JSON"},
    {"boost/asio*", "sockets"},
    {"boost/beast*", "sockets"},
    {"mqtt/*", "MQTT"},
    {"MQTT*", "MQTT"},
    {"yaml-cpp/*", "YAML"},
    {"google/protobuf/*", "a wire format"},
    {"sys/socket.h", "sockets"},
    {"unistd.h", "the operating system"},
}};

// Third-party headers that belong to one adapter.
struct Confined {
  std::string_view pattern;
  std::vector<std::string_view> folders;
  std::string_view what;
};
const std::vector<Confined>& confined_headers() {
  static const std::vector<Confined> kConfined = {
      {"mqtt/*", {"gateway/mqtt", "firmware-sim", "tests"}, "Paho"},
      {"MQTT*", {"gateway/mqtt", "firmware-sim", "tests"}, "Paho"},
      {"sqlite3.h", {"gateway/store/sqlite", "tests"}, "SQLite"},
      {"boost/beast*", {"gateway/http"}, "Beast"},
  };
  return kConfined;
}

// Files that are longer than kMaxLines and better so. Each with its reason; a short list, or the limit is wrong.
struct LongFile {
  std::string_view path;
  std::string_view reason;
};
constexpr std::array<LongFile, 0> kLongFiles = {};

// ---- reading C++ just as far as needed
// -------------------------------------------------------------------------------

bool inside(std::string_view path, std::string_view folder) {
  return path == folder || (path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/');
}

template <typename Range>
bool inside_any(std::string_view path, const Range& folders) {
  return std::any_of(folders.begin(), folders.end(), [&](std::string_view folder) { return inside(path, folder); });
}

bool matches(std::string_view name, std::string_view pattern) {
  if (!pattern.ends_with('*')) return name == pattern;
  return name.starts_with(pattern.substr(0, pattern.size() - 1));
}

// Calls f(line number, line) for each line of the text.
template <typename F>
void each_line(std::string_view text, F f) {
  std::size_t number = 1;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    f(number++, text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

// Where the literal or comment that begins at `at` ends (one past its last character).
std::size_t end_of_raw_string(std::string_view text, std::size_t at) {
  const std::size_t open = text.find('(', at);
  if (open == std::string_view::npos) return text.size();
  std::string closing = ")";
  closing += text.substr(at + 2, open - at - 2);
  closing += '"';
  const std::size_t close = text.find(closing, open);
  return close == std::string_view::npos ? text.size() : close + closing.size();
}

std::size_t end_of_quoted(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (std::size_t i = at + 1; i < text.size() && text[i] != '\n'; ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      return i + 1;
    }
  }
  return std::min(text.size(), at + 1);  // not a literal after all
}

bool word_character(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

enum class Keep { literals, no_literals };

// The text with comments, and literals if so asked, turned into blanks. Line breaks stay, so line numbers hold.
std::string code_only(std::string_view text, Keep keep) {
  std::string out(text);
  std::size_t i = 0;
  while (i < text.size()) {
    const std::string_view rest = text.substr(i);
    const bool after_word = i > 0 && word_character(text[i - 1]);
    std::size_t end = i + 1;
    bool blank = false;
    if (rest.starts_with("//")) {
      end = std::min(text.find('\n', i), text.size());
      blank = true;
    } else if (rest.starts_with("/*")) {
      const std::size_t close = text.find("*/", i + 2);
      end = close == std::string_view::npos ? text.size() : close + 2;
      blank = true;
    } else if (rest.starts_with("R\"") && !after_word) {
      end = end_of_raw_string(text, i);
      blank = keep == Keep::no_literals;
    } else if (rest[0] == '"' || (rest[0] == '\'' && !after_word)) {  // 1'000 is a number
      end = end_of_quoted(text, i);
      blank = keep == Keep::no_literals;
    }
    if (blank) {
      std::replace_if(
          out.begin() + static_cast<std::ptrdiff_t>(i), out.begin() + static_cast<std::ptrdiff_t>(end),
          [](char c) { return c != '\n'; }, ' ');
    }
    i = end;
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

// What an #include line names; nothing for any other line.
std::optional<std::string_view> included(std::string_view line) {
  line = trimmed(line);
  if (!line.starts_with('#')) return std::nullopt;
  line = trimmed(line.substr(1));
  if (!line.starts_with("include")) return std::nullopt;
  line = trimmed(line.substr(7));
  if (line.size() < 2 || (line[0] != '"' && line[0] != '<')) return std::nullopt;
  const std::size_t close = line.find(line[0] == '"' ? '"' : '>', 1);
  if (close == std::string_view::npos) return std::nullopt;
  return line.substr(1, close - 1);
}

const Layer* layer_of(std::string_view path) {
  const Layer* best = nullptr;
  for (const Layer& layer : layers()) {
    if (inside(path, layer.folder) && (best == nullptr || layer.folder.size() > best->folder.size())) best = &layer;
  }
  return best;
}

std::string allowed_list(const Layer& layer) {
  std::string out(layer.folder);
  for (std::string_view folder : layer.may_include) {
    out += ", ";
    out += folder;
  }
  return out;
}

// `word` in `line`, not as a part of a longer one and not as a quoted value of its own ("XX" "X" is ISO 4217's no
// currency).
bool has_word(std::string_view line, std::string_view word) {
  for (std::size_t at = line.find(word); at != std::string_view::npos; at = line.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    const char before = at == 0 ? ' ' : line[at - 1];
    const char after = end == line.size() ? ' ' : line[end];
    const bool quoted = before == '"' && after == '"';
    if (!word_character(before) && !word_character(after) && !quoted) return true;
  }
  return false;
}

// A directory at the root of some machine: "/name/", not in the middle of a longer path.
bool has_root_folder(std::string_view line, std::string_view folder) {
  for (std::size_t at = line.find(folder); at != std::string_view::npos; at = line.find(folder, at + 1)) {
    if (at == 0) return true;
    const char before = line[at - 1];
    if (!word_character(before) && before != '.' && before != '-' && before != '}' && before != ')' && before != '>') {
      return true;
    }
  }
  return false;
}

// Lines of `using namespace` that every includer would inherit: those inside no braces but those of namespaces.
std::vector<std::size_t> leaked_namespaces(std::string_view code) {
  std::vector<std::size_t> lines;
  std::size_t line = 1;
  std::size_t inner = 0;  // open braces, from the first that is not a namespace's
  std::string statement;  // since the last ; { }
  for (const char c : code) {
    if (c == '\n') ++line;
    if (c == '{') {
      const std::string_view head = trimmed(statement);
      const bool names = head.starts_with("namespace") || head.starts_with("inline namespace") || head == "extern";
      if (inner > 0 || !names) ++inner;
    } else if (c == '}') {
      if (inner > 0) --inner;
    } else if (c == ';') {
      if (inner == 0 && trimmed(statement).starts_with("using namespace")) lines.push_back(line);
    } else {
      statement += c;
      continue;
    }
    statement.clear();
  }
  return lines;
}

// A directive is a statement of its own line and would hide the one after it.
std::string without_directives(std::string_view code) {
  std::string out;
  each_line(code, [&](std::size_t, std::string_view line) {
    if (!trimmed(line).starts_with('#')) out += line;
    out += '\n';
  });
  return out;
}

void check_project_include(const SourceFile& file, std::size_t line, std::string_view name,
                           std::vector<Finding>& findings) {
  const Layer* layer = layer_of(file.path);
  if (layer == nullptr) {
    findings.push_back({file.path, line,
                        "includes " + std::string(name) +
                            ", but its folder is not in the allow-list (tests/layering/source_rules.cpp); add it there "
                            "with what it may include"});
    return;
  }
  if (inside(name, layer->folder) || inside_any(name, layer->may_include)) return;
  findings.push_back({file.path, line,
                      "includes " + std::string(name) + "; folder " + std::string(layer->folder) +
                          " may include only " + allowed_list(*layer)});
}

void check_foreign_include(const SourceFile& file, std::size_t line, std::string_view name,
                           std::vector<Finding>& findings) {
  if (inside_any(file.path, kPureFolders)) {
    for (const ImpureHeader& header : kImpureHeaders) {
      if (!matches(name, header.pattern)) continue;
      findings.push_back({file.path, line,
                          "includes <" + std::string(name) + ">, which brings " + std::string(header.brings) +
                              "; rules, billing and gateway/dispatch take values and return values"});
      return;
    }
  }
  for (const Confined& confined : confined_headers()) {
    if (!matches(name, confined.pattern) || inside_any(file.path, confined.folders)) continue;
    std::string where;
    for (std::string_view folder : confined.folders) where += (where.empty() ? "" : ", ") + std::string(folder);
    findings.push_back(
        {file.path, line,
         "includes <" + std::string(name) + ">; " + std::string(confined.what) + " may be named only in " + where});
  }
}

}  // namespace

std::string to_string(const Finding& finding) {
  const std::string where = finding.line == 0 ? finding.path : finding.path + ":" + std::to_string(finding.line);
  return where + ": " + finding.message;
}

bool is_header(std::string_view path) {
  return path.ends_with(".h");
}
bool is_cpp(std::string_view path) {
  return is_header(path) || path.ends_with(".cpp");
}

std::vector<Finding> check_includes(const SourceFile& file) {
  std::vector<Finding> findings;
  const std::string code = code_only(file.text, Keep::literals);
  each_line(code, [&](std::size_t number, std::string_view line) {
    const auto name = included(line);
    if (!name) return;
    const bool quoted = line.find('"') != std::string_view::npos;
    if (inside_any(*name, kRoots)) {
      check_project_include(file, number, *name, findings);
    } else if (quoted) {
      findings.push_back({file.path, number,
                          "includes \"" + std::string(*name) +
                              "\"; write the project's own headers from the root (\"rules/unit.h\") and everything "
                              "else in <>"});
    } else {
      check_foreign_include(file, number, *name, findings);
    }
  });
  return findings;
}

std::vector<Finding> check_purity(const SourceFile& file) {
  std::vector<Finding> findings;
  if (!inside_any(file.path, kPureFolders)) return findings;
  each_line(code_only(file.text, Keep::no_literals), [&](std::size_t number, std::string_view line) {
    for (const std::string_view clock : {"system_clock::now", "steady_clock::now", "high_resolution_clock::now"}) {
      if (line.find(clock) == std::string_view::npos) continue;
      findings.push_back(
          {file.path, number,
           "reads " + std::string(clock) + "; in rules, billing and gateway/dispatch time is a parameter"});
    }
  });
  return findings;
}

std::vector<Finding> check_header(const SourceFile& file) {
  std::vector<Finding> findings;
  if (!is_header(file.path)) return findings;
  bool once = false;
  bool prose = false;
  each_line(file.text, [&](std::size_t number, std::string_view line) {
    once = once || trimmed(line) == "#pragma once";
    prose = prose || (number <= 5 && trimmed(line).starts_with("// "));
  });
  if (!once) findings.push_back({file.path, 0, "has no #pragma once"});
  if (!prose) {
    findings.push_back({file.path, 0, "does not say in its first five lines (// ...) what it is, and what it is not"});
  }
  const std::string code = without_directives(code_only(file.text, Keep::no_literals));
  for (const std::size_t line : leaked_namespaces(code)) {
    findings.push_back({file.path, line, "says `using namespace` where every file that includes it inherits it"});
  }
  return findings;
}

std::vector<Finding> check_length(const SourceFile& file) {
  const auto lines = static_cast<std::size_t>(std::count(file.text.begin(), file.text.end(), '\n'));
  const bool listed =
      std::any_of(kLongFiles.begin(), kLongFiles.end(), [&](const LongFile& known) { return known.path == file.path; });
  if (!is_cpp(file.path) || lines <= kMaxLines || listed) return {};
  return {{file.path, 0,
           "has " + std::to_string(lines) + " lines, more than " + std::to_string(kMaxLines) +
               "; split it where it has two subjects, or name it in kLongFiles with the reason"}};
}

std::vector<Finding> check_text(const SourceFile& file) {
  // Each word in two halves, so that this file may be checked as well.
  constexpr std::array<std::string_view, 3> kMarks = {
      "TO"
      "DO",
      "FIX"
      "ME",
      "XX"
      "X"};
  constexpr std::array<std::string_view, 3> kMachineFolders = {
      "/wo"
      "rk/",
      "/ro"
      "ot/",
      "/ho"
      "me/"};
  std::vector<Finding> findings;
  each_line(file.text, [&](std::size_t number, std::string_view line) {
    for (const std::string_view mark : kMarks) {
      if (has_word(line, mark)) {
        findings.push_back({file.path, number, "says " + std::string(mark) + "; finish it, or open an issue"});
      }
    }
    for (const std::string_view folder : kMachineFolders) {
      if (has_root_folder(line, folder)) {
        findings.push_back({file.path, number, "names " + std::string(folder) + "..., a folder of one machine"});
      }
    }
  });
  return findings;
}

}  // namespace fettle::layering
