#pragma once
// A request and a response as a route sees them. Values: no socket, no thread, and nothing of the library below.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fettle::http {

// HEAD is not among them: the server answers it from the GET route, without the body.
enum class Method : std::uint8_t { get, post, put, patch, remove };

// As it stands on the wire: "DELETE" for Method::remove.
std::string_view name_of(Method method);

struct Header {
  std::string name;
  std::string value;
};

struct Request {
  Method method = Method::get;
  std::string path;   // "/metrics", as sent: nothing is decoded
  std::string query;  // what stands after the '?', without it
  std::vector<Header> headers;
  std::string body;

  // The value of the first header of that name, whatever its case; empty where there is none.
  std::string_view header(std::string_view name) const;
};

struct Response {
  unsigned status = 200;
  std::string content_type;
  std::string body;
  std::vector<Header> headers;  // besides Content-Type, Content-Length, Connection, Date, which the server writes
};

// An error as JSON that a program and a person can read (RFC 9457): application/problem+json with type "about:blank",
// the status, its name as the title, and `detail`: what is wrong and what to do, valid UTF-8.
Response problem(unsigned status, std::string_view detail);

}  // namespace fettle::http
