#pragma once
// What the commands share when they read the store and print: opening, texts of times and amounts, errors.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "gateway/app/config.h"
#include "gateway/engine/ports.h"
#include "gateway/store/sqlite/reader.h"

namespace fettle::app {

// Prints "fettle: <message>" to standard error and returns 1.
int fail(const std::string& message);

// Hears the fold of a command that works without a gateway.
void log_to_stderr(const std::string& message);

// The store of the configuration's data folder; nothing (and said why) where it cannot be read.
std::unique_ptr<store::Reader> open_reader(const Config& config);

// The value, or nothing after having printed the error.
template <typename T>
std::optional<T> value_or_fail(engine::StoreResult<T> result) {
  if (!result) {
    fail(result.error().message);
    return std::nullopt;
  }
  return std::move(*result);
}

// ISO 8601 in UTC. In a zone: the local date and time with the offset.
std::string text_of(engine::Time time);
std::string text_in_zone(engine::Time time, const std::string& zone);
std::string date_in_zone(engine::Time time, const std::string& zone);

// "1,234.50": minor units with the currency's decimals, thousands grouped for people.
std::string amount_text(std::int64_t minor, std::uint8_t exponent);
// The same for a quantity that is a decimal text.
std::string grouped(const std::string& decimal);
// counts * 10^-scale as a decimal text.
std::string quantity_text(std::int64_t counts, std::uint8_t scale);

// Seconds and milliseconds of a date given on the command line; nothing after having said what was expected.
std::optional<engine::Time> date_argument(const std::string& text, const std::string& option);

// How a meter's quantities are printed.
struct MeterText {
  std::uint8_t scale = 0;
  std::string unit;
};
// By asset and meter, from the catalog in the store.
class MeterTexts {
 public:
  explicit MeterTexts(const std::vector<engine::CatalogRow>& catalog);
  ~MeterTexts();
  MeterText of(const std::string& asset, const std::string& meter) const;
  // The signal that a meter of the asset reads.
  std::string signal_of(const std::string& asset, const std::string& meter) const;

 private:
  struct Models;
  std::unique_ptr<Models> models_;
};

}  // namespace fettle::app
