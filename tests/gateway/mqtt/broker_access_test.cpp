// What proves who we are to a broker is looked over before the first connection.

#include "gateway/mqtt/broker_access.h"

#include <gtest/gtest.h>

#include "tests/e2e/harness/process.h"
#include "tests/gateway/mqtt/authority.h"
#include "tests/gateway/temporary_folder.h"

namespace fettle::mqtt_adapter {
namespace {

using e2e::write_text;
using std::filesystem::perms;
using testing::Authority;
using testing::KeyPair;

class BrokerAccessTest : public ::testing::Test {
 protected:
  std::filesystem::path secret(const std::string& name, const std::string& text,
                               perms mode = perms::owner_read | perms::owner_write) {
    const auto file = folder_.path() / name;
    write_text(file, text);
    std::filesystem::permissions(file, mode);
    return file;
  }
  std::string problem(const BrokerAccess& access, const std::filesystem::path& password_file = {}) {
    const auto opened = open_access(access, password_file);
    return opened ? "none" : opened.error().message;
  }

  test::TemporaryFolder folder_;
};

TEST_F(BrokerAccessTest, TakesThePasswordFromTheFirstLineOfItsFile) {
  for (const char* text : {"s3 cret", "s3 cret\n", "s3 cret\r\n", "s3 cret\nmore\n"}) {
    const auto opened = open_access({"tcp://a", "gw", ""}, secret("password", text));
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->password, "s3 cret");
    EXPECT_EQ(opened->username, "gw");
  }
}

TEST_F(BrokerAccessTest, RefusesASecretThatOthersCanRead) {
  for (const perms more : {perms::group_read, perms::others_read, perms::group_write, perms::others_exec}) {
    const auto file = secret("password", "s3cret", perms::owner_read | more);
    const std::string message = problem({"tcp://a", "gw", ""}, file);
    EXPECT_EQ(message, "the password file " + file.string() + " can be read by others; chmod 600 it");
  }
}

TEST_F(BrokerAccessTest, SaysWhatIsWrongWithASecretAndNeverWhatItSays) {
  EXPECT_NE(problem({"tcp://a", "gw", ""}, folder_.path() / "none").find("cannot read the password file"),
            std::string::npos);
  EXPECT_NE(problem({"tcp://a", "gw", ""}, secret("password", "")).find("is empty; its first line"), std::string::npos);
  EXPECT_NE(problem({"tcp://a", "gw", ""}, secret("password", "\nx")).find("is empty"), std::string::npos);
  const std::string message = problem({"tcp://a", "gw", ""}, secret("password", std::string(5'000, 'x')));
  EXPECT_NE(message.find("more than 4095 bytes"), std::string::npos) << message;
  EXPECT_EQ(message.find("xxx"), std::string::npos);
}

TEST_F(BrokerAccessTest, TakesACertificateAndItsKey) {
  const Authority authority(folder_.path(), "plant");
  const KeyPair gateway = authority.sign("gateway", "");
  EXPECT_EQ(problem({"mqtts://a", "", "", authority.certificate(), gateway.certificate, gateway.key}), "none");
  EXPECT_EQ(problem({"mqtts://a", "", "", authority.certificate()}), "none");
  EXPECT_EQ(problem({"mqtts://a"}), "none");
}

TEST_F(BrokerAccessTest, RefusesAKeyThatOthersCanRead) {
  const Authority authority(folder_.path(), "plant");
  const KeyPair gateway = authority.sign("gateway", "");
  std::filesystem::permissions(gateway.key, perms::group_read, std::filesystem::perm_options::add);
  EXPECT_EQ(problem({"mqtts://a", "", "", {}, gateway.certificate, gateway.key}),
            "the key file " + gateway.key.string() + " can be read by others; chmod 600 it");
}

TEST_F(BrokerAccessTest, RefusesFilesThatDoNotHoldWhatTheyShould) {
  const Authority authority(folder_.path(), "plant");
  const KeyPair gateway = authority.sign("gateway", "");
  const KeyPair other = authority.sign("other", "");
  const KeyPair old = authority.sign("old", "", -1);
  const auto text = secret("text", "no certificate\n");
  struct Row {
    BrokerAccess access;
    std::string part;
  };
  for (const Row& row : {
           Row{{"mqtts://a", "", "", text}, "the CA file " + text.string() + " cannot be used"},
           Row{{"mqtts://a", "", "", folder_.path() / "none"}, "expected a file with at least one certificate in PEM"},
           Row{{"mqtts://a", "", "", {}, text, gateway.key}, "expected the gateway's certificate in PEM form"},
           Row{{"mqtts://a", "", "", {}, gateway.certificate, text}, "the key file " + text.string()},
           Row{{"mqtts://a", "", "", {}, gateway.certificate, other.key}, "does not belong to the certificate file"},
           Row{{"mqtts://a", "", "", {}, gateway.certificate}, "a certificate and its key go together"},
           Row{{"mqtts://a", "", "", {}, old.certificate, old.key}, "has expired; have a new certificate made"},
           Row{{"tcp://a", "", "", authority.certificate()}, "an address without TLS; expected mqtts://a"},
           Row{{"a:1883"}, "the broker's address \"a:1883\" cannot be read; expected tcp://host:port"},
       }) {
    const std::string message = problem(row.access);
    EXPECT_NE(message.find(row.part), std::string::npos) << message;
  }
}

TEST_F(BrokerAccessTest, RefusesAKeyWithAPassPhraseInsteadOfAskingForIt) {
  const Authority authority(folder_.path(), "plant");
  const KeyPair gateway = authority.sign("gateway", "");
  const auto locked = folder_.path() / "locked.key";
  ASSERT_EQ(e2e::run_command({"openssl", "pkey", "-in", gateway.key.string(), "-aes256", "-passout", "pass:x", "-out",
                              locked.string()})
                .code,
            0);
  std::filesystem::permissions(locked, perms::owner_read | perms::owner_write);
  const std::string message = problem({"mqtts://a", "", "", {}, gateway.certificate, locked});
  EXPECT_NE(message.find("without a pass phrase (openssl pkey -in OLD -out NEW takes it off)"), std::string::npos)
      << message;
}

}  // namespace
}  // namespace fettle::mqtt_adapter
