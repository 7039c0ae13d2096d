// Many writers, one reader: nothing lost, nothing twice, and a full journal holds its writers back.

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "gateway/journal/journal.h"
#include "tests/gateway/temporary_folder.h"

namespace fettle::journal {
namespace {

TEST(JournalConcurrent, EveryRecordOfEveryWriterIsReadOnceAndInItsWritersOrder) {
  constexpr int kWriters = 3;
  constexpr int kEach = 4000;
  const test::TemporaryFolder folder;
  auto opened = Journal::open({folder.path(), Durability::process, 16U << 10U, 8U << 10U}, 0);
  ASSERT_TRUE(opened);
  Journal& journal = **opened;

  std::vector<std::thread> writers;
  std::atomic<int> refused{0};
  for (int writer = 0; writer < kWriters; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < kEach;) {
        const Keep keep = writer == 0 || i % 7 == 0 ? Keep::now : Keep::soon;
        if (journal.append(Kind::message, Time(), std::to_string(writer) + ' ' + std::to_string(i), keep)) {
          ++i;
        } else {
          ++refused;
          journal.wait_for_space(std::chrono::milliseconds(100));
        }
      }
    });
  }

  std::map<std::string, int> next;
  Sequence after = 0;
  while (after < std::uint64_t{kWriters} * kEach) {
    journal.wait(after, std::chrono::milliseconds(100));
    auto records = journal.read(after, 512, 64U << 10U);
    ASSERT_TRUE(records) << records.error().message;
    for (const Record& record : *records) {
      ASSERT_EQ(record.sequence, after + 1);
      after = record.sequence;
      const std::string body(record.body);
      EXPECT_EQ(std::stoi(body.substr(2)), next[body.substr(0, 1)]++);
    }
    journal.committed(after);
    journal.trim(after);
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_GT(refused, 0) << "the bound was never met, so this shows nothing about it";
  for (const auto& [writer, count] : next) EXPECT_EQ(count, kEach) << writer;
}

}  // namespace
}  // namespace fettle::journal
