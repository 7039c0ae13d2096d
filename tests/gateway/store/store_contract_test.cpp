#include "tests/contract/store_contract.h"

#include "tests/gateway/store/scratch.h"

namespace fettle::engine::contract {
namespace {

class SqliteUnderTest : public StoreUnderTest {
 public:
  explicit SqliteUnderTest(store::Durability durability) : durability_(durability) { reopen(); }
  Store& store() override { return *store_; }
  void reopen() override {
    store_.reset();
    store_ = store::SqliteStore::open(folder_.file("store.db"), durability_).value();
  }

 private:
  store::ScratchFolder folder_;
  store::Durability durability_;
  std::unique_ptr<store::SqliteStore> store_;
};

INSTANTIATE_TEST_SUITE_P(
    Sqlite, StoreContract,
    testing::Values(StoreFactory{"process",
                                 [] { return std::make_unique<SqliteUnderTest>(store::Durability::process); }},
                    StoreFactory{"power", [] { return std::make_unique<SqliteUnderTest>(store::Durability::power); }}),
    name_of_factory);

}  // namespace
}  // namespace fettle::engine::contract
