#include "gateway/mqtt/intake.h"

#include <boost/json.hpp>
#include <thread>

namespace fettle::mqtt_adapter {

bool Intake::append(journal::Kind kind, std::string_view body, AtStop at_stop, journal::Keep keep) {
  bool waited = false;
  bool told = false;
  auto patience = kPatience / kSlice;  // tries once stopping
  for (;;) {
    const auto appended = journal_.append(kind, clock_.now(), body, keep);
    if (appended) break;
    if (!waited) ++held_;
    waited = true;
    const bool full = appended.error() == journal::Refusal::full;
    if (stopping_ && at_stop == AtStop::give_up && (!full || patience-- == 0)) return false;
    if (at_stop == AtStop::hold) refused_by_disk_ = !full;
    if (!told && appended.error() == journal::Refusal::disk) {
      log_(journal_.disk_error() + "; holding messages back until there is room (" + elsewhere_ + ')');
      told = true;
    }
    if (full) {
      journal_.wait_for_space(kSlice);
    } else {
      std::this_thread::sleep_for(kSlice);
    }
  }
  if (at_stop == AtStop::hold) refused_by_disk_ = false;
  return true;
}

void Intake::clock(std::string_view payload, AtStop at_stop) {
  boost::json::error_code error;
  const boost::json::value value = boost::json::parse(payload, error);
  const auto* object = error ? nullptr : value.if_object();
  const auto* now = object == nullptr ? nullptr : object->if_contains("now");
  if (now == nullptr || !now->is_int64()) {
    log_("ignored a message on " + std::string(kClockTopic) + ": expected {\"now\": <ms since 1970>}");
    return;
  }
  if (clock_.advance(journal::Time(std::chrono::milliseconds(now->get_int64())))) {
    append(journal::Kind::tick, {}, at_stop);
  }
}

}  // namespace fettle::mqtt_adapter
