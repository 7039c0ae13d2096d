// Payloads that travel compressed inside another one: read as what is inside, within bounds, or refused with a reason.

#include "gateway/sparkplug/compressed.h"

#include <gtest/gtest.h>

#include "tests/gateway/sparkplug/compress.h"
#include "tests/gateway/sparkplug/messages.h"

namespace fettle::sparkplug::testing {
namespace {

P zipped(const P& inner) {
  return wrapped(deflated(inner.bytes()));
}

P data(std::uint64_t seq) {
  return {seq, 950, {M::aliased(1).number(static_cast<double>(seq))}};
}

Host born() {
  Host host;
  host.send(Host::topic("NBIRTH"), zipped(Host::birth(0, 900)));
  return host;
}

// ---- what is inside counts

TEST(Compressed, MessagesSayWhatIsInsideWhicheverWayTheyWerePacked) {
  struct Row {
    const char* title;
    Packing packing;
    const char* algorithm;
  };
  const Row rows[] = {
      {"as sparkplug-client does by itself", Packing::zlib, ""},
      {"as both do when told to", Packing::zlib, "DEFLATE"},
      {"the other algorithm", Packing::gzip, "GZIP"},
      {"in small letters, as sparkplug-client reads it", Packing::gzip, "gzip"},
      {"gzip that nobody announced", Packing::gzip, ""},
      {"announced wrongly: the header decides", Packing::gzip, "DEFLATE"},
      {"announced wrongly the other way round", Packing::zlib, "GZIP"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.title);
    Host host;
    const auto send = [&](const std::string& topic, const P& inner) {
      return host.send(topic, wrapped(deflated(inner.bytes(), row.packing), row.algorithm));
    };
    EXPECT_EQ(send(Host::topic("NBIRTH"), Host::birth(0, 900)),
              "discovered plant/n1; born plant/n1 after absence; data plant/n1 birth Speed=1.5@900 Count=7@900");
    EXPECT_EQ(send(Host::topic("DBIRTH", "n1", "d1"), Host::device_birth(1, 901)),
              "discovered plant/n1/d1; born plant/n1/d1 after absence; data plant/n1/d1 birth Temperature=20.5@901");
    EXPECT_EQ(send(Host::topic("NDATA"), data(2)), "data plant/n1 Speed=2@950");
    EXPECT_EQ(send(Host::topic("DDEATH", "n1", "d1"), P(3, 952)), "died plant/n1/d1 @952");
    EXPECT_EQ(send(Host::topic("NDEATH"), Host::death(0)), "died plant/n1 @1000");
    EXPECT_EQ(host.nodes.counters().refused, 0U);
  }
}

TEST(Compressed, MessagesHaveTheNumberInsideAlsoWhereOneIsRepeatedOutside) {
  Host host = born();
  P tahu = zipped(data(1));
  tahu.payload.set_seq(1);
  EXPECT_EQ(host.send(Host::topic("NDATA"), tahu), "data plant/n1 Speed=1@950");
  P wrong = zipped(data(2));
  wrong.payload.set_seq(77);
  EXPECT_EQ(host.send(Host::topic("NDATA"), wrong), "data plant/n1 Speed=2@950");
  P outside_only = zipped(P(std::nullopt, 950, {M::aliased(1).number(3)}));
  outside_only.payload.set_seq(3);
  EXPECT_EQ(host.send(Host::topic("NDATA"), outside_only), "refused no_seq; rebirth plant/n1 no_seq");
}

TEST(Compressed, TextsLiveAsLongAsTheOutputDoes) {
  Host host = born();
  host.send(Host::topic("NDATA"), zipped({1, 950, {M::aliased(1).type(DataType::string).text("a long enough text")}}));
  ASSERT_EQ(host.out.samples.size(), 1U);
  EXPECT_EQ(host.out.samples[0].text, "a long enough text");
}

TEST(Compressed, AndPlainMessagesMayTakeTurns) {
  Host host = born();
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(1)), "data plant/n1 Speed=1@950");
  EXPECT_EQ(host.send(Host::topic("NDATA"), zipped(data(2))), "data plant/n1 Speed=2@950");
  EXPECT_EQ(host.send(Host::topic("NDATA"), data(3)), "data plant/n1 Speed=3@950");
  EXPECT_EQ(host.send(Host::topic("NDATA"), zipped(data(3))), "gap plant/n1 opened 4 got 3 missing 255")
      << "known again by the bytes that came, as everywhere";
}

// ---- order

TEST(Compressed, MessagesWaitForTheirTurnAndAreAppliedInOrder) {
  Host host = born();
  EXPECT_EQ(host.send(Host::topic("NDATA"), zipped(data(3))), "gap plant/n1 opened 1 got 3 missing 2");
  EXPECT_EQ(host.send(Host::topic("NDATA"), zipped(data(2))), "");
  EXPECT_EQ(host.send(Host::topic("NDATA"), zipped(data(3))), "") << "delivered twice";
  EXPECT_EQ(host.nodes.counters().duplicates, 1U);
  EXPECT_EQ(host.send(Host::topic("NDATA"), zipped(data(1))),
            "data plant/n1 Speed=1@950; gap plant/n1 healed 1 got 2 missing 1; data plant/n1 Speed=2@950; data "
            "plant/n1 Speed=3@950");
  EXPECT_EQ(host.out.events[2].origin.hash, std::hash<std::string>()(zipped(data(2)).bytes()))
      << "of the bytes that came, not of those inside";
  EXPECT_EQ(host.nodes.waiting_bytes(), 0U);
}

TEST(Compressed, MessagesThatWaitedInVainOrCameTooLateAreHistory) {
  Host host = born();
  host.send(Host::topic("NDATA"), zipped(data(2)));
  EXPECT_EQ(host.tick(2'000), "gap plant/n1 lost 1 got 2 missing 1; data plant/n1 Speed=2@950~; rebirth plant/n1 gap");
  EXPECT_EQ(host.send(Host::topic("NDATA"), zipped(data(1))), "data plant/n1 Speed=1@950~");
}

TEST(Compressed, MessagesThatWaitOutliveARestart) {
  Host host = born();
  host.send(Host::topic("NDATA"), zipped(data(2)));
  HostNodes fresh;
  for (const auto part : {HostNodes::Part::tables, HostNodes::Part::session}) {
    ASSERT_FALSE(fresh.load(host.nodes.save({0, part})));
  }
  host.nodes = std::move(fresh);
  EXPECT_EQ(host.send(Host::topic("NDATA"), zipped(data(1))),
            "data plant/n1 Speed=1@950; gap plant/n1 healed 1 got 2 missing 1; data plant/n1 Speed=2@950");
}

TEST(Compressed, MessagesThatWaitCountWithWhatTheyAreInflated) {
  Host host = born();
  P large = data(2);
  *large.payload.add_metrics() =
      M::aliased(2).type(DataType::string).text(std::string(700U << 10U, 'x')).metric;  // twice that is over 1 MiB
  EXPECT_EQ(host.send(Host::topic("NDATA"), zipped(large)), "gap plant/n1 opened 1 got 2 missing 1");
  EXPECT_GT(host.nodes.waiting_bytes(), 700U << 10U);
  large.payload.set_seq(3);
  EXPECT_NE(host.send(Host::topic("NDATA"), zipped(large)).find("lost"), std::string::npos);
  EXPECT_EQ(host.nodes.waiting_bytes(), 0U);
}

// ---- what is refused

TEST(Compressed, PayloadsThatCannotBeInflatedAreRefusedWithAReasonAndARemedy) {
  const std::string inner = data(1).bytes();
  const std::string zlib = deflated(inner);
  std::string damaged = zlib;
  damaged.back() = static_cast<char>(damaged.back() ^ 1);  // the checksum
  P number = wrapped(zlib, "");
  *number.payload.add_metrics() = M::named("algorithm").type(DataType::int32).integer(1).metric;
  struct Row {
    const char* title;
    P outer;
    const char* what;
    const char* remedy;
  };
  const Row rows[] = {
      {"an algorithm nobody named", wrapped(zlib, "ZSTD"), "says 'ZSTD'", "expected DEFLATE or GZIP"},
      {"an algorithm that is no text", number, "says 'NOT A TEXT'", "expected DEFLATE or GZIP"},
      {"an unreadable algorithm", wrapped(zlib, "\x01\x02"), "something unreadable", "expected DEFLATE or GZIP"},
      {"no body", wrapped(""), "no body", "switch compression off"},
      {"cut short", wrapped(zlib.substr(0, zlib.size() - 5)), "ends before its end", "limits for messages"},
      {"cut short in the header", wrapped(zlib.substr(0, 1)), "ends before its end", "limits for messages"},
      {"damaged", wrapped(damaged), "cannot be inflated", "undamaged"},
      {"not compressed at all", wrapped(inner), "cannot be inflated", "RFC 1950"},
      {"deflated without a header", wrapped(deflated(inner, Packing::raw)), "cannot be inflated", "RFC 1950"},
      {"something behind", wrapped(zlib + "tail"), "4 bytes follow", "nothing else in the body"},
      {"compressed twice", zipped(zipped(data(1))), "holds another", "compress once"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.title);
    Host host = born();
    EXPECT_EQ(host.send(Host::topic("NDATA"), row.outer), "refused compression; rebirth plant/n1 malformed");
    const std::string detail(host.out.events[0].detail);
    EXPECT_NE(detail.find(row.what), std::string::npos) << detail;
    EXPECT_NE(detail.find(row.remedy), std::string::npos) << detail;
    EXPECT_EQ(host.send(Host::topic("NDATA"), zipped(data(1))), "data plant/n1 Speed=1@950") << "nothing is broken";
  }
}

TEST(Compressed, RubbishInsideIsRefusedForWhatItIs) {
  Host host = born();
  EXPECT_EQ(host.send(Host::topic("NDATA"), wrapped(deflated("{\"metrics\":[]}"))),
            "refused malformed; rebirth plant/n1 malformed");
  EXPECT_TRUE(host.out.events[0].detail.starts_with("in the compressed payload, byte 1 of 14"))
      << host.out.events[0].detail;
}

TEST(Compressed, PayloadsMayBeAsLargeInsideAsPlainOnes) {
  P inner(1, 950, {M::named("filler").type(DataType::bytes)});
  const std::size_t envelope = inner.bytes().size();
  constexpr std::size_t kLimit = 1U << 20U;
  // A bytes value of that size has a tag of two bytes and a length of three.
  inner.payload.mutable_metrics(0)->set_bytes_value(std::string(kLimit - envelope - 5, 'x'));
  const std::size_t more = inner.bytes().size() - kLimit;  // lengths around it that grew
  inner.payload.mutable_metrics(0)->mutable_bytes_value()->resize(kLimit - envelope - 5 - more);
  ASSERT_EQ(inner.bytes().size(), kLimit);
  Payload payload;
  std::string inflated;
  const std::string fits = zipped(inner).bytes();
  ASSERT_FALSE(decode(fits, payload));
  const auto none = unwrap(payload, kLimit, inflated);
  EXPECT_FALSE(none) << none->detail;
  EXPECT_EQ(inflated.size(), kLimit);
  ASSERT_FALSE(decode(fits, payload));
  const auto one_less = unwrap(payload, kLimit - 1, inflated);
  ASSERT_TRUE(one_less);
  EXPECT_EQ(one_less->reason, "compression");
}

TEST(Compressed, BombsCostNoMoreThanTheLimit) {
  constexpr std::size_t kHuge = 64U << 20U;
  const std::string bomb = wrapped(deflated(std::string(kHuge, '\0'))).bytes();
  ASSERT_LT(bomb.size(), 100U << 10U);
  for (const std::size_t limit : {std::size_t{1} << 10U, std::size_t{1} << 20U, ~std::size_t{0}}) {
    Payload payload;
    std::string inflated;
    ASSERT_FALSE(decode(bomb, payload));
    const auto problem = unwrap(payload, limit, inflated);
    ASSERT_TRUE(problem);
    EXPECT_EQ(problem->reason, "compression");
    EXPECT_NE(problem->detail.find("when inflated"), std::string::npos) << problem->detail;
    EXPECT_NE(problem->detail.find("sparkplug.max_payload"), std::string::npos) << problem->detail;
    EXPECT_LE(inflated.capacity(), 2 * std::min(limit, kMaxInflatedBytes) + 64) << "no memory beyond it";
  }
  Host host = born();
  EXPECT_EQ(host.send(Host::topic("NDATA"), bomb), "refused compression; rebirth plant/n1 malformed");
}

}  // namespace
}  // namespace fettle::sparkplug::testing
