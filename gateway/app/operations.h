#pragma once
// What can be asked of a gateway, whether over its socket or by a command that holds the lock itself: one
// implementation.
//
// Every operation is a journal record or a read; it returns when its effects are committed. Not thread-safe: the server
// runs one at a time.

#include <cstdint>
#include <string>
#include <vector>

#include "gateway/app/core.h"
#include "gateway/catalog/catalog_reader.h"
#include "gateway/engine/command.pb.h"

namespace fettle::app {

struct Reply {
  bool ok = false;
  std::string text;  // ok: what was done, JSON or plain as the operation says; else what is wrong and how to mend it
};

class Operations {
 public:
  Operations(const Config& config, Core& core) : config_(config), core_(core) {}

  // Declares what the files say: all or nothing. Plain text, what was added, changed and unchanged.
  Reply apply(const std::vector<catalog::SourceFile>& files);
  // Folds the command. JSON.
  Reply command(const engine::Command& command);
  // Returns when everything journaled so far is committed, open usage included. JSON with the sequence.
  Reply drain();
  // A copy of the store and of the journal behind its checkpoint, as one file that must not exist yet.
  Reply backup(const std::filesystem::path& target);

 private:
  Reply append(journal::Kind kind, const std::string& body, journal::Sequence& sequence);

  const Config& config_;
  Core& core_;
};

}  // namespace fettle::app
