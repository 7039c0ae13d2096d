// The journal as its callers see it: order, survival, torn ends, bounds.

#include "gateway/journal/journal.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <random>

#include "gateway/journal/segment.h"
#include "tests/gateway/temporary_folder.h"

namespace fettle::journal {
namespace {

using std::chrono::milliseconds;

class JournalTest : public testing::Test {
 protected:
  std::unique_ptr<Journal> open(Sequence committed = 0) {
    auto journal = Journal::open(options_, committed);
    if (!journal) throw std::runtime_error(journal.error().message);
    return std::move(*journal);
  }
  static std::vector<std::string> bodies(Journal& journal, Sequence after = 0) {
    std::vector<std::string> found;
    for (;;) {
      auto records = journal.read(after, 7, 256);
      if (!records) throw std::runtime_error(records.error().message);
      if (records->empty()) return found;
      for (const Record& record : *records) {
        EXPECT_EQ(record.sequence, after + 1);
        after = record.sequence;
        found.emplace_back(record.body);
      }
    }
  }
  std::vector<std::filesystem::path> segments() const {
    std::vector<std::filesystem::path> found;
    for (const auto& entry : std::filesystem::directory_iterator(options_.folder)) {
      if (entry.path().extension() == ".journal") found.push_back(entry.path());
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  static void add(Journal& journal, int count) {
    for (int i = 0; i < count; ++i) {
      const Sequence next = journal.last() + 1;
      ASSERT_TRUE(journal.append(Kind::message, Time(milliseconds(next)), "body " + std::to_string(next)));
    }
  }

  test::TemporaryFolder folder_;
  Options options_{folder_.path() / "journal", Durability::process, 1000, 1U << 20U};
};

TEST_F(JournalTest, RecordsComeBackInOrderWithTheirKindAndTime) {
  auto journal = open();
  ASSERT_TRUE(journal->append(Kind::tick, Time(milliseconds(5)), ""));
  ASSERT_TRUE(journal->append(Kind::command, Time(milliseconds(6)), "do it"));
  auto records = journal->read(0, 10, 1000);
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 2U);
  EXPECT_EQ((*records)[0].kind, Kind::tick);
  EXPECT_EQ((*records)[1].kind, Kind::command);
  EXPECT_EQ((*records)[1].received, Time(milliseconds(6)));
  EXPECT_EQ((*records)[1].body, "do it");
}

TEST_F(JournalTest, ReadingGoesOnOverSegmentsAndFromAnyPlace) {
  auto journal = open();
  add(*journal, 200);
  EXPECT_GT(segments().size(), 5U);
  const auto all = bodies(*journal);
  ASSERT_EQ(all.size(), 200U);
  EXPECT_EQ(all[199], "body 200");
  EXPECT_EQ(bodies(*journal, 150).size(), 50U);
  EXPECT_EQ(bodies(*journal, 3).size(), 197U) << "back again after having read further";
}

TEST_F(JournalTest, ARecordLongerThanTheAskedBytesStillComes) {
  auto journal = open();
  const std::string large(5000, 'x');
  ASSERT_TRUE(journal->append(Kind::message, Time(), "small"));
  ASSERT_TRUE(journal->append(Kind::message, Time(), large));
  EXPECT_EQ(bodies(*journal), (std::vector<std::string>{"small", large}));
}

TEST_F(JournalTest, WhatWasAppendedIsThereAfterReopening) {
  { add(*open(), 100); }
  auto journal = open();
  EXPECT_EQ(journal->last(), 100U);
  EXPECT_TRUE(journal->reports().empty());
  add(*journal, 1);
  EXPECT_EQ(bodies(*journal).size(), 101U);
}

TEST_F(JournalTest, ATornEndIsCutAtEveryByteAndHidesNoEarlierRecord) {
  options_.segment_bytes = 1U << 20U;
  { add(*open(), 3); }
  const auto path = segments().at(0);
  std::ifstream in(path, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  const std::size_t record = (whole.size() - kSegmentMagic.size()) / 3;
  for (std::size_t size = kSegmentMagic.size() + 2 * record; size < whole.size(); ++size) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << whole.substr(0, size);
    auto journal = open();
    EXPECT_EQ(journal->last(), 2U) << size;
    EXPECT_EQ(journal->reports().size(), size == kSegmentMagic.size() + 2 * record ? 0U : 1U) << size;
    add(*journal, 1);
    EXPECT_EQ(bodies(*journal), (std::vector<std::string>{"body 1", "body 2", "body 3"}));
  }
}

TEST_F(JournalTest, BytesThatAreCutAreKeptBeside) {
  options_.segment_bytes = 1U << 20U;
  { add(*open(), 2); }
  std::ofstream(segments().at(0), std::ios::binary | std::ios::app) << "half a record";
  open();
  std::ifstream torn(segments().at(0).string() + ".torn", std::ios::binary);
  EXPECT_EQ(std::string((std::istreambuf_iterator<char>(torn)), {}), "half a record");
}

TEST_F(JournalTest, ASequenceIsNeverUsedTwice) {
  { add(*open(), 5); }
  auto journal = open(9);
  EXPECT_EQ(journal->last(), 9U);
  ASSERT_EQ(journal->reports().size(), 1U);
  EXPECT_NE(journal->reports()[0].find("going on at 10"), std::string::npos);
  add(*journal, 1);
  EXPECT_EQ(bodies(*journal, 9), std::vector<std::string>{"body 10"});
}

TEST_F(JournalTest, AFreshFolderBehindACommittedStoreGoesOnWithoutAlarm) {
  auto journal = open(41);
  EXPECT_TRUE(journal->reports().empty());
  EXPECT_EQ(journal->append(Kind::tick, Time(), "").value(), 42U);
}

TEST_F(JournalTest, ACorruptRecordInTheMiddleIsAnErrorThatNamesThePlace) {
  { add(*open(), 100); }
  const auto path = segments().at(1);
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(60);
  file.put('!');
  file.close();
  auto journal = open();
  Sequence after = 0;
  for (;;) {
    auto records = journal->read(after, 100, 4096);
    if (!records) {
      EXPECT_NE(records.error().message.find("corrupt at byte"), std::string::npos) << records.error().message;
      break;
    }
    ASSERT_FALSE(records->empty()) << "the damage was passed over";
    after = records->back().sequence;
  }
  EXPECT_LT(after, 100U);
}

TEST_F(JournalTest, TheBacklogIsBoundedAndCommittingMakesRoom) {
  options_.max_backlog = 2000;
  auto journal = open();
  Sequence last = 0;
  for (;;) {
    const auto appended = journal->append(Kind::message, Time(), std::string(100, 'x'));
    if (!appended) {
      EXPECT_EQ(appended.error(), Refusal::full);
      break;
    }
    last = *appended;
    ASSERT_LT(last, 100U);
  }
  journal->committed(last);
  EXPECT_EQ(journal->backlog_bytes(), 0U);
  EXPECT_TRUE(journal->append(Kind::message, Time(), "again"));
}

// ---- Keep::soon

TEST_F(JournalTest, WhatNobodyIsToldOfIsWrittenWhenItIsReadOrWithTheNextRecordThatIs) {
  auto journal = open();
  const auto size = [&] { return std::filesystem::file_size(segments().back()); };
  const auto empty = size();
  ASSERT_TRUE(journal->append(Kind::message, Time(), "one", Keep::soon));
  ASSERT_TRUE(journal->append(Kind::message, Time(), "two", Keep::soon));
  EXPECT_EQ(size(), empty);
  EXPECT_EQ(journal->last(), 2U);
  EXPECT_EQ(bodies(*journal), (std::vector<std::string>{"one", "two"}));
  const auto read = size();
  EXPECT_GT(read, empty);
  ASSERT_TRUE(journal->append(Kind::message, Time(), "three", Keep::soon));
  EXPECT_EQ(size(), read);
  ASSERT_TRUE(journal->append(Kind::tick, Time(), "four"));
  EXPECT_GT(size(), read);
  EXPECT_EQ(bodies(*journal), (std::vector<std::string>{"one", "two", "three", "four"}));
}

TEST_F(JournalTest, NoMoreThanTheBoundWaitsInMemory) {
  options_.segment_bytes = 1U << 20U;
  auto journal = open();
  const std::string body(1'000, 'x');
  std::size_t appended = 0;
  while (std::filesystem::file_size(segments().back()) < 1'000) {
    ASSERT_TRUE(journal->append(Kind::message, Time(), body, Keep::soon));
    appended += body.size();
    ASSERT_LE(appended, Journal::kMostGathered + body.size());
  }
  EXPECT_GE(appended, Journal::kMostGathered - 10 * body.size()) << "a system call for each";
}

TEST_F(JournalTest, WhatWaitsInMemoryIsWrittenOverSegmentsAndWhenItCloses) {
  {
    auto journal = open();
    for (int i = 1; i <= 100; ++i) {
      ASSERT_TRUE(
          journal->append(Kind::message, Time(), "body " + std::to_string(i), i % 10 == 0 ? Keep::now : Keep::soon));
    }
    ASSERT_TRUE(journal->append(Kind::message, Time(), "body 101", Keep::soon));
  }
  EXPECT_GT(segments().size(), 2U);
  auto journal = open();
  EXPECT_TRUE(journal->reports().empty());
  const auto found = bodies(*journal);
  ASSERT_EQ(found.size(), 101U);
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i], "body " + std::to_string(i + 1));
}

// A limit on the size of files refuses writes as a full disk does.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(std::size_t bytes) : former_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &limit_);
    const rlimit tight{bytes, limit_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &tight);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &limit_);
    std::signal(SIGXFSZ, former_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  void (*former_)(int);
  rlimit limit_{};
};

TEST_F(JournalTest, WhatWaitsInMemoryWaitsOnWhileTheDiskRefuses) {
  auto journal = open();
  add(*journal, 1);
  {
    const FileSizeLimit limit(std::filesystem::file_size(segments().back()));
    ASSERT_TRUE(journal->append(Kind::message, Time(), "body 2", Keep::soon));
    const auto refused = journal->append(Kind::message, Time(), "told to nobody, since it was refused");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), Refusal::disk);
    EXPECT_EQ(bodies(*journal), std::vector<std::string>{"body 1"});
    EXPECT_NE(journal->refusing(), "");
    const auto began = std::chrono::steady_clock::now();
    journal->wait(1, milliseconds(50));
    EXPECT_GE(std::chrono::steady_clock::now() - began, milliseconds(50)) << "a reader would spin";
    ASSERT_TRUE(journal->append(Kind::message, Time(), "body 3", Keep::soon));
  }
  EXPECT_EQ(bodies(*journal), (std::vector<std::string>{"body 1", "body 2", "body 3"}));
  EXPECT_EQ(journal->refusing(), "");
  add(*journal, 1);
  EXPECT_EQ(bodies(*journal).back(), "body 4");
}

TEST_F(JournalTest, AtItsBoundItTakesSessionRecordsAlsoWhenItIsOpenedAnew) {
  options_.max_backlog = 2000;
  {
    auto journal = open();
    while (journal->append(Kind::message, Time(), std::string(100, 'x'))) continue;
  }
  auto journal = open();
  EXPECT_EQ(journal->append(Kind::message, Time(), "x").error(), Refusal::full);
  EXPECT_TRUE(journal->append(Kind::session, Time(), "x"));
  EXPECT_EQ(journal->append(Kind::tick, Time(), "").error(), Refusal::full);
}

TEST_F(JournalTest, TrimmingRemovesOnlyWhatIsWhollyBehind) {
  auto journal = open();
  add(*journal, 100);
  const std::size_t before = segments().size();
  journal->trim(50);
  EXPECT_LT(segments().size(), before);
  EXPECT_EQ(bodies(*journal, 50).size(), 50U);
  const auto gone = journal->read(0, 1, 100);
  ASSERT_FALSE(gone);
  EXPECT_NE(gone.error().message.find("is gone"), std::string::npos);
}

TEST_F(JournalTest, APinHoldsTrimmingOff) {
  auto journal = open();
  add(*journal, 100);
  const std::size_t before = segments().size();
  {
    const auto pin = journal->pin();
    journal->trim(100);
    EXPECT_EQ(segments().size(), before);
  }
  journal->trim(100);
  EXPECT_LT(segments().size(), before);
}

TEST_F(JournalTest, ARangeIsReadBesideTheWriter) {
  auto journal = open();
  add(*journal, 100);
  const auto range = read_range(options_.folder, 30, 90);
  ASSERT_TRUE(range) << range.error().message;
  ASSERT_EQ(range->size(), 60U);
  EXPECT_EQ(range->front().body, "body 31");
  EXPECT_EQ(range->back().sequence, 90U);
  EXPECT_FALSE(read_range(options_.folder, 30, 101)) << "record 101 does not exist";
  EXPECT_TRUE(read_range(options_.folder, 30, 30)->empty());
}

TEST_F(JournalTest, AfterClosingNothingIsAppended) {
  auto journal = open();
  journal->close();
  EXPECT_EQ(journal->append(Kind::tick, Time(), "").error(), Refusal::closed);
}

TEST(JournalBodies, AMessageComesBackWithWhatWasCut) {
  std::string body;
  encode(Message{100, "a/b", "pay"}, body);
  const auto message = decode_message(body);
  ASSERT_TRUE(message);
  EXPECT_EQ(message->topic, "a/b");
  EXPECT_EQ(message->payload, "pay");
  EXPECT_TRUE(message->cut());
  for (std::size_t size = 0; size < 9; ++size) EXPECT_FALSE(decode_message(body.substr(0, size))) << size;
}

TEST(JournalBodies, AnyFlippedBitOfARecordIsNoticed) {
  std::string bytes;
  encode_record(7, Kind::message, Time(milliseconds(9)), "body", bytes);
  ASSERT_EQ(parse_record(bytes).outcome, Parse::record);
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_NE(parse_record(flipped).outcome, Parse::record) << "bit " << bit;
  }
}

}  // namespace
}  // namespace fettle::journal
