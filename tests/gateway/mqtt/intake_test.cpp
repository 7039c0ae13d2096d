// The way into the journal: it returns when the record is there, and holds while the journal refuses.

#include "gateway/mqtt/intake.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/gateway/temporary_folder.h"

namespace fettle::mqtt_adapter {
namespace {

using journal::Kind;

class IntakeTest : public ::testing::Test {
 protected:
  // Until the backlog refuses another one.
  void fill() {
    while (journal_->append(Kind::message, clock_.now(), body_)) {
    }
  }
  void await_held() {
    while (intake_.held() == 0) std::this_thread::yield();
  }

  std::unique_ptr<journal::Journal> open_small() const {
    journal::Options options;
    options.folder = folder_.path();
    options.max_backlog = 1'000;
    return std::move(*journal::Journal::open(options, 0));
  }

  test::TemporaryFolder folder_;
  std::unique_ptr<journal::Journal> journal_ = open_small();
  journal::Clock clock_{journal::ClockKind::system, {}};
  std::string body_ = std::string(200, 'x');
  Intake intake_{*journal_, clock_, [](const std::string&) {}, "the broker keeps them"};
};

TEST_F(IntakeTest, AppendsAtOnceWhereThereIsRoom) {
  EXPECT_TRUE(intake_.append(Kind::message, body_, Intake::AtStop::hold));
  EXPECT_EQ(journal_->last(), 1U);
  EXPECT_EQ(intake_.held(), 0U);
}

TEST_F(IntakeTest, HoldsWhileTheBacklogIsFullAndGoesOnWhenThereIsRoom) {
  fill();
  const journal::Sequence before = journal_->last();
  std::atomic<bool> taken{false};
  std::thread callback([&] { taken = intake_.append(Kind::message, body_, Intake::AtStop::hold); });
  await_held();
  EXPECT_FALSE(taken);
  EXPECT_FALSE(intake_.refused_by_disk());
  journal_->committed(before);
  callback.join();
  EXPECT_TRUE(taken);
  EXPECT_EQ(journal_->last(), before + 1);
  EXPECT_EQ(intake_.held(), 1U);
}

TEST_F(IntakeTest, WhatMustNotBeGivenUpWaitsOnAfterStop) {
  fill();
  std::atomic<bool> returned{false};
  std::thread callback([&] {
    EXPECT_TRUE(intake_.append(Kind::message, body_, Intake::AtStop::hold));
    returned = true;
  });
  await_held();
  intake_.stop();
  journal_->wait_for_space(2 * Intake::kSlice);
  EXPECT_FALSE(returned);
  journal_->committed(journal_->last());
  callback.join();
}

TEST_F(IntakeTest, WhatMayBeGivenUpIsOnceTheJournalTakesNothingMore) {
  journal_->close();
  std::atomic<bool> taken{true};
  std::thread callback([&] { taken = intake_.append(Kind::sparkplug, body_, Intake::AtStop::give_up); });
  await_held();
  EXPECT_TRUE(taken);
  intake_.stop();
  callback.join();
  EXPECT_FALSE(taken);
  EXPECT_FALSE(intake_.refused_by_disk()) << "it holds nothing that must be kept";
}

TEST_F(IntakeTest, AtStopAFullBacklogIsGivenTimeToEmpty) {
  fill();
  const journal::Sequence before = journal_->last();
  std::atomic<bool> taken{false};
  intake_.stop();
  std::thread callback([&] { taken = intake_.append(Kind::sparkplug, body_, Intake::AtStop::give_up); });
  await_held();
  journal_->committed(before);
  callback.join();
  EXPECT_TRUE(taken);
}

}  // namespace
}  // namespace fettle::mqtt_adapter
