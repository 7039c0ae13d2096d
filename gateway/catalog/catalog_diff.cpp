#include "gateway/catalog/catalog_diff.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <map>

namespace fettle::catalog {
namespace {

using Key = std::pair<std::string, std::string>;

std::map<Key, std::string> encoded(const std::vector<Entry>& entries) {
  std::map<Key, std::string> result;
  for (const Entry& entry : entries) result[entry_key(entry)] = encode(entry);
  return result;
}

}  // namespace

std::string encode(const Entry& entry) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    entry.SerializeToCodedStream(&out);
  }
  return bytes;
}

CatalogDiff diff(const std::vector<Entry>& existing, const std::vector<Entry>& declared) {
  const auto before = encoded(existing);
  CatalogDiff result;
  for (const Entry& entry : declared) {
    const Key key = entry_key(entry);
    const std::string name = key.first + " " + key.second;
    const auto found = before.find(key);
    if (found == before.end()) {
      result.added.push_back(name);
    } else if (found->second != encode(entry)) {
      result.changed.push_back(name);
    } else {
      result.unchanged.push_back(name);
    }
  }
  return result;
}

CatalogChange changes_only(const std::vector<Entry>& existing, const CatalogChange& declared) {
  const auto before = encoded(existing);
  CatalogChange result;
  for (const Entry& entry : declared.entries()) {
    const auto found = before.find(entry_key(entry));
    if (found == before.end() || found->second != encode(entry)) *result.add_entries() = entry;
  }
  return result;
}

std::string to_text(const CatalogDiff& diff) {
  std::string out;
  for (const std::string& name : diff.added) out += "+ " + name + "\n";
  for (const std::string& name : diff.changed) out += "~ " + name + "\n";
  out += std::to_string(diff.added.size()) + " added, " + std::to_string(diff.changed.size()) + " changed, " +
         std::to_string(diff.unchanged.size()) + " unchanged\n";
  return out;
}

}  // namespace fettle::catalog
