// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/stop_requests.h"

#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace cloudflaredump::system {
namespace {

constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP};

// A signal handler can reach nothing but globals. The pipe lives as long as the process.
int signal_pipe[2] = {-1, -1};

void OnSignal(int number) {
  const int saved = errno;
  const char byte = static_cast<char>(number);
  // A full pipe already holds the news.
  [[maybe_unused]] const ssize_t n = write(signal_pipe[1], &byte, 1);
  errno = saved;
}

void SetHandler(int signal_number, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal_number, &action, nullptr);
}

}  // namespace

StopRequests::StopRequests(EventLoop& loop) : loop_(loop) {
  if (signal_pipe[0] < 0) {
    // Without it signals keep their default action: the program still ends, only less politely.
    if (g_unix_open_pipe(signal_pipe, FD_CLOEXEC, nullptr) == FALSE) return;
    for (const int end : signal_pipe) g_unix_set_fd_nonblocking(end, TRUE, nullptr);
  }
  watch_ = loop_.Watch(signal_pipe[0], POLLIN, [this](short) { TakeSignals(); });
  for (const int number : kSignals) SetHandler(number, OnSignal);
  SetHandler(SIGPIPE, SIG_IGN);
  SetHandler(SIGXFSZ,
             SIG_IGN);  // a file at its limit (ulimit -f) is an error of write, not the end
}

StopRequests::~StopRequests() {
  loop_.Cancel(watch_);
}

void StopRequests::Leave() {
  Rise(StopLevel::kLeave);
}

void StopRequests::ReaderGone() {
  reader_gone_ = true;
  Leave();
}

void StopRequests::Deliver() {
  Rise(StopLevel::kDeliver);
}

void StopRequests::Request() {
  Rise(StopLevel::kStop);
}

void StopRequests::Finish() {
  if (level_ != StopLevel::kNone) return;
  level_ = StopLevel::kStop;
  finishing_ = true;
}

void StopRequests::SetOnStop(std::function<void()> callback) {
  on_stop_ = std::move(callback);
  if (on_stop_ && level_ != StopLevel::kNone && !finishing_) std::exchange(on_stop_, {})();
}

void StopRequests::Rise(StopLevel level) {
  if (level <= level_ && !finishing_) return;
  level_ = std::max(level_, level);
  finishing_ = false;
  if (on_stop_) std::exchange(on_stop_, {})();
}

void StopRequests::HandBack() {
  TakeSignals();
  for (const int number : kSignals) SetHandler(number, SIG_DFL);
  if (last_signal_ != 0) raise(last_signal_);
}

void StopRequests::TakeSignals() {
  char bytes[64];
  bool came = false;
  while (read(signal_pipe[0], bytes, sizeof bytes) > 0) {
    came = true;
    last_signal_ = bytes[0];
  }
  if (!came) return;
  const auto now = std::chrono::steady_clock::now();
  if (!first_signal_) {
    first_signal_ = now;
    Request();
  } else if (now - *first_signal_ >= std::chrono::seconds(1)) {
    Leave();
  }
}

}  // namespace cloudflaredump::system
