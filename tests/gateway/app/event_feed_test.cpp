// The feed from a real outbox: order, at least once, what is settled, a receiver that is behind.

#include "gateway/app/event_feed.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <vector>

#include "tests/gateway/store/scratch.h"

namespace fettle::app {
namespace {

class Feed : public testing::Test {
 protected:
  void SetUp() override { store_ = store::open_store(folder_.file("fettle.db")); }

  void commit_event(std::uint64_t id, std::uint64_t delivered = 0) {
    engine::Effects effects;
    effects.first = effects.committed = ++sequence_;
    if (id > 0) {
      effects.outbox.push_back(
          {id, engine::Time(), "work_order.opened", "WO-" + std::to_string(id), std::to_string(id)});
    }
    effects.delivered = delivered;
    ASSERT_TRUE(store_->commit(effects).has_value());
    if (feed_) feed_->wake();
  }

  void start() {
    const auto offer = [this](std::uint64_t id, const std::string& kind, const std::string& body) {
      const std::scoped_lock lock(mutex_);
      EXPECT_EQ(kind, "work_order.opened");
      EXPECT_EQ(body, std::to_string(id));
      if (offered_.size() >= room_) return false;
      offered_.push_back(id);
      changed_.notify_all();
      return true;
    };
    const auto settle = [this](std::uint64_t up_to) {
      const std::scoped_lock lock(mutex_);
      settled_ = up_to;
      changed_.notify_all();
      return true;
    };
    feed_ = std::make_unique<EventFeed>(store::Reader::open(folder_.file("fettle.db")).value(), offer, settle,
                                        Log([](const std::string&) {}));
    feed_->start();
  }

  template <typename Condition>
  bool until(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), condition);
  }

  store::ScratchFolder folder_;
  std::unique_ptr<store::SqliteStore> store_;
  engine::Sequence sequence_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::uint64_t> offered_;
  std::uint64_t settled_ = 0;
  std::size_t room_ = 1'000;
  std::unique_ptr<EventFeed> feed_;  // last: its thread uses what stands above
};

TEST_F(Feed, OffersWhatIsCommittedInOrderAndSettlesWhatWasDelivered) {
  commit_event(1);
  start();
  commit_event(2);
  commit_event(3);
  ASSERT_TRUE(until([this] { return offered_.size() == 3; }));
  EXPECT_EQ(offered_, (std::vector<std::uint64_t>{1, 2, 3}));
  // The second is still on its way: nothing behind it is settled.
  feed_->delivered(1);
  feed_->delivered(3);
  ASSERT_TRUE(until([this] { return settled_ == 1; }));
  EXPECT_EQ(feed_->waiting(), 1U);
  feed_->delivered(2);
  ASSERT_TRUE(until([this] { return settled_ == 3; }));
  EXPECT_EQ(feed_->delivered_count(), 3U);
}

TEST_F(Feed, OffersAgainAfterARestartWhatIsNotKnownAsDelivered) {
  commit_event(1);
  commit_event(2);
  commit_event(0, 1);  // the first was delivered
  start();
  ASSERT_TRUE(until([this] { return offered_.size() == 1; }));
  EXPECT_EQ(offered_, std::vector<std::uint64_t>{2});
}

TEST_F(Feed, WaitsForAReceiverThatIsBehind) {
  room_ = 2;
  for (std::uint64_t id = 1; id <= 4; ++id) commit_event(id);
  start();
  ASSERT_TRUE(until([this] { return offered_.size() == 2; }));
  {
    const std::scoped_lock lock(mutex_);
    room_ = 4;
  }
  ASSERT_TRUE(until([this] { return offered_.size() == 4; }));
  EXPECT_EQ(offered_, (std::vector<std::uint64_t>{1, 2, 3, 4}));
}

TEST_F(Feed, SettlesAtItsEndWhatIsDelivered) {
  commit_event(1);
  start();
  ASSERT_TRUE(until([this] { return offered_.size() == 1; }));
  feed_->delivered(1);
  feed_->stop();
  EXPECT_EQ(settled_, 1U);
}

}  // namespace
}  // namespace fettle::app
