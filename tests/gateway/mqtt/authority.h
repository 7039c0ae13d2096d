#pragma once
// A certificate authority of a test, made with the openssl command: another implementation of the files than ours.

#include <filesystem>
#include <string>

namespace fettle::mqtt_adapter::testing {

struct KeyPair {
  std::filesystem::path certificate;
  std::filesystem::path key;  // mode 600
};

class Authority {
 public:
  // `name` is its common name, and the beginning of its files in `folder`.
  Authority(const std::filesystem::path& folder, const std::string& name);

  const std::filesystem::path& certificate() const { return certificate_; }
  // A certificate for `common_name`, with `names` as its subject alternative name ("DNS:localhost,IP:127.0.0.1"; empty:
  // none), valid from now on for `days`; negative: it has expired.
  KeyPair sign(const std::string& common_name, const std::string& names, int days = 30) const;

 private:
  std::filesystem::path folder_;
  std::string name_;
  std::filesystem::path certificate_;
  std::filesystem::path key_;
};

}  // namespace fettle::mqtt_adapter::testing
