#include "gateway/store/sqlite/merger.h"

#include <exception>
#include <utility>

#include "gateway/store/sqlite/retention_run.h"

namespace fettle::store {

Merger::Merger(std::filesystem::path file, std::shared_ptr<MergeExchange> exchange, MergeLimits limits)
    : file_(std::move(file)), exchange_(std::move(exchange)), limits_(limits) {
  exchange_->open();
  thread_ = std::thread([this] { loop(); });
}

Merger::~Merger() {
  exchange_->close();
  thread_.join();
}

// A failure ends the merge at hand. What it gave so far is applied and does not count; the next merge removes it.
void Merger::loop() {
  for (;;) {
    const MergeExchange::Work due = exchange_->wait_for_work();
    if (due == MergeExchange::Work::none) return;
    try {
      work(due);
      exchange_->report("");
    } catch (const std::exception& error) {
      exchange_->report(error.what());
    }
    if (!exchange_->wait_until_applied()) return;
  }
}

void Merger::work(MergeExchange::Work work) {
  Database database(file_, Access::read_only);
  database.execute("PRAGMA cache_size = -1024");  // KiB: every block is read once or in a row
  const PieceSink sink = [this](MergePiece piece) { return exchange_->push(std::move(piece)); };
  if (work == MergeExchange::Work::merge) {
    MergeRun(database, limits_, sink).run();
  } else {
    RetentionRun retention(database, sink);
    while (retention.run(exchange_->retention(), exchange_->now()) && retention.more()) {
      if (!exchange_->wait_until_applied()) return;
    }
  }
}

}  // namespace fettle::store
