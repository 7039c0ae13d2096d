#pragma once
// The authority of a request: whom a client believes to be talking to. Pure.
//
// A web page may give a name of its own the address 127.0.0.1 and have a browser on this machine ask us in its name
// ("DNS rebinding"): then it reads the answer. The name betrays it, since the browser sends it along.

#include <string_view>

namespace fettle::http {

// Whether an authority (RFC 3986, 3.2: a Host header's value, with or without a port) is this machine under a name that
// nobody else can give it: localhost, or a numeric loopback address.
bool is_loopback(std::string_view authority);

}  // namespace fettle::http
