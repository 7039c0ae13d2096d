#include "gateway/engine/entry_key.h"

namespace fettle::catalog {

std::string kind_name(Entry::EntryCase kind) {
  switch (kind) {
    case Entry::kModel:
      return "model";
    case Entry::kAsset:
      return "asset";
    case Entry::kSeller:
      return "seller";
    case Entry::kCustomer:
      return "customer";
    case Entry::kSite:
      return "site";
    case Entry::kPack:
      return "pack";
    case Entry::kPlan:
      return "plan";
    case Entry::kSubscription:
      return "subscription";
    case Entry::kMapping:
      return "mapping";
    case Entry::ENTRY_NOT_SET:
      break;
  }
  return "nothing";
}

std::pair<std::string, std::string> entry_key(const Entry& entry) {
  const std::string kind = kind_name(entry.entry_case());
  switch (entry.entry_case()) {
    case Entry::kModel:
      return {kind, entry.model().id()};
    case Entry::kAsset:
      return {kind, entry.asset().id()};
    case Entry::kSeller:
      return {kind, entry.seller().id()};
    case Entry::kCustomer:
      return {kind, entry.customer().id()};
    case Entry::kSite:
      return {kind, entry.site().id()};
    case Entry::kPack:
      return {kind, entry.pack().id()};
    case Entry::kPlan:
      return {kind, entry.plan().id()};
    case Entry::kSubscription:
      return {kind, entry.subscription().id()};
    case Entry::kMapping:
      return {kind, entry.mapping().id()};
    case Entry::ENTRY_NOT_SET:
      break;
  }
  return {kind, {}};
}

}  // namespace fettle::catalog
