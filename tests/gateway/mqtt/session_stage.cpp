#include "tests/gateway/mqtt/session_stage.h"

namespace fettle::mqtt_adapter::testing {

SessionStage::SessionStage(std::size_t max_backlog) {
  journal::Options options;
  options.folder = folder_.path() / "journal";
  options.max_backlog = max_backlog;
  journal_ = std::move(*journal::Journal::open(options, 0));
}

SessionLog SessionStage::log() {
  return [this](const std::string& line) {
    const std::scoped_lock lock(mutex_);
    logged_ += line + '\n';
  };
}

bool SessionStage::logged(const std::string& part) const {
  const std::scoped_lock lock(mutex_);
  return logged_.find(part) != std::string::npos;
}

std::string SessionStage::all_logged() const {
  const std::scoped_lock lock(mutex_);
  return logged_;
}

std::vector<journal::OwnedRecord> SessionStage::records() {
  const journal::Sequence last = journal_->last();
  if (last == 0) return {};
  return *journal::read_range(folder_.path() / "journal", 0, last);
}

std::vector<std::string> SessionStage::topics_of_sparkplug() {
  std::vector<std::string> topics;
  for (const journal::OwnedRecord& record : records()) {
    if (record.kind != journal::Kind::sparkplug) continue;
    const auto message = journal::decode_sparkplug(record.body);
    topics.push_back(message ? std::string(message->message.topic) : "not readable");
  }
  return topics;
}

std::vector<std::string> SessionStage::sessions() {
  std::vector<std::string> found;
  for (const journal::OwnedRecord& record : records()) {
    if (record.kind != journal::Kind::session) continue;
    const auto session = journal::decode_session(record.body);
    found.push_back(session ? (session->up ? "up " : "down ") + std::string(session->name) : "not readable");
  }
  return found;
}

}  // namespace fettle::mqtt_adapter::testing
