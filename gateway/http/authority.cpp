#include "gateway/http/authority.h"

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/system/error_code.hpp>
#include <cctype>
#include <string>

namespace fettle::http {
namespace {

// The authority without its port; empty where what follows the host is no port.
std::string_view host_of(std::string_view authority) {
  const std::size_t bracket = authority.starts_with('[') ? authority.find(']') : std::string_view::npos;
  const std::size_t end = bracket == std::string_view::npos ? authority.find(':') : bracket + 1;
  if (end >= authority.size()) return authority;
  const std::string_view port = authority.substr(end + 1);
  const bool digits = std::all_of(port.begin(), port.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  return authority[end] == ':' && digits ? authority.substr(0, end) : std::string_view();
}

}  // namespace

bool is_loopback(std::string_view authority) {
  std::string host(host_of(authority));
  std::transform(host.begin(), host.end(), host.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (host == "localhost" || host == "localhost.") return true;
  boost::system::error_code error;
  if (host.starts_with('[') && host.ends_with(']')) {
    const auto address = boost::asio::ip::make_address_v6(host.substr(1, host.size() - 2), error);
    return !error && address.is_loopback();
  }
  const auto address = boost::asio::ip::make_address_v4(host, error);
  return !error && address.is_loopback();
}

}  // namespace fettle::http
