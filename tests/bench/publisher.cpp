#include "tests/bench/publisher.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

namespace fettle::bench {
namespace {

constexpr std::size_t kAcknowledgement = 4;  // bytes of a PUBACK
constexpr std::size_t kSlice = 64U << 10U;   // bytes handed to the kernel at once
constexpr int kLook = 1'000;                 // milliseconds after which it looks whether it is cancelled
constexpr int kPatience = 10;                // such times without a word from the broker

// The kernel wakes this process only when that many bytes of acknowledgements are there. Woken by each of them, on a
// processor that happens to be idle, the publisher makes the broker's every send dearer: the idler the subscriber
// leaves the machine, the more so, and a yardstick that does nothing would be slowed more than what is compared with
// it.
void wake_after(int socket, std::size_t bytes) {
  const int low = static_cast<int>(bytes);
  if (::setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &low, sizeof low) != 0) fail_to_publish("cannot set SO_RCVLOWAT");
}

bool cancelled(const Progress& progress) {
  return !progress.wait_beyond(0, std::chrono::steady_clock::time_point::min());
}

}  // namespace

Packets::Packets(const std::vector<Outgoing>& messages) {
  ends_.reserve(messages.size());
  std::size_t id = 0;
  std::string body;
  for (const Outgoing& message : messages) {
    id = id % 65535 + 1;
    body.clear();
    put_text(body, message.topic);
    put16(body, id);
    body += message.payload;
    put_packet(bytes_, kPublishQos1, body);
    ends_.push_back(bytes_.size());
  }
}

AcknowledgedFeed::AcknowledgedFeed(const Packets& packets, int port)
    : packets_(packets), connection_(port, "bench-publisher") {}

void AcknowledgedFeed::publish(const Progress& progress) {
  std::size_t sent = 0;      // bytes
  std::size_t received = 0;  // bytes
  int silence = 0;           // looks
  char answers[16384];
  const std::size_t all = packets_.count() * kAcknowledgement;
  while (received < all) {
    wake_after(connection_.socket(), std::min(all - received, kWindow / 4 * kAcknowledgement));
    const std::size_t may_send = packets_.bytes_of(std::min(packets_.count(), received / kAcknowledgement + kWindow));
    pollfd ready{connection_.socket(), static_cast<short>(sent < may_send ? POLLIN | POLLOUT : POLLIN), 0};
    const int signalled = ::poll(&ready, 1, kLook);
    if (signalled == 0) {
      if (cancelled(progress)) return;
      if (++silence == kPatience) fail_to_publish("the broker acknowledges nothing any more");
      continue;
    }
    if (signalled < 0) continue;  // a signal: whoever waits for this thread knows what to do about it
    silence = 0;
    if ((ready.revents & POLLOUT) != 0) {
      const std::size_t size = std::min(may_send - sent, kSlice);
      sent += connection_.send_some({packets_.bytes().data() + sent, size});
    }
    if ((ready.revents & (POLLIN | POLLERR | POLLHUP)) != 0) {
      const std::size_t size = connection_.receive_some(answers, sizeof answers);
      for (std::size_t i = (kAcknowledgement - received % kAcknowledgement) % kAcknowledgement; i < size;
           i += kAcknowledgement) {
        if (static_cast<unsigned char>(answers[i]) != kPuback) {
          fail_to_publish("the broker answered with something else than PUBACK");
        }
      }
      received += size;
    }
  }
}

void forget_session(int port, const std::string& client_id) {
  // A connection with a clean session ends the durable one of that name; the destructor ends this one.
  const Connection last(port, client_id);
}

}  // namespace fettle::bench
