// Sessions over TLS: whom they trust, and what they say where they do not.

#include <gtest/gtest.h>

#include <csignal>

#include "gateway/mqtt/direct_session.h"
#include "gateway/mqtt/event_publisher.h"
#include "gateway/mqtt/sparkplug_session.h"
#include "tests/e2e/harness/broker.h"
#include "tests/gateway/mqtt/session_stage.h"
#include "tests/gateway/mqtt/shipped_broker.h"

namespace fettle::mqtt_adapter {
namespace {

using e2e::until;
using testing::Authority;
using testing::KeyPair;
using testing::SessionStage;
using testing::ShippedBroker;

// A session of each kind with one access, and what became of it.
class Sessions {
 public:
  Sessions(SessionStage& stage, const BrokerAccess& access)
      : direct_(direct(access), stage.journal(), stage.clock(), stage.log()),
        sparkplug_(std::move(*SparkplugSession::make(sparkplug(access), stage.journal(), stage.clock(), stage.log()))),
        publisher_(
            events(access), [](std::uint64_t) {}, stage.log()) {
    direct_.start();
    sparkplug_->start();
    publisher_.start();
  }
  ~Sessions() {
    sparkplug_->begin_stop();
    publisher_.begin_stop();
    direct_.stop();
    sparkplug_->stop();
    publisher_.stop();
  }
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  bool all_up() const { return direct_.connected() && sparkplug_->online() && publisher_.connected(); }
  bool any_up() const { return direct_.connected() || sparkplug_->online() || publisher_.connected(); }

 private:
  static DirectOptions direct(const BrokerAccess& access) {
    DirectOptions options;
    static_cast<BrokerAccess&>(options) = access;
    options.client_id = "direct";
    options.topics = {"fettle/v1/+/telemetry"};
    return options;
  }
  static SparkplugOptions sparkplug(const BrokerAccess& access) {
    SparkplugOptions options;
    static_cast<BrokerAccess&>(options) = access;
    options.name = "main";
    options.client_id = "host";
    options.host_id = "fettle";
    return options;
  }
  static EventOptions events(const BrokerAccess& access) {
    EventOptions options;
    static_cast<BrokerAccess&>(options) = access;
    options.client_id = "events";
    return options;
  }

  DirectSession direct_;
  std::unique_ptr<SparkplugSession> sparkplug_;
  EventPublisher publisher_;
};

std::string at(const char* host, int port) {
  return std::string("mqtts://") + host + ':' + std::to_string(port);
}

BrokerAccess with_password(const ShippedBroker& broker, const char* host = "localhost") {
  return {at(host, broker.password_port()), "gateway", "gateway's", broker.authority().certificate()};
}

// Times that a message about a failure has come, from three sessions.
void expect_refused(const BrokerAccess& access, const std::string& message) {
  SessionStage stage;
  const auto opened = open_access(access, {});
  ASSERT_TRUE(opened) << opened.error().message;
  const Sessions sessions(stage, *opened);
  ASSERT_TRUE(until([&] { return stage.logged(message) || sessions.any_up(); }, std::chrono::seconds(20)))
      << "said only: " << stage.all_logged();
  EXPECT_FALSE(sessions.any_up()) << "it was let in";
  EXPECT_TRUE(stage.logged(message)) << stage.all_logged();
  EXPECT_FALSE(stage.logged("gateway's")) << "the password is in the log";
}

TEST(Tls, AllSessionsComeUpWithAPasswordOverTls) {
  SessionStage stage;
  const ShippedBroker broker(stage.folder() / "broker");
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const Sessions sessions(stage, *open_access(with_password(broker, host), {}));
    EXPECT_TRUE(until([&] { return sessions.all_up(); })) << stage.all_logged() << broker.log();
  }
}

TEST(Tls, AllSessionsComeUpWithACertificateInsteadOfAPassword) {
  SessionStage stage;
  const ShippedBroker broker(stage.folder() / "broker");
  const KeyPair gateway = broker.authority().sign("gateway", "");
  const BrokerAccess access{at("localhost", broker.certificate_port()),
                            "",
                            "",
                            broker.authority().certificate(),
                            gateway.certificate,
                            gateway.key};
  const Sessions sessions(stage, *open_access(access, {}));
  EXPECT_TRUE(until([&] { return sessions.all_up(); })) << stage.all_logged() << broker.log();
}

TEST(Tls, ABrokerOfAnotherAuthorityIsRefused) {
  SessionStage stage;
  const ShippedBroker broker(stage.folder() / "broker");
  const Authority other(stage.folder(), "other");
  BrokerAccess access = with_password(broker);
  access.ca_file = other.certificate();
  expect_refused(access, "is signed by \"CN = plant\", which is not the authority in " + other.certificate().string() +
                             "; name the file with the one that signed it as tls.ca_file");
  access.ca_file.clear();
  expect_refused(access, "which this machine does not trust; name a file with that authority as tls.ca_file");
}

TEST(Tls, ABrokerWithACertificateForAnotherHostIsRefused) {
  SessionStage stage;
  const ShippedBroker broker(stage.folder() / "broker", "DNS:broker.example,DNS:other.example");
  expect_refused(with_password(broker),
                 "is for broker.example, other.example, not for localhost; use one of those names in the address");
  expect_refused(with_password(broker, "127.0.0.1"), "is for broker.example, other.example, not for 127.0.0.1");
}

TEST(Tls, ABrokerWithAnExpiredCertificateIsRefused) {
  SessionStage stage;
  const ShippedBroker broker(stage.folder() / "broker", "DNS:localhost", -1);
  expect_refused(with_password(broker), "; have the broker's certificate renewed");
}

TEST(Tls, AMissingClientCertificateIsSaid) {
  SessionStage stage;
  const ShippedBroker broker(stage.folder() / "broker");
  BrokerAccess access = with_password(broker);
  access.broker = at("localhost", broker.certificate_port());
  expect_refused(access, "asks for a client certificate, and there is none; name it as tls.cert_file");
}

TEST(Tls, AClientCertificateOfAnotherAuthorityIsSaid) {
  SessionStage stage;
  const ShippedBroker broker(stage.folder() / "broker");
  const Authority other(stage.folder(), "other");
  const KeyPair gateway = other.sign("gateway", "");
  BrokerAccess access = with_password(broker);
  access.broker = at("localhost", broker.certificate_port());
  access.cert_file = gateway.certificate;
  access.key_file = gateway.key;
  expect_refused(access, "refuses the client certificate " + gateway.certificate.string());
}

TEST(Tls, AWrongPasswordIsSaid) {
  SessionStage stage;
  const ShippedBroker broker(stage.folder() / "broker");
  BrokerAccess access = with_password(broker);
  access.password = "wrong";
  expect_refused(access, "the broker does not let \"gateway\" in; look at its password");
  access.username.clear();
  access.password.clear();
  expect_refused(access, "the broker lets nobody in without proof of who it is");
}

TEST(Tls, APortWithoutTlsAndAPortWithoutAnybodyAreSaid) {
  SessionStage stage;
  const e2e::Broker broker(stage.folder() / "broker");
  expect_refused({at("localhost", broker.port())}, "does not speak TLS; name its TLS port (8883 by custom)");
  expect_refused({"mqtts://localhost:1"}, "nothing answers at localhost port 1 (Connection refused)");
  expect_refused({"mqtts://no-such-host.invalid"}, "the host \"no-such-host.invalid\" is not found");
}

// A server of the openssl command that offers nothing newer than TLS 1.1.
TEST(Tls, AVersionOfTlsBefore12IsRefused) {
  SessionStage stage;
  const ShippedBroker broker(stage.folder() / "broker");  // for its authority alone
  const KeyPair old = broker.authority().sign("old", "DNS:localhost");
  const auto log = stage.folder() / "server.log";
  e2e::Process server({"openssl", "s_server", "-www", "-accept", "0", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-cert",
                       old.certificate.string(), "-key", old.key.string()},
                      log);
  ASSERT_TRUE(until([&] { return e2e::text_of(log).find("ACCEPT ") != std::string::npos; })) << e2e::text_of(log);
  const std::string text = e2e::text_of(log);
  const std::string port = text.substr(text.find("ACCEPT ") + 7);
  const int number = std::stoi(port.substr(port.find_first_of("0123456789", port.rfind(':') + 1)));
  BrokerAccess access = with_password(broker);
  access.broker = at("localhost", number);
  expect_refused(access, "speaks no version of TLS from 1.2 on; bring it up to date");
}

}  // namespace
}  // namespace fettle::mqtt_adapter
