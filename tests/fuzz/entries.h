#pragma once
// What the fuzzers throw bytes at. Each entry ends the process with a sentence when a law is broken; sanitizers do so
// for everything else. The same entries run over the corpus as an ordinary test (corpus_test.cpp).

#include <string_view>

namespace fettle::sparkplug::testing {

// The bytes as a Sparkplug payload. Laws: what our decoder accepts says what Protobuf's reading says; encoded again by
// Protobuf it is accepted again and still says the same.
void fuzz_payload(std::string_view bytes);

// The bytes as a script (scripts.h) of messages, ticks and lost brokers for a host. Laws: a host saved and loaded
// halfway says the same as one that ran through; samples point at metrics there are; buffers stay within their bounds.
void fuzz_host_nodes(std::string_view bytes);

}  // namespace fettle::sparkplug::testing

namespace fettle::rules {

// Three lines for `when`, `clear` and `suppress_when` over the signals of tests/rules, then steps of three bytes:
// readings, late or bad, time, lost sessions, the entitlement. Laws: what is refused has a reason with a place; rules
// saved and loaded every few steps raise and clear as those that ran through.
void fuzz_rules(std::string_view bytes);

}  // namespace fettle::rules
