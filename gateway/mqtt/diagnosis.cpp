#include "gateway/mqtt/diagnosis.h"

#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "gateway/mqtt/broker_uri.h"

namespace fettle::mqtt_adapter {
namespace {

using Deadline = std::chrono::steady_clock::time_point;

// With TLS 1.3 a client learns only after its handshake that the broker wants a certificate (RFC 8446, 4.4.2.4).
constexpr std::chrono::milliseconds kAfterHandshake{500};

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSession {
  void operator()(SSL* session) const { SSL_free(session); }
};
struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// Whether the socket became ready for `events` in time.
bool ready(int descriptor, short events, Deadline deadline) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
  pollfd wanted{descriptor, events, 0};
  return left > 0 && ::poll(&wanted, 1, static_cast<int>(left)) == 1;
}

// 0, or the errno of the attempt.
int connect_within(int descriptor, const addrinfo& address, Deadline deadline) {
  if (descriptor < 0) return errno;
  if (::connect(descriptor, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  if (!ready(descriptor, POLLOUT, deadline)) return ETIMEDOUT;
  int error = 0;
  socklen_t length = sizeof error;
  ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length);
  return error;
}

std::string in_words(const X509_NAME* name) {
  const std::unique_ptr<BIO, FreeBio> out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

std::string in_words(const ASN1_TIME* time) {
  const std::unique_ptr<BIO, FreeBio> out(BIO_new(BIO_s_mem()));
  ASN1_TIME_print(out.get(), time);
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<std::size_t>(size)};
}

// The names and addresses a certificate is for (RFC 6125), comma-separated.
std::string names_of(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string out;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    std::string text;
    if (name->type == GEN_DNS) {
      text.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                  static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      const unsigned char* bytes = ASN1_STRING_get0_data(name->d.iPAddress);
      if (ASN1_STRING_length(name->d.iPAddress) != 4) continue;
      for (int k = 0; k < 4; ++k) text += (k == 0 ? "" : ".") + std::to_string(bytes[k]);
    } else {
      continue;
    }
    out += (out.empty() ? "" : ", ") + text;
  }
  return out.empty() ? in_words(X509_get_subject_name(certificate)) : out;
}

// What was wrong with the broker's certificate, noted while it is verified.
struct Verdict {
  int error = X509_V_OK;
  std::string subject;
  std::string issuer;
  std::string names;
  std::string from;
  std::string until;
};

int verdict_index() {
  static const int kIndex = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return kIndex;
}

int note_verdict(int good, X509_STORE_CTX* store) {
  if (good == 1) return 1;
  auto* session = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* verdict = static_cast<Verdict*>(SSL_get_ex_data(session, verdict_index()));
  const X509* certificate = X509_STORE_CTX_get_current_cert(store);
  verdict->error = X509_STORE_CTX_get_error(store);
  if (certificate == nullptr) return 0;
  verdict->subject = in_words(X509_get_subject_name(certificate));
  verdict->issuer = in_words(X509_get_issuer_name(certificate));
  verdict->names = names_of(certificate);
  verdict->from = in_words(X509_get0_notBefore(certificate));
  verdict->until = in_words(X509_get0_notAfter(certificate));
  return 0;
}

std::string in_words(const Verdict& verdict, const BrokerAccess& access, const BrokerUri& uri) {
  const std::string who = "the certificate of " + access.broker + " (" + verdict.subject + ") ";
  switch (verdict.error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
      return who + "is signed by \"" + verdict.issuer + "\", which " +
             (access.ca_file.empty() ? "this machine does not trust; name a file with that authority as tls.ca_file"
                                     : "is not the authority in " + access.ca_file.string() +
                                           "; name the file with the one that signed it as tls.ca_file");
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return who + "expired on " + verdict.until + "; have the broker's certificate renewed";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return who + "is valid only from " + verdict.from + " on; set this machine's clock, or the broker's";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return who + "is for " + verdict.names + ", not for " + uri.host +
             "; use one of those names in the address, or have a certificate made for " + uri.host;
    default:
      return who + "is refused: " + X509_verify_cert_error_string(verdict.error);
  }
}

// An alert of the broker, or a failure of our own, once the certificate was not what failed.
std::optional<std::string> in_words(unsigned long code, const BrokerAccess& access) {
  const bool has_certificate = !access.cert_file.empty();
  switch (ERR_GET_REASON(code)) {
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
      return has_certificate ? "the broker " + access.broker +
                                   " ended the handshake; it may not take the certificate " + access.cert_file.string()
                             : "the broker " + access.broker +
                                   " asks for a client certificate, and there is none; name it as tls.cert_file and "
                                   "its key as tls.key_file";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR:
      return "the broker " + access.broker + " refuses the client certificate " + access.cert_file.string() + " (" +
             ERR_reason_error_string(code) + "); have one made by an authority it knows";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return "what answers at " + access.broker + " does not speak TLS; name its TLS port (8883 by custom)";
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return "the broker " + access.broker + " speaks no version of TLS from 1.2 on; bring it up to date";
    default:
      break;
  }
  const char* reason = ERR_reason_error_string(code);
  if (reason == nullptr) return std::nullopt;
  return "TLS with " + access.broker + " fails: " + reason;
}

using Context = std::unique_ptr<SSL_CTX, FreeContext>;
using Session = std::unique_ptr<SSL, FreeSession>;

Context context_for(const BrokerAccess& access) {
  Context context(SSL_CTX_new(TLS_client_method()));
  if (!context) return nullptr;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, note_verdict);
  if (access.ca_file.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else {
    SSL_CTX_load_verify_locations(context.get(), access.ca_file.c_str(), nullptr);
  }
  if (!access.cert_file.empty()) {
    SSL_CTX_use_certificate_chain_file(context.get(), access.cert_file.c_str());
    SSL_CTX_use_PrivateKey_file(context.get(), access.key_file.c_str(), SSL_FILETYPE_PEM);
  }
  return context;
}

// The broker's certificate must be for the host as it stands in the address.
void expect_host(SSL* session, const std::string& host) {
  X509_VERIFY_PARAM* expected = SSL_get0_param(session);
  if (X509_VERIFY_PARAM_set1_ip_asc(expected, host.c_str()) == 1) return;
  SSL_set1_host(session, host.c_str());
  // The macro SSL_set_tlsext_host_name, without its C cast.
  SSL_ctrl(session, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, const_cast<char*>(host.c_str()));
}

enum class Step : std::uint8_t { done, failed, no_answer };

// Repeats a step of OpenSSL over a non-blocking socket.
template <typename Call>
Step until_done(SSL* session, int descriptor, Deadline deadline, Call call) {
  for (;;) {
    const int result = call();
    if (result > 0) return Step::done;
    const int why = SSL_get_error(session, result);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) return Step::failed;
    if (!ready(descriptor, why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT, deadline)) return Step::no_answer;
  }
}

std::optional<std::string> diagnose_tls(const BrokerAccess& access, const BrokerUri& uri, int descriptor,
                                        Deadline deadline) {
  ERR_clear_error();
  const Context context = context_for(access);
  const Session session(context ? SSL_new(context.get()) : nullptr);
  if (!session) return std::nullopt;
  Verdict verdict;
  SSL_set_ex_data(session.get(), verdict_index(), &verdict);
  expect_host(session.get(), uri.host);
  SSL_set_fd(session.get(), descriptor);
  Step step = until_done(session.get(), descriptor, deadline, [&] { return SSL_connect(session.get()); });
  if (verdict.error != X509_V_OK) return in_words(verdict, access, uri);
  const bool shaken = step == Step::done;
  if (shaken) {
    char byte = 0;
    step = until_done(session.get(), descriptor, std::chrono::steady_clock::now() + kAfterHandshake,
                      [&] { return SSL_read(session.get(), &byte, 1); });
    if (step != Step::failed) return std::nullopt;
  }
  const unsigned long code = ERR_get_error();
  if (code != 0) return in_words(code, access);
  if (shaken) return std::nullopt;  // closed without a word, after TLS was fine
  return "what answers at " + access.broker + " does not speak TLS; name its TLS port (8883 by custom)";
}

}  // namespace

std::optional<std::string> diagnose(const BrokerAccess& access) {
  const auto uri = parse_broker_uri(access.broker);
  if (!uri) return std::nullopt;
  const Deadline deadline = std::chrono::steady_clock::now() + kDiagnosisTime;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int looked_up = ::getaddrinfo(uri->host.c_str(), std::to_string(uri->port).c_str(), &hints, &found);
  if (looked_up != 0) {
    return "the host \"" + uri->host + "\" is not found (" + ::gai_strerror(looked_up) +
           "); look at the address and at this machine's name server";
  }
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
  int error = ECONNREFUSED;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const Socket socket(::socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    error = connect_within(socket.get(), *address, deadline);
    if (error != 0) continue;
    return uri->tls ? diagnose_tls(access, *uri, socket.get(), deadline) : std::nullopt;
  }
  return "nothing answers at " + uri->host + " port " + std::to_string(uri->port) + " (" + std::strerror(error) +
         "); look whether the broker runs and listens there";
}

}  // namespace fettle::mqtt_adapter
