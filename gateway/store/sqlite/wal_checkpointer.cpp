#include "gateway/store/sqlite/wal_checkpointer.h"

#include <optional>
#include <utility>

#include "gateway/store/sqlite/database.h"

namespace fettle::store {

WalCheckpointer::WalCheckpointer(std::filesystem::path file, std::shared_ptr<LogKeeper> log)
    : file_(std::move(file)), log_(std::move(log)) {
  log_->attach();
  thread_ = std::thread([this] { loop(); });
}

WalCheckpointer::~WalCheckpointer() {
  log_->detach();
  thread_.join();
}

void WalCheckpointer::loop() {
  std::optional<Database> database;
  while (log_->wait_for_pages()) {
    int log = 0;
    int copied = 0;
    try {
      if (!database) {
        database.emplace(file_, Access::read_write);
        database->execute("PRAGMA cache_size = -256");  // KiB: pages pass through without it
      }
      sqlite3_wal_checkpoint_v2(database->handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, &log, &copied);
    } catch (const DatabaseError&) {
      database.reset();  // tried again with the next pages; beyond LogKeeper::kMost the committing thread copies
    }
    log_->report(log, copied);
  }
}

}  // namespace fettle::store
