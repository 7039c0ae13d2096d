#pragma once
// A small catalog without faults, and what becomes of it when a word is changed. For the tests of reading.

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "gateway/catalog/catalog_reader.h"

namespace fettle::catalog {

// The two files, named c.yaml and p.yaml in messages.
const std::string& sample_catalog();
const std::string& sample_pack();

// `text` with its only `from` replaced; fails the test where there is not exactly one.
std::string replaced(std::string text, const std::string& from, const std::string& to);

// What is wrong with the files, one line each.
std::vector<std::string> faults_of(const std::vector<SourceFile>& files, const std::vector<Entry>& existing = {});

// Whether the faults are those expected, in order. An expected one that ends with * stands for one or more that begin
// so: the rest is said by another library in its own words.
testing::AssertionResult same_faults(const std::vector<std::string>& faults, const std::vector<std::string>& expected);

// The entries of files without faults; fails the test where there are some.
std::vector<Entry> entries_of(const std::vector<SourceFile>& files, const std::vector<Entry>& existing = {});

// The sample's own entries.
std::vector<Entry> sample_entries();

}  // namespace fettle::catalog
