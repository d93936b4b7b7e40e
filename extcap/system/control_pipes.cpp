// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/control_pipes.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace cloudflaredump::system {
namespace {

using namespace std::chrono_literals;

/// Wireshark's reader opens its end a moment after we are started; until then ours cannot be.
constexpr auto kRetryOpen = 50ms;

constexpr std::size_t kMostWaiting = std::size_t{256} << 10;

bool IsFifo(const std::string& path) {
  struct stat status = {};
  return !path.empty() && stat(path.c_str(), &status) == 0 && S_ISFIFO(status.st_mode);
}

}  // namespace

ControlPipes::ControlPipes(const std::string& in, std::string out) : out_path_(std::move(out)) {
  if (IsFifo(in)) in_ = open(in.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  out_gone_ = in_ < 0 || !IsFifo(out_path_);
}

ControlPipes::~ControlPipes() {
  Detach();
  if (out_ >= 0) close(out_);
  if (in_ >= 0) close(in_);
}

void ControlPipes::AwaitPartner(std::chrono::milliseconds wait) const {
  if (in_ < 0) return;
  // Readable: Wireshark greets as soon as it has opened the pipe. Hung up: it had.
  pollfd in = {.fd = in_, .events = POLLIN, .revents = 0};
  const auto until = std::chrono::steady_clock::now() + wait;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    const int ready = poll(&in, 1, static_cast<int>(std::max(left, 0ms).count()));
    if (ready >= 0 || errno != EINTR) return;
  }
}

void ControlPipes::Attach(EventLoop& loop, std::function<void(std::string_view)> receive,
                          std::function<void()> hung_up) {
  loop_ = &loop;
  receive_ = std::move(receive);
  hung_up_ = std::move(hung_up);
  if (in_ < 0) return;
  in_watch_ = loop.Watch(in_, POLLIN, [this](short) { Read(); });
}

void ControlPipes::Detach() {
  if (loop_ == nullptr) return;
  for (EventLoop::Id* const id : {&in_watch_, &out_watch_, &out_timer_}) {
    loop_->Cancel(std::exchange(*id, 0));
  }
  waiting_.clear();
  waiting_bytes_ = 0;
  loop_ = nullptr;
}

void ControlPipes::Read() {
  char bytes[4096];
  const ssize_t n = read(in_, bytes, sizeof bytes);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    // Ours stays open, but there is nothing more to wait for.
    loop_->Cancel(std::exchange(in_watch_, 0));
    return hung_up_();
  }
  receive_(std::string_view(bytes, static_cast<std::size_t>(n)));
}

bool ControlPipes::Send(std::string message) {
  if (out_gone_ || loop_ == nullptr || message.size() > PIPE_BUF ||
      waiting_bytes_ + message.size() > kMostWaiting) {
    return false;
  }
  waiting_bytes_ += message.size();
  waiting_.push_back(std::move(message));
  // While something waits already, its watch or timer goes on.
  if (out_watch_ == 0 && out_timer_ == 0) Write();
  return true;
}

void ControlPipes::OpenOut() {
  out_ = open(out_path_.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (out_ < 0 && errno != ENXIO && errno != EINTR) CloseOut();
}

void ControlPipes::CloseOut() {
  loop_->Cancel(std::exchange(out_watch_, 0));
  loop_->Cancel(std::exchange(out_timer_, 0));
  if (out_ >= 0) close(std::exchange(out_, -1));
  out_gone_ = true;
  waiting_.clear();
  waiting_bytes_ = 0;
}

void ControlPipes::Write() {
  if (out_ < 0 && !out_gone_) OpenOut();
  while (!waiting_.empty() && out_ >= 0) {
    // At most PIPE_BUF bytes, so all of it is written or none.
    const std::string& message = waiting_.front();
    if (write(out_, message.data(), message.size()) >= 0) {
      waiting_bytes_ -= message.size();
      waiting_.pop_front();
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      CloseOut();
    }
  }
  WriteLater();
}

void ControlPipes::WriteLater() {
  if (waiting_.empty()) {
    loop_->Cancel(std::exchange(out_watch_, 0));
  } else if (out_ < 0) {
    out_timer_ = loop_->CallAt(loop_->Steady() + loop_->FromReal(kRetryOpen), [this] {
      out_timer_ = 0;
      Write();
    });
  } else if (out_watch_ == 0) {
    out_watch_ = loop_->Watch(out_, POLLOUT, [this](short) { Write(); });
  }
}

void ControlPipes::Flush(std::chrono::milliseconds wait) {
  if (loop_ == nullptr) return;
  loop_->RunUntil([this] { return waiting_.empty(); }, loop_->Steady() + loop_->FromReal(wait));
}

}  // namespace cloudflaredump::system
