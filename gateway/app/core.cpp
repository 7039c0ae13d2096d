#include "gateway/app/core.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>

#include "gateway/catalog/units.h"
#include "gateway/catalog/zones.h"
#include "gateway/store/sqlite/backup.h"

namespace fettle::app {
namespace {

// The newest received time in the journal: what the clock may not fall behind.
Result<journal::Time> newest_time(journal::Journal& journal, journal::Time floor) {
  if (journal.last() == 0) return floor;
  auto records = journal.read(journal.last() - 1, 1, 0);
  if (!records) return floor;  // it ends before the committed record: the store knows the time
  return records->empty() ? floor : std::max(floor, records->front().received);
}

}  // namespace

engine::Lookups system_lookups() {
  struct Zones {
    std::mutex mutex;
    std::map<std::string, std::optional<billing::Zone>> known;
  };
  auto zones = std::make_shared<Zones>();  // shared by the copies of the function
  return {catalog::unit_parser(), [zones](const std::string& name) {
            const std::scoped_lock lock(zones->mutex);
            const auto [entry, made] = zones->known.try_emplace(name);
            if (made) {
              if (auto zone = catalog::load_zone(name)) entry->second = std::move(*zone);
            }
            return entry->second;
          }};
}

Result<std::optional<FolderLock>> FolderLock::take(const Config& config) {
  std::error_code error;
  std::filesystem::create_directories(config.data, error);
  if (error) {
    return Failure{"cannot make the data folder " + config.data.string() + ": " + error.message() +
                   "; check \"data\" in the configuration and who may write there"};
  }
  std::filesystem::permissions(config.data, std::filesystem::perms::owner_all, error);
  journal::File file(::open(config.lock_file().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) {
    return Failure{"cannot open " + config.lock_file().string() + ": " + std::strerror(errno) +
                   "; check who may write to the data folder"};
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::optional<FolderLock>();
    return Failure{"cannot lock " + config.lock_file().string() + ": " + std::strerror(errno)};
  }
  return std::optional<FolderLock>(FolderLock(std::move(file)));
}

Result<std::unique_ptr<Core>> Core::open(const Config& config, FolderLock lock, Log log) {
  std::unique_ptr<Core> core(new Core(std::move(lock)));
  const bool power = config.durability == journal::Durability::power;
  auto store =
      store::SqliteStore::open(config.store_file(), power ? store::Durability::power : store::Durability::process);
  if (!store) return Failure{store.error().message};
  core->store_ = std::move(*store);

  journal::Options options{config.journal_folder(), config.durability};
  options.max_backlog = config.journal_backlog;
  auto tail = store::read_journal_tail(config.store_file());
  if (!tail) return Failure{tail.error().message};
  // A restored backup: its journal begins where its checkpoint ends.
  auto checkpoint = core->store_->load_checkpoint();
  if (!checkpoint) return Failure{checkpoint.error().message};
  auto journal = journal::Journal::open(options, tail->empty() ? core->store_->committed() : checkpoint->sequence);
  if (!journal) return Failure{journal.error().message};
  core->journal_ = std::move(*journal);
  for (const std::string& report : core->journal_->reports()) log(report);
  if (!tail->empty()) {
    if (core->journal_->last() != checkpoint->sequence) {
      return Failure{"the store is a restored backup, but " + config.journal_folder().string() +
                     " holds another journal; move that folder away and start again"};
    }
    for (const store::TailRecord& record : *tail) {
      if (!core->journal_->append(static_cast<journal::Kind>(record.kind), record.received, record.body)) {
        return Failure{"cannot write the backup's journal to " + config.journal_folder().string() + ": " +
                       core->journal_->disk_error()};
      }
    }
    if (auto cleared = store::clear_journal_tail(config.store_file()); !cleared) {
      return Failure{cleared.error().message};
    }
    log("restored " + std::to_string(tail->size()) + " journal records of the backup");
  }

  core->engine_ = std::make_unique<engine::Engine>(*core->store_, system_lookups(),
                                                   engine::EngineOptions{std::chrono::minutes(5), config.retention});
  const auto started = core->engine_->start();
  if (!started) return Failure{started.error().message};
  const auto newest = newest_time(*core->journal_, core->engine_->now());
  core->clock_ = std::make_unique<journal::Clock>(config.clock, *newest);
  core->loop_ = std::make_unique<EngineLoop>(*core->engine_, *core->journal_, std::move(log));
  // Until a session is up again time does not pass for the assets: dated back to the last thing that was journaled, so
  // that the gateway's own absence is no silence of theirs.
  std::string body;
  encode(journal::Session{false, "start"}, body);
  if (!core->journal_->append(journal::Kind::session, *newest, body)) {
    return Failure{core->journal_->disk_error() + "; make room on the disk and start again"};
  }
  Core& running = *core;
  core->thread_ = std::thread([&running] {
    running.problem_ = running.loop_->run();
    if (running.problem_) running.failed_ = true;
  });
  return core;
}

Core::~Core() {
  stop();
}

std::optional<std::string> Core::stop() {
  if (thread_.joinable()) {
    loop_->stop();
    thread_.join();
    journal_->close();
  }
  return problem_;
}

}  // namespace fettle::app
