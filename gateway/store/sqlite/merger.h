#pragma once
// The thread that merges: turns level 0 into chunks and cuts what is older than its retention, on a read connection.
//
// It computes and writes nothing: the engine's thread applies the pieces (SqliteStore::apply_merge). Made after the
// SqliteStore and ended before it; ending it in the middle of a merge loses that merge's work and nothing else.
// Memory: see merge_run.h, some 25 MiB while it merges.

#include <filesystem>
#include <memory>
#include <thread>

#include "gateway/store/sqlite/merge_exchange.h"
#include "gateway/store/sqlite/merge_run.h"

namespace fettle::store {

class Merger {
 public:
  Merger(std::filesystem::path file, std::shared_ptr<MergeExchange> exchange, MergeLimits limits = {});
  ~Merger();
  Merger(const Merger&) = delete;
  Merger& operator=(const Merger&) = delete;

 private:
  void loop();
  void work(MergeExchange::Work work);

  std::filesystem::path file_;
  std::shared_ptr<MergeExchange> exchange_;  // with the store, which notes and applies
  MergeLimits limits_;
  std::thread thread_;
};

}  // namespace fettle::store
