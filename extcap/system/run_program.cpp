// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/run_program.h"

#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <memory>

#include "common/text.h"

namespace cloudflaredump::system {
namespace {

using Clock = std::chrono::steady_clock;

/// How long a stop, or an end that nothing wakes us for, may go unnoticed.
constexpr int kBetweenQuestionsMs = 50;

constexpr const char* kMoreFolders = "/usr/local/bin:/opt/homebrew/bin:/snap/bin";

Strv EnvironmentOf(const Program& program) {
  char** list = EnvironmentWithout(program.hides).release();
  const char* const path = g_environ_getenv(list, "PATH");
  const std::string folders =
      std::string(path == nullptr || *path == '\0' ? "/usr/bin:/bin" : path);
  list = g_environ_setenv(list, "PATH", (folders + ":" + kMoreFolders).c_str(), TRUE);
  for (const auto& [name, value] : program.variables) {
    list = g_environ_setenv(list, name.c_str(), value.c_str(), TRUE);
  }
  return Strv(list);
}

/// Runs in the child: without a controlling terminal no program can ask there for a password.
void LeaveTerminal(void*) {
  setsid();
}

/// One output of a running program.
class Output {
 public:
  Output(int fd, std::string& text) : fd_(fd), text_(text) {
    fcntl(fd_, F_SETFL, fcntl(fd_, F_GETFL) | O_NONBLOCK);
  }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() { close(fd_); }

  /// -1, which poll passes over, after the end.
  int fd() const { return at_end_ ? -1 : fd_; }
  bool at_end() const { return at_end_; }

  /// Takes what is there. False if that passes `max`.
  bool Drain(std::size_t max) {
    std::array<char, 4096> chunk;
    while (!at_end_) {
      const ssize_t n = read(fd_, chunk.data(), chunk.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
      at_end_ = n <= 0;
      if (n > 0) text_.append(chunk.data(), static_cast<std::size_t>(n));
      if (text_.size() > max) return false;
    }
    return true;
  }

 private:
  const int fd_;
  std::string& text_;
  bool at_end_ = false;
};

/// A child process that is killed, with what it started, unless it ends by itself.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (ended_) return;
    kill(-pid_, SIGKILL);
    kill(pid_, SIGKILL);
    Wait(0);
  }

  /// Whether it has ended. With `options` 0 waits until it has.
  bool Wait(int options) {
    int status = 0;
    pid_t done = 0;
    while ((done = waitpid(pid_, &status, options)) < 0 && errno == EINTR) continue;
    if (done == 0) return false;
    ended_ = true;
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
  }
  int status() const { return status_; }

 private:
  const pid_t pid_;
  bool ended_ = false;
  int status_ = 0;
};

}  // namespace

Strv EnvironmentWithout(const HidesVariable& hides) {
  char** list = g_get_environ();
  const Strv names(g_listenv());
  for (char** name = names.get(); *name != nullptr; ++name) {
    const char* const value = g_environ_getenv(list, *name);
    if (hides && value != nullptr && hides(*name, value)) list = g_environ_unsetenv(list, *name);
  }
  return Strv(list);
}

Result<ProgramEnd> RunProgram(const Program& program, const std::function<bool()>& stop) {
  const std::string& name = program.argv.front();
  const Strv environment = EnvironmentOf(program);
  std::vector<char*> argv;
  argv.reserve(program.argv.size() + 1);
  for (const std::string& word : program.argv) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  GPid pid = 0;
  int out = -1;
  int err = -1;
  GError* error = nullptr;
  constexpr auto kFlags =
      static_cast<GSpawnFlags>(G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH_FROM_ENVP);
  if (!g_spawn_async_with_pipes(nullptr, argv.data(), environment.get(), kFlags, LeaveTerminal,
                                nullptr, &pid, nullptr, &out, &err, &error)) {
    const bool missing = g_error_matches(error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT);
    const std::string why = CleanLine(error->message);
    g_error_free(error);
    if (missing) return ProgramEnd{.found = false};
    return Fail(name + " cannot be run: " + why);
  }
  ProgramEnd end;
  Child child(pid);
  Output standard(out, end.out);
  Output errors(err, end.err);
  const Clock::time_point deadline = Clock::now() + program.limit;
  for (bool over = false; !over;) {
    // Its end counts, not that of its output: what it started may keep that open.
    over = child.Wait(WNOHANG);
    if (!standard.Drain(program.max_output) || !errors.Drain(program.max_output)) {
      return Fail(name + " printed more than makes sense");
    }
    if (over) break;
    if (stop()) return Stopped();
    if (Clock::now() >= deadline) {
      return Fail(name + " did not end within " + FormatSpan(program.limit), Error::Kind::kPassing);
    }
    std::array<pollfd, 2> ready = {pollfd{.fd = standard.fd(), .events = POLLIN, .revents = 0},
                                   pollfd{.fd = errors.fd(), .events = POLLIN, .revents = 0}};
    const bool closed = standard.at_end() && errors.at_end();
    poll(ready.data(), ready.size(), closed ? 5 : kBetweenQuestionsMs);
  }
  end.status = child.status();
  return end;
}

}  // namespace cloudflaredump::system
