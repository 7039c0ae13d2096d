#include "gateway/mqtt/broker_access.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

#include "gateway/mqtt/broker_uri.h"

namespace fettle::mqtt_adapter {
namespace {

constexpr std::size_t kLongestSecret = 4'096;  // bytes, the line's end included
constexpr ::mode_t kOthers = 077;              // what a group and others may do

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

// Empties OpenSSL's error queue of this thread; its newest entry in words.
std::string openssl_error() {
  std::string text = "no reason given";
  while (const unsigned long code = ERR_get_error()) {
    if (const char* reason = ERR_reason_error_string(code)) text = reason;
  }
  return text;
}

// An open file whose secret only its owner can see, or why not.
class SecretFile {
 public:
  SecretFile(const std::filesystem::path& file, const std::string& what)
      : descriptor_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
    const std::string name = "the " + what + ' ' + file.string();
    struct stat status {};
    if (descriptor_ < 0 || ::fstat(descriptor_, &status) != 0) {
      problem_ = "cannot read " + name + ": " + std::strerror(errno);
    } else if ((status.st_mode & kOthers) != 0) {
      problem_ = name + " can be read by others; chmod 600 it";
    }
  }
  SecretFile(const SecretFile&) = delete;
  SecretFile& operator=(const SecretFile&) = delete;
  ~SecretFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  const std::optional<std::string>& problem() const { return problem_; }
  // At most kLongestSecret bytes; fewer where the file ends before.
  std::string beginning() const {
    std::array<char, kLongestSecret> buffer{};
    const ssize_t got = ::read(descriptor_, buffer.data(), buffer.size());
    return {buffer.data(), got < 0 ? 0 : static_cast<std::size_t>(got)};
  }

 private:
  int descriptor_;
  std::optional<std::string> problem_;
};

// OpenSSL would ask for a pass phrase on the terminal, which a service has not.
int no_pass_phrase(char*, int, int, void*) {
  return 0;
}

std::optional<std::string> problem_of_ca(SSL_CTX* context, const std::filesystem::path& file) {
  if (SSL_CTX_load_verify_locations(context, file.c_str(), nullptr) == 1) return std::nullopt;
  return "the CA file " + file.string() + " cannot be used (" + openssl_error() +
         "); expected a file with at least one certificate in PEM form (-----BEGIN CERTIFICATE-----)";
}

std::optional<std::string> problem_of_certificate(SSL_CTX* context, const BrokerAccess& access) {
  const std::string name = "the certificate file " + access.cert_file.string();
  if (SSL_CTX_use_certificate_chain_file(context, access.cert_file.c_str()) != 1) {
    return name + " cannot be used (" + openssl_error() + "); expected the gateway's certificate in PEM form";
  }
  if (X509_cmp_current_time(X509_get0_notAfter(SSL_CTX_get0_certificate(context))) < 0) {
    return name + " has expired; have a new certificate made";
  }
  const SecretFile key(access.key_file, "key file");
  if (key.problem()) return *key.problem();
  if (SSL_CTX_use_PrivateKey_file(context, access.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    const std::string why = openssl_error();
    if (why.find("mismatch") != std::string::npos) {
      return "the key file " + access.key_file.string() + " does not belong to " + name +
             "; name the key that the certificate was made for";
    }
    return "the key file " + access.key_file.string() + " cannot be used (" + why +
           "); expected a private key in PEM form without a pass phrase (openssl pkey -in OLD -out NEW takes it off)";
  }
  return std::nullopt;
}

std::optional<std::string> problem_of_tls(const BrokerAccess& access) {
  ERR_clear_error();
  const Context context(SSL_CTX_new(TLS_client_method()));
  if (!context) return "OpenSSL cannot be used: " + openssl_error();
  SSL_CTX_set_default_passwd_cb(context.get(), no_pass_phrase);
  if (!access.ca_file.empty()) {
    if (auto problem = problem_of_ca(context.get(), access.ca_file)) return problem;
  }
  if (access.cert_file.empty() != access.key_file.empty()) {
    return std::string("a certificate and its key go together; name both cert_file and key_file, or neither");
  }
  if (access.cert_file.empty()) return std::nullopt;
  return problem_of_certificate(context.get(), access);
}

}  // namespace

AccessResult<std::string> read_secret(const std::filesystem::path& file, const std::string& what) {
  const SecretFile secret(file, what);
  if (secret.problem()) return AccessError{*secret.problem()};
  std::string line = secret.beginning();
  if (line.size() == kLongestSecret && line.find('\n') == std::string::npos) {
    return AccessError{"the " + what + ' ' + file.string() + " has a first line of more than " +
                       std::to_string(kLongestSecret - 1) + " bytes; expected the secret alone"};
  }
  line.resize(std::min(line.find('\n'), line.size()));
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) {
    return AccessError{"the " + what + ' ' + file.string() + " is empty; its first line is the secret"};
  }
  return AccessResult<std::string>(boost::system::in_place_value, std::move(line));
}

AccessResult<BrokerAccess> open_access(BrokerAccess access, const std::filesystem::path& password_file) {
  const auto uri = parse_broker_uri(access.broker);
  if (!uri) {
    return AccessError{"the broker's address \"" + access.broker + "\" cannot be read; expected " + kBrokerForm};
  }
  if (!password_file.empty()) {
    auto password = read_secret(password_file, "password file");
    if (!password) return password.error();
    access.password = std::move(*password);
  }
  const bool files = !access.ca_file.empty() || !access.cert_file.empty() || !access.key_file.empty();
  if (!uri->tls && files) {
    return AccessError{"there are TLS files for " + access.broker + ", an address without TLS; expected mqtts://" +
                       uri->host};
  }
  if (uri->tls) {
    if (auto problem = problem_of_tls(access)) return AccessError{std::move(*problem)};
  }
  return access;
}

}  // namespace fettle::mqtt_adapter
