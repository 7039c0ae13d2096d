#include "gateway/app/control.h"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstring>
#include <optional>
#include <thread>

namespace fettle::app {
namespace {

namespace asio = boost::asio;
using Protocol = asio::local::stream_protocol;

constexpr std::chrono::seconds kPatience{10};
constexpr std::chrono::milliseconds kAskAgain{100};

void put_length(std::string& out, std::size_t length) {
  const auto value = static_cast<std::uint32_t>(length);
  char bytes[4];
  std::memcpy(bytes, &value, 4);
  out.append(bytes, 4);
}

std::uint32_t length_of(const char* bytes) {
  std::uint32_t value = 0;
  std::memcpy(&value, bytes, 4);
  return value;
}

void put_text(std::string& out, const std::string& text) {
  put_length(out, text.size());
  out += text;
}

std::optional<std::string> take_text(std::string_view& in) {
  if (in.size() < 4) return std::nullopt;
  const std::size_t length = length_of(in.data());
  if (in.size() - 4 < length) return std::nullopt;
  std::string text(in.substr(4, length));
  in.remove_prefix(4 + length);
  return text;
}

std::optional<std::vector<catalog::SourceFile>> decode_files(std::string_view body) {
  std::vector<catalog::SourceFile> files;
  while (!body.empty()) {
    auto name = take_text(body);
    auto text = name ? take_text(body) : std::nullopt;
    if (!text) return std::nullopt;
    files.push_back({std::move(*name), std::move(*text)});
  }
  return files;
}

Reply perform(Operations& operations, Request request, const std::string& body) {
  switch (request) {
    case Request::apply:
      if (const auto files = decode_files(body)) return operations.apply(*files);
      break;
    case Request::command: {
      engine::Command command;
      if (command.ParseFromString(body)) return operations.command(command);
      break;
    }
    case Request::drain:
      return operations.drain();
    case Request::backup:
      return operations.backup(body);
  }
  return {false, "the gateway does not understand the request; use the fettle program of the same version"};
}

// The gateway's answer; nothing where no gateway listens.
std::optional<Reply> ask_running(const Config& config, Request request, const std::string& body) {
  asio::io_context io;
  Protocol::socket socket(io);
  boost::system::error_code error;
  socket.connect(Protocol::endpoint(config.socket_file().string()), error);
  if (error) return std::nullopt;
  std::string message;
  put_length(message, body.size() + 1);
  message += static_cast<char>(request);
  message += body;
  asio::write(socket, asio::buffer(message), error);
  char header[5];
  if (!error) asio::read(socket, asio::buffer(header), error);
  if (!error && length_of(header) > kMaxRequest) error = asio::error::message_size;
  std::string text;
  if (!error) {
    text.resize(length_of(header));
    asio::read(socket, asio::buffer(text), error);
  }
  if (error) return Reply{false, "the gateway ended the conversation: " + error.message() + "; see its log"};
  return Reply{header[4] == 1, std::move(text)};
}

}  // namespace

std::string encode_files(const std::vector<catalog::SourceFile>& files) {
  std::string body;
  for (const catalog::SourceFile& file : files) {
    put_text(body, file.name);
    put_text(body, file.text);
  }
  return body;
}

// One request and its reply; keeps itself alive through the handlers that hold it.
class ControlServer::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Protocol::socket socket, ControlServer& server) : socket_(std::move(socket)), server_(server) {}
  ~Connection() { --server_.connections_; }

  void start() {
    asio::async_read(socket_, asio::buffer(header_), [self = shared_from_this()](auto error, std::size_t) {
      if (error) return;
      const std::size_t length = length_of(self->header_);
      if (length < 1 || length > kMaxRequest) return;
      self->body_.resize(length);
      asio::async_read(self->socket_, asio::buffer(self->body_), [self](auto failed, std::size_t) {
        if (!failed) self->work();
      });
    });
  }

 private:
  void work() {
    asio::post(server_.worker_, [self = shared_from_this()] {
      const auto request = static_cast<Request>(self->body_.front());
      Reply reply = perform(self->server_.operations_, request, self->body_.substr(1));
      asio::post(self->socket_.get_executor(), [self, reply = std::move(reply)] { self->answer(reply); });
    });
  }

  void answer(const Reply& reply) {
    body_.clear();
    put_length(body_, reply.text.size());
    body_ += static_cast<char>(reply.ok ? 1 : 0);
    body_ += reply.text;
    asio::async_write(socket_, asio::buffer(body_), [self = shared_from_this()](auto, std::size_t) {});
  }

  Protocol::socket socket_;
  ControlServer& server_;
  char header_[4] = {};
  std::string body_;
};

ControlServer::ControlServer(asio::io_context& io, const Config& config, Core& core)
    : config_(config), operations_(config, core), acceptor_(io) {}

ControlServer::~ControlServer() {
  stop();
}

Result<void> ControlServer::start() {
  const std::string path = config_.socket_file().string();
  ::unlink(path.c_str());  // of a gateway that was killed: the lock says that none runs
  boost::system::error_code error;
  acceptor_.open(Protocol(), error);
  const mode_t before = ::umask(0177);
  if (!error) acceptor_.bind(Protocol::endpoint(path), error);
  ::umask(before);
  if (!error) acceptor_.listen(static_cast<int>(kMaxConnections), error);
  if (error) {
    return Failure{"cannot listen on " + path + ": " + error.message() +
                   "; a socket's path has at most 107 characters: choose a shorter \"data\" folder"};
  }
  accept();
  return {};
}

void ControlServer::accept() {
  acceptor_.async_accept([this](boost::system::error_code error, Protocol::socket socket) {
    if (error) return;
    if (connections_ < kMaxConnections) {
      ++connections_;
      std::make_shared<Connection>(std::move(socket), *this)->start();
    }
    accept();
  });
}

void ControlServer::stop() {
  boost::system::error_code ignored;
  if (acceptor_.is_open()) {
    acceptor_.close(ignored);
    ::unlink(config_.socket_file().c_str());
  }
  worker_.join();
}

Reply ask(const Config& config, Request request, const std::string& body, const Log& log) {
  auto lock = Result<std::optional<FolderLock>>(std::nullopt);
  // A gateway that starts or stops holds the lock a little while before or after it answers.
  for (const auto patience = std::chrono::steady_clock::now() + kPatience;;) {
    if (auto reply = ask_running(config, request, body)) return *reply;
    lock = FolderLock::take(config);
    if (!lock) return {false, lock.error().message};
    if (*lock || std::chrono::steady_clock::now() > patience) break;
    std::this_thread::sleep_for(kAskAgain);
  }
  if (!*lock) {
    return {false, "a gateway holds " + config.data.string() + " but does not answer on " +
                       config.socket_file().string() + "; it is starting, stopping or hanging: see its log"};
  }
  auto core = Core::open(config, std::move(**lock), log);
  if (!core) return {false, core.error().message};
  Operations operations(config, **core);
  Reply reply = perform(operations, request, body);
  if (const auto problem = (*core)->stop()) return {false, *problem};
  return reply;
}

}  // namespace fettle::app
