// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace cloudflaredump {

/// One connection of RawServer, in the hands of the test's script.
class RawConnection {
 public:
  RawConnection(int fd, int own_number) : number(own_number), fd_(fd) {}

  /// The next request, head and body, as it came; empty when the client has gone.
  std::string ReadRequest() {
    std::size_t head = 0;
    while ((head = pending_.find("\r\n\r\n")) == std::string::npos) {
      if (!ReadSome()) return {};
    }
    const std::size_t at = pending_.find("Content-Length: ");
    const std::size_t body = at < head ? std::strtoul(pending_.c_str() + at + 16, nullptr, 10) : 0;
    const std::size_t whole = head + 4 + body;
    while (pending_.size() < whole) {
      if (!ReadSome()) return {};
    }
    std::string request = pending_.substr(0, whole);
    pending_.erase(0, whole);
    return request;
  }

  /// False when the client has gone.
  bool Send(const std::string& bytes) {
    for (std::size_t sent = 0; sent < bytes.size();) {
      const ssize_t count = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return false;
      sent += static_cast<std::size_t>(count);
    }
    return true;
  }

  /// Makes the close at the script's end a reset.
  void ResetAtEnd() {
    const linger hard{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }

  /// Waits until the client closes, or the server is destroyed.
  void WaitForClose() {
    while (ReadSome()) {
    }
  }

  const int number;  ///< 1 for the first connection.

 private:
  bool ReadSome() {
    char buffer[4096];
    const ssize_t count = recv(fd_, buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    pending_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }

  int fd_;
  std::string pending_;
};

/// A server on loopback that sends exactly the bytes that a test says, right or wrong. `script`
/// runs once per connection, in a thread of that connection; the connection closes when it returns.
class RawServer {
 public:
  explicit RawServer(std::function<void(RawConnection&)> script) : script_(std::move(script)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener_, 64) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      std::abort();  // no loopback, no test
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { Accept(); });
  }

  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  ~RawServer() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : fds_) shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    for (const int fd : fds_) close(fd);
    close(listener_);
  }

  std::string Url(const std::string& path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

  int connections() const { return connections_; }

 private:
  void Accept() {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const int number = ++connections_;
      const std::lock_guard lock(mutex_);
      const std::size_t slot = fds_.size();
      fds_.push_back(fd);
      threads_.emplace_back([this, fd, number, slot] {
        RawConnection connection(fd, number);
        script_(connection);
        const std::lock_guard closing(mutex_);
        close(fd);
        fds_[slot] = -1;
      });
    }
  }

  std::function<void(RawConnection&)> script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::vector<int> fds_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace cloudflaredump
