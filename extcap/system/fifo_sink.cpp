// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/fifo_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/platform.h"
#include "common/text.h"

namespace cloudflaredump::system {
namespace {

using namespace std::chrono_literals;

/// Far enough away for "until something happens".
constexpr Duration kLong = 24h;

/// A pipe of 1 MiB carries four times the bytes a second of the default 64 KiB. Elsewhere than on
/// Linux a pipe grows by itself.
[[maybe_unused]] constexpr int kPipeBytes = 1 << 20;

std::unexpected<Error> Gone() {
  return Fail("the reader of the capture has gone", Error::Kind::kInterrupted);
}

}  // namespace

Result<std::unique_ptr<FifoSink>> FifoSink::Open(const std::string& path, EventLoop& loop,
                                                 StopRequests& stop) {
  for (;;) {
    // Non-blocking, for a blocking open could not be ended by SIGTERM before a reader comes.
    const int fd = open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0) return std::make_unique<FifoSink>(fd, loop, stop);
    if (errno != ENXIO && errno != EINTR) {
      return Fail(Format("cannot open the capture pipe %s: %s", CleanLine(path).c_str(),
                         std::strerror(errno)));
    }
    const auto pause = loop.FromReal(5ms);
    if (loop.RunUntil(stop.Stopping(), loop.Steady() + pause)) return Stopped();
  }
}

FifoSink::FifoSink(int fd, EventLoop& loop, StopRequests& stop)
    : loop_(loop), stop_(stop), fd_(fd) {
  struct stat status = {};
  if (fstat(fd, &status) != 0 || !S_ISFIFO(status.st_mode)) return;
  flags_ = fcntl(fd, F_GETFL);
  fcntl(fd, F_SETFL, flags_ | O_NONBLOCK);
#if CLOUDFLAREDUMP_HAVE_PIPE_SIZE
  fcntl(fd, F_SETPIPE_SZ, kPipeBytes);
#endif
  watch_ = loop.Watch(fd, 0, [this](short events) {
    if ((events & (POLLERR | POLLHUP | POLLNVAL)) == 0) return;
    loop_.Cancel(watch_);
    watch_ = 0;
    stop_.ReaderGone();
  });
}

FifoSink::~FifoSink() {
  loop_.Cancel(watch_);
  LetGo();
}

int FifoSink::LetGo() {
  const int fd = std::exchange(fd_, -1);
  if (fd < 0) return 0;
  // Others may have the same pipe open, as a shell's standard output is by the next command.
  if (flags_ >= 0) fcntl(fd, F_SETFL, flags_);
  return close(fd);
}

Result<void> FifoSink::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    if (fd_ < 0 || stop_.AtLeast(StopLevel::kLeave)) return Gone();
    const ssize_t n = write(fd_, bytes.data(), bytes.size());
    if (n >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EPIPE) {
      stop_.ReaderGone();
      return Gone();
    }
    if (errno != EAGAIN) {
      return Fail(Format("cannot write the capture: %s", std::strerror(errno)));
    }
    bool ready = false;
    const EventLoop::Id room = loop_.Watch(fd_, POLLOUT, [&ready](short) { ready = true; });
    loop_.RunUntil([&] { return ready || stop_.AtLeast(StopLevel::kLeave); },
                   loop_.Steady() + kLong);
    loop_.Cancel(room);
  }
  return {};
}

Result<void> FifoSink::Close() {
  loop_.Cancel(watch_);
  watch_ = 0;
  if (LetGo() != 0 && errno != EINTR) {
    return Fail(Format("cannot write the capture: %s", std::strerror(errno)));
  }
  return {};
}

}  // namespace cloudflaredump::system
