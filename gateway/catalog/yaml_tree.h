#pragma once
// A YAML file as a tree that remembers where everything was written. Knows nothing of catalogs.
//
// Not yaml-cpp's own Node: that one hides repeated keys and the places of a text's characters. Every scalar stays the
// text that was written; what it means is the reader's business, so `country: NO` is Norway.

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/catalog/diagnostics.h"

namespace fettle::catalog {

// Limits of one file; what exceeds them is refused with its place.
inline constexpr std::size_t kMaxFileBytes = std::size_t{8} * 1024 * 1024;
inline constexpr std::size_t kMaxDepth = 32;
inline constexpr std::size_t kMaxNodes = 2'000'000;  // every alias counted as what it stands for

struct YamlNode {
  enum class Kind { null, scalar, sequence, map };
  struct Member {
    std::string key;
    rules::Position key_at;
    const YamlNode* value = nullptr;
  };

  Kind kind = Kind::null;
  rules::Position at;  // a scalar's first character (inside its quotes, or of a block's first line of content)
  std::size_t source_offset = 0;  // of that character, in bytes of YamlFile::text()
  std::string text;               // scalar
  std::vector<const YamlNode*> items;
  std::vector<Member> members;  // in the order written
  std::size_t weight = 1;       // nodes in this tree, aliases expanded

  const YamlNode* find(std::string_view key) const;  // nullptr where there is none, or this is no map
  const Member* member(std::string_view key) const;
};

// Owns the nodes of all documents of one file. Not copied or moved: nodes point at one another.
class YamlFile {
 public:
  YamlFile(std::string name, std::string text) : name_(std::move(name)), text_(std::move(text)) {}
  YamlFile(const YamlFile&) = delete;
  YamlFile& operator=(const YamlFile&) = delete;

  // Reads every document. What is wrong is added to `diagnostics`, and false returned; documents before it are kept.
  bool parse(Diagnostics& diagnostics);

  const std::string& name() const { return name_; }
  const std::string& text() const { return text_; }
  const std::vector<const YamlNode*>& documents() const { return documents_; }

  // Where the character `offset` of a scalar's text was written. Exact for every style but escapes of a double-quoted
  // text that stand for no single character.
  rules::Position position_in(const YamlNode& scalar, std::size_t offset) const;

 private:
  friend class TreeBuilder;

  bool readable(Diagnostics& diagnostics);
  rules::Position position_at(std::size_t offset) const;

  std::string name_;
  std::string text_;
  std::vector<std::size_t> line_starts_;
  std::deque<YamlNode> nodes_;
  std::vector<const YamlNode*> documents_;
};

}  // namespace fettle::catalog
