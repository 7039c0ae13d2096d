#include "gateway/app/operations.h"

#include <boost/json.hpp>

#include "gateway/app/pack_tests.h"
#include "gateway/catalog/catalog_diff.h"
#include "gateway/store/sqlite/backup.h"
#include "gateway/store/sqlite/reader.h"

namespace fettle::app {
namespace {

Reply stopped() {
  return {false, "the gateway stopped before it was done; ask again when it runs"};
}

std::string all_messages(const std::vector<catalog::FileDiagnostic>& diagnostics) {
  std::string text;
  for (const catalog::FileDiagnostic& diagnostic : diagnostics) text += catalog::to_string(diagnostic) + '\n';
  return text + "nothing was applied\n";
}

}  // namespace

Reply Operations::append(journal::Kind kind, const std::string& body, journal::Sequence& sequence) {
  const auto appended = core_.journal().append(kind, core_.clock().now(), body);
  if (appended) {
    sequence = *appended;
    return {true, {}};
  }
  switch (appended.error()) {
    case journal::Refusal::full:
      return {false, "the journal is full of messages not yet worked through; try again in a moment"};
    case journal::Refusal::disk:
      return {false, core_.journal().disk_error() + "; make room and try again"};
    case journal::Refusal::closed:
      break;
  }
  return stopped();
}

Reply Operations::apply(const std::vector<catalog::SourceFile>& files) {
  if (!core_.loop().wait_committed(core_.journal().last())) return stopped();
  auto reader = store::Reader::open(config_.store_file());
  if (!reader) return {false, reader.error().message};
  auto rows = (*reader)->catalog();
  if (!rows) return {false, rows.error().message};
  std::vector<catalog::Entry> existing;
  for (const engine::CatalogRow& row : *rows) existing.emplace_back().ParseFromString(row.body);

  auto declared = catalog::read_catalog(files, existing, catalog::RuleTests::required);
  if (!declared) return {false, all_messages(declared.error())};
  const std::vector<catalog::Entry> entries(declared->entries().begin(), declared->entries().end());
  const catalog::CatalogDiff diff = catalog::diff(existing, entries);
  const std::string text = catalog::to_text(diff);
  if (diff.empty()) return {true, text};
  const catalog::CatalogChange changes = catalog::changes_only(existing, *declared);
  const std::vector<catalog::Entry> changed(changes.entries().begin(), changes.entries().end());
  if (const std::string failing = failing_tests(changed, existing); !failing.empty()) {
    return {false, failing + "nothing was applied; `fettle test-pack` runs the tests alone\n"};
  }
  const std::string body = changes.SerializeAsString();
  if (body.size() > (16U << 20U)) return {false, "more than 16 MiB of changes at once; apply the files one by one\n"};
  journal::Sequence sequence = 0;
  if (const Reply appended = append(journal::Kind::catalog, body, sequence); !appended.ok) return appended;
  const auto outcome = core_.loop().wait_answer(sequence);
  if (!outcome) return stopped();
  return {outcome->ok, outcome->ok ? text : outcome->text};
}

Reply Operations::command(const engine::Command& command) {
  journal::Sequence sequence = 0;
  if (const Reply appended = append(journal::Kind::command, command.SerializeAsString(), sequence); !appended.ok) {
    return appended;
  }
  const auto outcome = core_.loop().wait_answer(sequence);
  if (!outcome) return stopped();
  return {outcome->ok, outcome->text};
}

Reply Operations::drain() {
  const journal::Sequence last = core_.journal().last();
  engine::Command checkpoint;
  checkpoint.mutable_make_checkpoint();
  if (Reply made = command(checkpoint); !made.ok) return made;
  return {true, boost::json::serialize(boost::json::object{{"committed", last}})};
}

Reply Operations::backup(const std::filesystem::path& target) {
  // A checkpoint first, so that little journal has to go with the copy.
  engine::Command checkpoint;
  checkpoint.mutable_make_checkpoint();
  if (Reply made = command(checkpoint); !made.ok) return made;
  const auto tail = [this](engine::Sequence from,
                           engine::Sequence to) -> engine::StoreResult<std::vector<store::TailRecord>> {
    std::vector<store::TailRecord> records;
    auto found = journal::read_range(config_.journal_folder(), from, to);
    if (!found) return engine::StoreError{found.error().message};
    for (const journal::OwnedRecord& record : *found) {
      records.push_back({record.sequence, static_cast<std::uint8_t>(record.kind), record.received, record.body});
    }
    return records;
  };
  const auto pinned = core_.journal().pin();
  if (auto done = store::backup(config_.store_file(), target, tail); !done) return {false, done.error().message};
  return {true, boost::json::serialize(boost::json::object{{"backup", target.string()}})};
}

}  // namespace fettle::app
