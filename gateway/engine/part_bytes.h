#pragma once
// Values as bytes and back, for parts of a checkpoint: the machine's own representation, since only the program that
// wrote a checkpoint loads it (each part says its format). Pure.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace fettle::engine {

class PartWriter {
 public:
  explicit PartWriter(std::string& out) : out_(out) {}
  template <typename T>
  requires std::is_trivially_copyable_v<T>
  void put(const T& value) { out_.append(reinterpret_cast<const char*>(&value), sizeof(T)); }
  void text(std::string_view text) {
    put(static_cast<std::uint32_t>(text.size()));
    out_.append(text);
  }

 private:
  std::string& out_;
};

// Once bytes are missing every further value is empty, and ok() is false.
class PartReader {
 public:
  explicit PartReader(std::string_view bytes) : left_(bytes) {}
  template <typename T>
  requires std::is_trivially_copyable_v<T> T get() {
    T value{};
    if (left_.size() < sizeof(T)) {
      fail();
      return value;
    }
    std::memcpy(&value, left_.data(), sizeof(T));
    left_.remove_prefix(sizeof(T));
    return value;
  }
  std::string_view text() {
    const auto size = get<std::uint32_t>();
    if (left_.size() < size) {
      fail();
      return {};
    }
    const std::string_view text = left_.substr(0, size);
    left_.remove_prefix(size);
    return text;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return ok_ && left_.empty(); }

 private:
  void fail() {
    ok_ = false;
    left_ = {};
  }

  std::string_view left_;
  bool ok_ = true;
};

}  // namespace fettle::engine
