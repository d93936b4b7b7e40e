// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/child_call.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>

#include "common/text.h"
#include "extcap/filter/compile_limits.h"
#include "extcap/system/child_process.h"

namespace cloudflaredump::filter {
namespace {

using Clock = std::chrono::steady_clock;

/// Whether all of `text` was written.
bool WriteAll(int fd, const std::string& text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    done += static_cast<std::size_t>(n);
  }
  return true;
}

#ifdef __has_feature
constexpr bool kSanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||
                            __has_feature(memory_sanitizer);
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

/// The child must neither outlive this process nor run its signal handlers, which would write to
/// pipes that both share. A Ctrl-C reaches both: this process decides what comes of it.
void BecomeChild(pid_t parent) {
  system::EndWithParent(parent);
  for (const int number : {SIGINT, SIGTERM, SIGHUP}) signal(number, SIG_IGN);
  for (const int number : {SIGPIPE, SIGCHLD}) signal(number, SIG_DFL);
  // A sanitizer's shadow memory is not what is meant.
  if (!kSanitized) system::LimitMemory(kCompileMemory);
}

/// How long a stop may go unnoticed.
constexpr std::int64_t kBetweenQuestions = 50;

/// What poll wants: milliseconds until `deadline` or until `stop` is to be asked again, 0 if the
/// deadline has passed.
int WaitFor(Clock::time_point deadline, const std::function<bool()>& stop) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, stop ? kBetweenQuestions : 60'000));
}

enum class ReadEnd : std::uint8_t { kEndOfFile, kDeadline, kStopped };

/// Reads to the end of file, unless `deadline` passes first or `stop` says so.
ReadEnd ReadUntil(int fd, Clock::time_point deadline, const std::function<bool()>& stop,
                  std::string& text) {
  std::array<char, 65536> chunk;
  for (;;) {
    if (stop && stop()) return ReadEnd::kStopped;
    const int wait = WaitFor(deadline, stop);
    if (wait == 0) return ReadEnd::kDeadline;
    pollfd ready = {.fd = fd, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, wait) <= 0) continue;
    const ssize_t n = read(fd, chunk.data(), chunk.size());
    if (n == 0) return ReadEnd::kEndOfFile;
    if (n > 0) text.append(chunk.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace

Result<std::string> CallInChild(const std::function<std::string()>& work, Duration limit,
                                const std::function<bool()>& stop) {
  std::array<int, 2> ends = {};
  if (g_unix_open_pipe(ends.data(), FD_CLOEXEC, nullptr) == FALSE) {
    return Fail(Format("no pipe: %s", strerror(errno)));
  }
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) {
    const int reason = errno;
    close(ends[0]);
    close(ends[1]);
    return Fail(Format("no child process could be started: %s", strerror(reason)));
  }
  if (child == 0) {
    BecomeChild(parent);
    _exit(WriteAll(ends[1], work()) ? 0 : 1);
  }
  close(ends[1]);
  std::string answer;
  const auto deadline = Clock::now() + limit;
  const ReadEnd end = ReadUntil(ends[0], deadline, stop, answer);
  close(ends[0]);
  if (end != ReadEnd::kEndOfFile) kill(child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  if (end == ReadEnd::kStopped) return Stopped();
  if (end == ReadEnd::kDeadline) {
    return Fail(Format("it took longer than %s", FormatSpan(limit).c_str()), Error::Kind::kPassing);
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return Fail("the child process died");
  }
  return answer;
}

}  // namespace cloudflaredump::filter
