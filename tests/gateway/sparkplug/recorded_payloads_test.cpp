// Recorded payloads and the specification's array examples, which lie beside the project.

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "gateway/sparkplug/arrays.h"
#include "gateway/sparkplug/encode.h"
#include "gateway/sparkplug/payload.h"
#include "gateway/sparkplug/value.h"
#include "tests/gateway/sparkplug/judge.h"

namespace fettle::sparkplug::testing {
namespace {

namespace fs = std::filesystem;

fs::path recordings() {
  if (const char* set = std::getenv("FETTLE_DATA")) return fs::path(set) / "sparkplug";
  return fs::path(FETTLE_SOURCE_DIR).parent_path() / "shared" / "data" / "sparkplug";
}

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<fs::path> recorded(const std::string& extension) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(recordings() / "payloads")) {
    if (entry.path().extension() == extension) out.push_back(entry.path());
  }
  return out;
}

class Recorded : public ::testing::Test {
 protected:
  void SetUp() override {
    if (fs::exists(recordings())) return;
    std::cout << "skipped: no recorded data\n";
    GTEST_SKIP() << "skipped: no recorded data";
  }
};

TEST_F(Recorded, PayloadsDecodeToTheTextBesideThem) {
  const auto files = recorded(".bin");
  ASSERT_FALSE(files.empty());
  for (const fs::path& file : files) {
    const std::string bytes = contents(file);
    Payload payload;
    const auto problem = decode(bytes, payload);
    ASSERT_FALSE(problem) << file << ": " << problem->detail;
    fs::path text = file;
    text.replace_extension(".txtpb");
    wire::Payload said;
    ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(contents(text), &said)) << text;
    EXPECT_EQ(difference(said.SerializeAsString(), payload), "") << file << " against its text";
    EXPECT_EQ(difference(bytes, payload), "") << file << " against Protobuf's reading";
  }
}

TEST_F(Recorded, PayloadsMayBeDamagedAnywhere) {
  for (const fs::path& file : recorded(".bin")) {
    const std::string whole = contents(file);
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (int value = 0; value <= 256; ++value) {
        std::string bytes = whole;
        if (value == 256) {
          bytes.resize(at);
        } else {
          bytes[at] = static_cast<char>(value);
        }
        Payload payload;
        if (decode(bytes, payload)) continue;
        ASSERT_EQ(difference(bytes, payload), "") << file << ", byte " << at << " = " << value;
      }
    }
  }
}

DataType array_named(std::string name) {
  name = name.substr(0, name.find('_'));
  for (std::uint32_t number = 22; number <= 34; ++number) {
    if (name_of(static_cast<DataType>(number)) == name) return static_cast<DataType>(number);
  }
  return DataType::unknown;
}

Scalar scalar_of(const boost::json::value& value) {
  if (value.is_bool()) return value.as_bool();
  if (value.is_string()) return std::string(value.as_string());
  if (value.is_double()) return value.as_double();
  if (value.is_uint64()) return value.as_uint64();
  return value.as_int64();
}

std::string from_hex(const std::string& hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return out;
}

void expect_equal(const Value& value, DataType type, const Scalar& expected, const std::string& name) {
  struct Compare {
    const Value& value;
    DataType type;
    bool operator()(std::monostate) const { return false; }
    bool operator()(bool flag) const { return (value.bits == 1) == flag; }
    bool operator()(std::int64_t number) const { return integer_of(value, type) == number; }
    bool operator()(std::uint64_t number) const { return value.bits == number; }
    bool operator()(const std::string& text) const { return text_of(value, type) == text; }
    bool operator()(double number) const {
      return number_of(value, type) ==
             (type == DataType::float32 ? static_cast<double>(static_cast<float>(number)) : number);
    }
  };
  EXPECT_TRUE(std::visit(Compare{value, type}, expected)) << name;
}

TEST_F(Recorded, ArrayExamplesFollowTheSpecificationsTextAndNotItsErrata) {
  const auto examples = boost::json::parse(contents(recordings() / "spec_array_examples.json")).as_array();
  ASSERT_FALSE(examples.empty());
  std::size_t errata = 0;
  for (const boost::json::value& example : examples) {
    const std::string name(example.at("type").as_string());
    const DataType type = array_named(name);
    ASSERT_TRUE(is_array(type)) << name;
    std::vector<Scalar> expected;
    for (const boost::json::value& value : example.at("values").as_array()) expected.push_back(scalar_of(value));
    const std::string bytes = from_hex(std::string(example.at("little_endian_hex").as_string()));

    std::vector<Value> values;
    const auto problem = decode_array(type, bytes, values);
    ASSERT_FALSE(problem) << name << ": " << problem->detail;
    ASSERT_EQ(values.size(), expected.size()) << name;
    // As numbers of that type the examples are equal when they encode to the same bytes.
    const auto encoded = encode_array(type, expected);
    ASSERT_TRUE(encoded) << name << ": " << encoded.error().detail;
    EXPECT_EQ(*encoded, bytes) << name;
    const DataType element = element_of(type);
    for (std::size_t i = 0; i < values.size(); ++i) {
      expect_equal(values[i], element, expected[i], name);
    }
    if (example.at("verdict").as_string().find("matches") == boost::json::string::npos) {
      ++errata;
      EXPECT_NE(from_hex(std::string(example.at("spec_hex").as_string())), *encoded) << name;
    }
  }
  EXPECT_EQ(errata, 4u);
}

}  // namespace
}  // namespace fettle::sparkplug::testing
