#include "gateway/app/core.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>

#include "gateway/catalog/units.h"
#include "gateway/catalog/zones.h"
#include "gateway/direct/mapping_syntax.h"
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

constexpr std::chrono::milliseconds kMergeTime{5};  // after one commit
constexpr std::chrono::seconds kLookEvery{1};
constexpr std::chrono::minutes kRetentionEvery{10};

sparkplug::HostOptions host_options(const SparkplugConfig& config) {
  sparkplug::HostOptions options;
  options.reorder_timeout = config.reorder_timeout;
  options.rebirth_interval = config.rebirth.first_wait;
  options.max_rebirth_interval = config.rebirth.longest_wait;
  options.max_payload = config.max_payload;
  return options;
}

std::vector<store::RetentionRule> retention_rules(const engine::Engine& engine) {
  std::vector<store::RetentionRule> rules;
  for (const engine::AssetState& asset : engine.assets()) {
    const engine::ModelInfo& model = *asset.info->model;
    for (std::size_t i = 0; i < model.signals.size(); ++i) {
      if (!asset.series[i].known() || model.signals[i].keep.count() == 0) continue;
      rules.push_back({asset.series[i].id, model.signals[i].keep, model.signals[i].numerator > 0});
    }
  }
  return rules;
}

std::vector<std::string> mapping_topics(const engine::Registry& registry) {
  std::vector<std::string> topics;
  for (const auto& [id, mapping] : registry.mappings()) {
    if (const auto filter = direct::parse_topic_filter(mapping.topic())) topics.push_back(subscription(*filter));
  }
  return topics;
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

Result<std::unique_ptr<Core>> Core::open(const Config& config, FolderLock lock, const Log& log) {
  std::unique_ptr<Core> core(new Core(std::move(lock)));
  core->log_ = log;
  core->store_file_ = config.store_file();
  core->has_sparkplug_ = !config.sparkplug.brokers.empty();
  const bool power = config.durability == journal::Durability::power;
  auto store =
      store::SqliteStore::open(config.store_file(), power ? store::Durability::power : store::Durability::process);
  if (!store) return Failure{store.error().message};
  core->store_ = std::move(*store);
  if (auto opened = core->open_journal(config, log); !opened) return opened.error();
  if (auto started = core->start(config, log); !started) return started.error();
  return core;
}

Result<void> Core::open_journal(const Config& config, const Log& log) {
  journal::Options options{config.journal_folder(), config.durability};
  options.max_backlog = config.journal_backlog;
  auto tail = store::read_journal_tail(config.store_file());
  if (!tail) return Failure{tail.error().message};
  // A restored backup: its journal begins where its checkpoint ends.
  auto checkpoint = store_->checkpointed();
  if (!checkpoint) return Failure{checkpoint.error().message};
  auto journal = journal::Journal::open(options, tail->empty() ? store_->committed() : *checkpoint);
  if (!journal) return Failure{journal.error().message};
  journal_ = std::move(*journal);
  for (const std::string& report : journal_->reports()) log.warn("journal", report);
  if (tail->empty()) return {};
  if (journal_->last() != *checkpoint) {
    return Failure{"the store is a restored backup, but " + config.journal_folder().string() +
                   " holds another journal; move that folder away and start again"};
  }
  for (const store::TailRecord& record : *tail) {
    if (!journal_->append(static_cast<journal::Kind>(record.kind), record.received, record.body)) {
      return Failure{"cannot write the backup's journal to " + config.journal_folder().string() + ": " +
                     journal_->disk_error()};
    }
  }
  if (auto cleared = store::clear_journal_tail(config.store_file()); !cleared) return Failure{cleared.error().message};
  log.info("restored", "restored " + std::to_string(tail->size()) + " journal records of the backup");
  return {};
}

Result<void> Core::start(const Config& config, const Log& log) {
  engine_ = std::make_unique<engine::Engine>(
      *store_, system_lookups(),
      engine::EngineOptions{std::chrono::minutes(5), config.retention, config.events.has_value()},
      host_options(config.sparkplug));
  const auto started = engine_->start();
  if (!started) return Failure{started.error().message};
  metrics_.begin(engine_->counters());
  const auto newest = newest_time(*journal_, engine_->now());
  clock_ = std::make_unique<journal::Clock>(config.clock, *newest);
  EngineLoop::Options options;
  options.on_commit = [this](const Progress& progress) { after_commit(progress); };
  loop_ = std::make_unique<EngineLoop>(*engine_, *journal_, log, std::move(options));
  // Until a session is up again time does not pass for the assets: dated back to the last thing that was journaled, so
  // that the gateway's own absence is no silence of theirs.
  std::string body;
  encode(journal::Session{false, std::string(engine::Sessions::kStart)}, body);
  if (!journal_->append(journal::Kind::session, *newest, body)) {
    return Failure{journal_->disk_error() + "; make room on the disk and start again"};
  }
  after_catalog();
  wal_ = std::make_unique<store::WalCheckpointer>(config.store_file(), store_->log());
  merger_ = std::make_unique<store::Merger>(config.store_file(), store_->merges());
  thread_ = std::thread([this] { run(); });
  return {};
}

Core::~Core() {
  stop();
}

void Core::run() {
  auto problem = loop_->run();
  const std::scoped_lock lock(mutex_);
  problem_ = std::move(problem);
  failed_ = problem_.has_value();
}

std::string Core::failure() const {
  const std::scoped_lock lock(mutex_);
  return problem_.value_or("");
}

std::optional<std::string> Core::stop() {
  if (thread_.joinable()) {
    loop_->stop();
    thread_.join();
    journal_->close();
  }
  merger_.reset();
  wal_.reset();
  return problem_;
}

void Core::attach(Outlets outlets) {
  const std::scoped_lock lock(mutex_);
  outlets_ = std::move(outlets);
  if (outlets_.topics) outlets_.topics(topics_);
}

// ---- after each commit, on the engine's thread ---------------------------------------------------------------------

void Core::after_commit(const Progress& progress) {
  // The batch in which the replay ends holds new records, too.
  if (!counting_ && !progress.replaying) {
    metrics_.begin(engine_->counted_before());
    counting_ = true;
  }
  if (progress.batch_records > 0) {
    metrics_.committed(progress.batch_records, progress.commit_time, progress.counters,
                       progress.replaying ? Metrics::Phase::replay : Metrics::Phase::live);
  }
  for (const auto& [reason, items] : engine_->take_refusals()) metrics_.quarantined(reason, items);
  for (; failures_seen_ < progress.failures; ++failures_seen_) metrics_.commit_failed();
  if (progress.checkpoints > checkpoints_seen_) {
    checkpoints_seen_ = progress.checkpoints;
    metrics_.checkpointed(progress.checkpoint_bytes, progress.checkpoint_time);
  }
  if (engine_->catalog_changes() != catalog_seen_) after_catalog();
  merge();
  look_around();
  const std::scoped_lock lock(mutex_);
  if (outlets_.committed) outlets_.committed();
  if (!outlets_.rebirth) return;
  for (const engine::RebirthRequest& request : engine_->take_rebirth_requests()) outlets_.rebirth(request);
}

// What of the catalog concerns others than the engine: topics to listen to, and how long readings are kept.
void Core::after_catalog() {
  catalog_seen_ = engine_->catalog_changes();
  retention_at_ = {};  // the next look around sets it anew
  std::vector<std::string> topics = mapping_topics(engine_->registry());
  const std::scoped_lock lock(mutex_);
  topics_ = std::move(topics);
  if (outlets_.topics) outlets_.topics(topics_);
}

// A few of the pieces that the merge wants written: more of them when there is little else to do.
void Core::merge() {
  const auto until = std::chrono::steady_clock::now() + kMergeTime;
  do {
    const auto applied = store_->apply_merge();
    if (!applied) {
      log_.warn("merge", "cannot store merged readings: " + applied.error().message + "; trying again");
      return;
    }
    if (!*applied) return;
    ++merges_;
  } while (std::chrono::steady_clock::now() < until);
}

void Core::look_around() {
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_at_ < kLookEvery) return;
  looked_at_ = now;
  const engine::SparkplugIntake& intake = engine_->sparkplug();
  SparkplugState state;
  const sparkplug::HostNodes& nodes = intake.nodes();
  for (sparkplug::SourceId id = 0; id < nodes.sources(); ++id) {
    const sparkplug::Source& source = nodes.source(id);
    ++(source.is_node() ? state.nodes : state.devices);
    if (source.online) ++(source.is_node() ? state.nodes_online : state.devices_online);
  }
  state.gaps_opened = intake.gaps().opened;
  state.gaps_healed = intake.gaps().healed;
  state.gaps_lost = intake.gaps().lost;
  state.held_readings = intake.held();
  const store::StoreSizes sizes = store_->sizes();
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(store_file_, error);
  const std::uint64_t file_bytes = error ? 0 : bytes;
  // Signals that spoke for the first time since are kept no longer than the others.
  if (now - retention_at_ > kRetentionEvery) {
    retention_at_ = now;
    store_->set_retention(retention_rules(*engine_));
  }
  const std::scoped_lock lock(mutex_);
  sparkplug_ = state;
  store_state_ = {file_bytes, sizes.unmerged_blocks, merges_, {}};
}

std::optional<SparkplugState> Core::sparkplug() const {
  if (!has_sparkplug_) return std::nullopt;
  const std::scoped_lock lock(mutex_);
  return sparkplug_;
}

StoreState Core::store_state() const {
  StoreState state;
  {
    const std::scoped_lock lock(mutex_);
    state = store_state_;
  }
  state.merge_problem = store_->merges()->problem();
  return state;
}

}  // namespace fettle::app
