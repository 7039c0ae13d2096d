// The log: one line an entry whatever it says, JSON that a parser takes, no secrets, repetitions counted.

#include "gateway/app/log.h"

#include <gtest/gtest.h>

#include <atomic>
#include <boost/json/parse.hpp>
#include <functional>
#include <limits>
#include <regex>
#include <sstream>
#include <thread>
#include <vector>

namespace fettle::app {
namespace {

using boost::json::object;

LogEntry entry(std::string_view message, std::span<const Field> fields = {}) {
  return {LogLevel::warn, "test_event", message, fields};
}
std::string text_of(std::string_view message, std::initializer_list<Field> fields = {}) {
  return text_line(entry(message, {fields.begin(), fields.size()}), {});
}
object json_of(const LogEntry& given, std::span<const std::string> secrets = {}) {
  return boost::json::parse("{" + json_members(given, secrets) + "}").as_object();
}

TEST(TextLine, IsTheMessageAndItsFields) {
  EXPECT_EQ(text_of("session lost"), "session lost");
  EXPECT_EQ(text_of("session lost", {{"broker", "plant"}, {"attempts", 3}, {"wait", 1.5}, {"again", true}}),
            "session lost broker=plant attempts=3 wait=1.5 again=true");
  EXPECT_EQ(text_of("x", {{"why", "no route to host"}, {"quoted", "a\"b"}, {"none", ""}, {"least", INT64_MIN}}),
            "x why=\"no route to host\" quoted=\"a\\\"b\" none=\"\" least=-9223372036854775808");
}

struct Escape {
  const char* what;
  std::string_view raw;
  std::string_view text;
  std::string_view json;  // as it stands between the quotes
};

TEST(Lines, EscapeWhateverWouldBreakOrForgeThem) {
  using namespace std::string_view_literals;
  const Escape kTable[] = {
      {"line ends", "a\nb\r\tc", "a\\nb\\r\\tc", "a\\nb\\r\\tc"},
      {"a terminal sequence", "\x1b[31mred", "\\x1b[31mred", "\\u001b[31mred"},
      {"NUL and DEL", "a\0b\x7f"sv, "a\\x00b\\x7f", "a\\u0000b\\u007f"},
      {"a C1 control",
       "\xc2\x9b"
       "31m",
       "\\x9b31m", "\\u009b31m"},
      {"quotes and backslashes", R"(a"b\c)", R"(a"b\c)", R"(a\"b\\c)"},
      {"UTF-8", "k\xc3\xbchl \xe6\xb8\xa9 \xf0\x9f\x9a\xa8", "k\xc3\xbchl \xe6\xb8\xa9 \xf0\x9f\x9a\xa8",
       "k\xc3\xbchl \xe6\xb8\xa9 \xf0\x9f\x9a\xa8"},
      {"a stray byte", "a\xff!", "a\\xff!", "a\xEF\xBF\xBD!"},
      {"an overlong slash", "\xc0\xaf", "\\xc0\\xaf", "\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"a surrogate", "\xed\xa0\x80", "\\xed\\xa0\\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"beyond Unicode", "\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80",
       "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"a cut character", "\xe6\xb8", "\\xe6\\xb8", "\xEF\xBF\xBD\xEF\xBF\xBD"},
  };
  for (const Escape& row : kTable) {
    EXPECT_EQ(text_of(row.raw), row.text) << row.what;
    const std::string json = json_members(entry(row.raw), {});
    EXPECT_EQ(json, "\"level\":\"warn\",\"event\":\"test_event\",\"message\":\"" + std::string(row.json) + "\"")
        << row.what;
    EXPECT_NO_THROW(boost::json::parse("{" + json + "}")) << row.what;
  }
}

TEST(JsonLine, HasTypedFields) {
  const std::initializer_list<Field> fields = {{"broker", "plant"}, {"attempts", 3U},
                                               {"offset", -7},      {"ratio", 0.25},
                                               {"held", false},     {"worst", std::numeric_limits<double>::infinity()}};
  const object line = json_of(entry("m", {fields.begin(), fields.size()}));
  EXPECT_EQ(line.at("level"), "warn");
  EXPECT_EQ(line.at("event"), "test_event");
  EXPECT_EQ(line.at("broker"), "plant");
  EXPECT_EQ(line.at("attempts").to_number<int>(), 3);
  EXPECT_EQ(line.at("offset").to_number<int>(), -7);
  EXPECT_EQ(line.at("ratio").as_double(), 0.25);
  EXPECT_EQ(line.at("held"), false);
  EXPECT_EQ(line.at("worst"), "inf");
}

TEST(JsonLine, KeepsItsOwnMembersWhateverAFieldIsCalled) {
  const Field fields[] = {{"message", "other"}, {"level", "none"}};
  const object line = json_of(entry("mine", fields));
  EXPECT_EQ(line.at("message"), "mine");
  EXPECT_EQ(line.at("message_"), "other");
  EXPECT_EQ(line.at("level_"), "none");
}

TEST(Lines, AreBoundedAndSaySo) {
  for (const std::string& filling :
       {std::string("x"), std::string("\x01"), std::string("\xe6\xb8\xa9"), std::string("\"")}) {
    std::string large;
    while (large.size() < 100'000) large += filling;
    const Field fields[] = {{"first", large}, {"second", "short"}, {"third", large}};
    const std::string text = text_line(entry(large, fields), {});
    EXPECT_LE(text.size() + kMaxLineHead, kMaxLine);
    EXPECT_TRUE(text.ends_with("(cut)"));
    const std::string json = "{" + json_members(entry(large, fields), {}) + "}";
    EXPECT_LE(json.size() + kMaxLineHead, kMaxLine);
    const object parsed = boost::json::parse(json).as_object();
    EXPECT_EQ(parsed.at("cut"), true);
    EXPECT_EQ(parsed.at("second"), "short") << "what fits is kept";
    EXPECT_GT(parsed.at("message").as_string().size(), 900U);
  }
  const object whole = json_of(entry(std::string(kMaxMessage, 'x')));
  EXPECT_FALSE(whole.contains("cut"));
}

TEST(Lines, ShowNoSecrets) {
  const std::vector<std::string> secrets = {"hunter2-long", "hunter2"};
  const Field fields[] = {{"password", "plain"},   {"api_key", 12345},          {"token", "t0ken"},
                          {"note", "is hunter2!"}, {"uri", "mqtt://u:pw@host"}, {"monkey", "seen"}};
  const LogEntry given = entry(
      "login as hunter2-long, hunter2 at mqtts://gate:p@ss@broker:8883/x and tcp://gate@h:1, "
      "tcp://host:1883/a@b:c",
      fields);
  const std::string expected =
      "login as ***, *** at mqtts://gate:***@broker:8883/x and tcp://gate@h:1, "
      "tcp://host:1883/a@b:c";
  EXPECT_EQ(text_line(given, secrets),
            expected + " password=*** api_key=*** token=*** note=\"is ***!\" uri=mqtt://u:***@host monkey=seen");
  const object line = json_of(given, secrets);
  EXPECT_EQ(line.at("message").as_string(), expected);
  EXPECT_EQ(line.at("api_key"), "***");
  EXPECT_EQ(line.at("note"), "is ***!");
}

TEST(Lines, CutNoSecretInHalf) {
  const std::vector<std::string> secrets = {"hunter2-hunter2"};
  for (std::size_t before = kMaxMessage - 20; before <= kMaxMessage; ++before) {
    const std::string message = std::string(before, 'x') + secrets.front();
    EXPECT_EQ(text_line(entry(message), secrets).find("hun"), std::string::npos) << before;
  }
}

// A log into memory, with a clock that stands until it is moved.
class LogTest : public testing::Test {
 protected:
  void open(LogFormat format, LogLevel level = LogLevel::info) {
    out = ::open_memstream(&bytes, &size);
    log.emplace(LogOptions{format, level, out, [this] { return now.load(); }});
  }
  ~LogTest() override {
    log.reset();
    if (out != nullptr) std::fclose(out);
    std::free(bytes);  // NOLINT(cppcoreguidelines-no-malloc): of open_memstream
  }
  std::vector<std::string> lines() {
    std::fflush(out);
    std::istringstream in(std::string(bytes, size));
    std::vector<std::string> found;
    for (std::string line; std::getline(in, line);) found.push_back(line);
    return found;
  }
  // Without the time.
  std::vector<std::string> messages() {
    std::vector<std::string> found = lines();
    for (std::string& line : found) line.erase(0, line.find(' ') + 1);
    return found;
  }
  void pass(std::chrono::seconds time) { now = now.load() + time; }

  char* bytes = nullptr;
  std::size_t size = 0;
  std::FILE* out = nullptr;
  std::atomic<std::chrono::steady_clock::time_point> now{std::chrono::steady_clock::time_point{}};
  std::optional<Log> log;
};

TEST_F(LogTest, WritesTextWithTimeAndLevel) {
  open(LogFormat::text);
  (*log)("ready");
  log->warn("session_lost", "the session is lost", {{"broker", "plant"}});
  log->error("fold_failed", "over");
  const std::regex form(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d (info|warning|error) .*)");
  for (const std::string& line : lines()) EXPECT_TRUE(std::regex_match(line, form)) << line;
  EXPECT_EQ(messages(),
            (std::vector<std::string>{"info ready", "warning the session is lost broker=plant", "error over"}));
}

TEST_F(LogTest, WritesJsonWithUtcTime) {
  open(LogFormat::json);
  log->warn("session_lost", "the \"session\"\nis lost", {{"broker", "plant"}});
  (*log)("plain");
  const auto found = lines();
  ASSERT_EQ(found.size(), 2U);
  const object line = boost::json::parse(found[0]).as_object();
  EXPECT_TRUE(std::regex_match(std::string(line.at("ts").as_string()),
                               std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")));
  EXPECT_EQ(line.begin()->key(), "ts");
  EXPECT_EQ(line.at("event"), "session_lost");
  EXPECT_EQ(line.at("message"), "the \"session\"\nis lost");
  EXPECT_EQ(boost::json::parse(found[1]).as_object().at("event"), "note");
}

TEST_F(LogTest, DropsWhatIsBelowItsLevel) {
  open(LogFormat::text, LogLevel::warn);
  log->debug("e", "one");
  log->info("e", "two");
  log->warn("e", "three");
  log->error("e", "four");
  EXPECT_EQ(messages(), (std::vector<std::string>{"warning three", "error four"}));
  EXPECT_EQ(log->counts().info, 0U);
  EXPECT_EQ(log->counts().warn, 1U);
  EXPECT_EQ(log->counts().error, 1U);
}

TEST_F(LogTest, CountsRepetitionsInsteadOfWritingThem) {
  open(LogFormat::text);
  for (int i = 0; i < 45; ++i) log->warn("full", "the journal is full");
  log->warn("full", "the journal is full", {{"by", 1}});  // another entry
  EXPECT_EQ(lines().size(), Log::kRepeats + 1);
  log->tell_repeats();
  EXPECT_EQ(lines().size(), Log::kRepeats + 1) << "its time is not over";
  pass(Log::kRepeatTime);
  log->tell_repeats();
  EXPECT_EQ(messages().back(), "warning the journal is full (40 more times)");
  EXPECT_EQ(log->counts().warn, 46U);
  EXPECT_EQ(log->counts().suppressed, 40U);
  log->tell_repeats();
  log->warn("full", "the journal is full");
  EXPECT_EQ(messages().back(), "warning the journal is full") << "afterwards it is written again";
  EXPECT_EQ(lines().size(), Log::kRepeats + 3);
}

TEST_F(LogTest, TellsRepetitionsAlsoWithTheNextEntryAndAtTheEnd) {
  open(LogFormat::json);
  for (int i = 0; i < 10; ++i) log->info("a", "again");
  pass(Log::kRepeatTime);
  log->info("b", "other");
  auto found = lines();
  ASSERT_EQ(found.size(), Log::kRepeats + 2);
  EXPECT_EQ(boost::json::parse(found[Log::kRepeats]).as_object().at("repeated").to_number<int>(), 5);
  for (int i = 0; i < 8; ++i) log->info("b", "last");
  log.reset();
  found = lines();
  EXPECT_EQ(boost::json::parse(found.back()).as_object().at("repeated").to_number<int>(), 3);
}

TEST_F(LogTest, ForgetsTheOldestOfTooManyDifferentEntriesAfterTellingItsCount) {
  open(LogFormat::text);
  for (int i = 0; i < 7; ++i) (*log)("first");
  for (std::size_t i = 0; i < Log::kMaxRepeating; ++i) {
    pass(std::chrono::seconds(i == 0 ? 1 : 0));
    (*log)("other " + std::to_string(i));
  }
  const auto found = messages();
  EXPECT_EQ(std::count(found.begin(), found.end(), "info first (2 more times)"), 1);
  EXPECT_EQ(found.back(), "info other " + std::to_string(Log::kMaxRepeating - 1));
}

TEST_F(LogTest, HidesWhatItWasToldToHide) {
  open(LogFormat::text);
  log->hide("abc");  // too short to be told from common words
  log->hide("s3cret-of-plant");
  log->hide("s3cret");
  (*log)("abc s3cret-of-plant and s3cret");
  log->error("e", "m", {{"what", "s3cret-of-plant"}});
  EXPECT_EQ(messages(), (std::vector<std::string>{"info abc *** and ***", "error m what=***"}));
}

TEST_F(LogTest, ThreadsDoNotMixTheirLines) {
  open(LogFormat::json);
  constexpr int kThreads = 4;
  constexpr int kEach = 200;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([copy = *log, thread] {
      for (int i = 0; i < kEach; ++i) copy.info("e", std::to_string(thread * kEach + i) + std::string(300, '.'));
    });
  }
  for (std::thread& thread : threads) thread.join();
  const auto found = lines();
  EXPECT_EQ(found.size(), static_cast<std::size_t>(kThreads * kEach));
  for (const std::string& line : found) EXPECT_NO_THROW(boost::json::parse(line)) << line;
  EXPECT_EQ(log->counts().info, static_cast<std::uint64_t>(kThreads * kEach));
}

TEST(Log, IsMadeFromAFunctionAndIsOneWhereverAFunctionIsAskedFor) {
  std::vector<std::string> heard;
  const auto ear = [&](const std::string& message) { heard.push_back(message); };
  const auto take = [](const Log& log) { log("by reference"); };
  take(ear);
  const Log log = ear;
  const std::function<void(const std::string&)> function = log;
  function("as a function");
  const Log again = function;
  again.warn("event", "with a level", {{"field", 1}});
  EXPECT_EQ(heard, (std::vector<std::string>{"by reference", "as a function", "with a level"}));
}

}  // namespace
}  // namespace fettle::app
