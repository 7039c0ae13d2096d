#include "tests/gateway/mqtt/authority.h"

#include <stdexcept>

#include "tests/e2e/harness/process.h"

namespace fettle::mqtt_adapter::testing {
namespace {

void openssl(e2e::Words words) {
  words.insert(words.begin(), "openssl");
  const e2e::Ran ran = e2e::run_command(words);
  if (ran.code != 0) throw std::runtime_error("openssl " + words[1] + " failed: " + ran.err);
}

}  // namespace

Authority::Authority(const std::filesystem::path& folder, const std::string& name)
    : folder_(folder), name_(name), certificate_(folder / (name + ".crt")), key_(folder / (name + ".key")) {
  std::filesystem::create_directories(folder);
  openssl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
           key_.string(), "-out", certificate_.string(), "-days", "30", "-subj", "/CN=" + name});
}

KeyPair Authority::sign(const std::string& common_name, const std::string& names, int days) const {
  const std::filesystem::path stem = folder_ / (name_ + '-' + common_name + '-' + std::to_string(days));
  const std::string request = stem.string() + ".csr";
  const std::string extensions = stem.string() + ".ext";
  KeyPair pair{stem.string() + ".crt", stem.string() + ".key"};
  openssl({"req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", pair.key.string(),
           "-out", request, "-subj", "/CN=" + common_name});
  e2e::write_text(extensions, names.empty() ? "basicConstraints=CA:FALSE\n" : "subjectAltName=" + names + '\n');
  openssl({"x509", "-req", "-in", request, "-CA", certificate_.string(), "-CAkey", key_.string(), "-CAcreateserial",
           "-out", pair.certificate.string(), "-days", std::to_string(days), "-extfile", extensions});
  std::filesystem::permissions(pair.key, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  return pair;
}

}  // namespace fettle::mqtt_adapter::testing
