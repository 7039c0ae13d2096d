#pragma once
// A back-test: the engine itself over records made of a CSV, with a store in memory. The packs are subscribed to by
// every asset of the CSV for all time; nothing else differs from live.
//
// A recording is read once and may be run any number of times. One thread.

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "gateway/app/commands.h"
#include "gateway/app/core.h"
#include "gateway/app/detection.h"
#include "gateway/engine/catalog.pb.h"
#include "gateway/store/memory/memory_store.h"

namespace fettle::app {

// Assets of one CSV.
inline constexpr std::size_t kMaxRecordedAssets = 100'000;
// Of the records of one CSV in memory, about three times the file.
inline constexpr std::size_t kMaxRecordedBytes = std::size_t{4} << 30U;

// The rows of a CSV as a gateway would have journaled them. The rows of one asset keep the file's order, also where a
// stamp jumps back (such a row came late); assets are merged by time, each row at the newest stamp its asset had shown.
class Recording {
 public:
  // Reads `in` to its end; columns as `options` and the model say. Failure: "<file>:<line>: what, expected".
  static Result<Recording> read(std::istream& in, const BacktestOptions& options, const catalog::Model& model);

  const std::vector<std::string>& assets() const { return assets_; }  // in the order of the file
  const std::vector<Watched>& watched() const { return watched_; }    // of each of them: first and last stamp
  std::size_t rows() const { return rows_.size(); }

 private:
  friend class RecordingReader;
  friend class Replay;
  struct Row {
    engine::Time heard;
    std::size_t begin = 0;  // of the journal's body in bodies_
    std::size_t size = 0;
  };
  std::vector<std::string> assets_;
  std::vector<Watched> watched_;
  std::vector<Row> rows_;
  std::string bodies_;
};

// The model of that id among the entries; null where there is none.
const catalog::Model* find_model(const catalog::CatalogChange& declared, const std::string& id);

// The engine's records up to the end of the recording, against the packs of `declared`. `go_on` is asked every few
// thousand records and ends the run where it says false; then there is no store but no failure either (null).
Result<std::unique_ptr<store::MemoryStore>> run_backtest(const catalog::CatalogChange& declared,
                                                         const catalog::Model& model, const Recording& recording,
                                                         const std::function<bool()>& go_on);

// The store's episodes as they are judged.
std::vector<RaisedEpisode> raised_episodes(const store::MemoryStore& store);

}  // namespace fettle::app
