#pragma once
// The thread that copies the write-ahead log into the file, on a connection of its own, while commits go on.
//
// Made after the SqliteStore and ended before it. What it fails to do, the committing thread does (log_keeper.h).

#include <filesystem>
#include <memory>
#include <thread>

#include "gateway/store/sqlite/log_keeper.h"

namespace fettle::store {

class WalCheckpointer {
 public:
  WalCheckpointer(std::filesystem::path file, std::shared_ptr<LogKeeper> log);
  ~WalCheckpointer();
  WalCheckpointer(const WalCheckpointer&) = delete;
  WalCheckpointer& operator=(const WalCheckpointer&) = delete;

 private:
  void loop();

  std::filesystem::path file_;
  std::shared_ptr<LogKeeper> log_;  // with the store
  std::thread thread_;
};

}  // namespace fettle::store
