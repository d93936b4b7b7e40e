// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/log.h"

#include <glib.h>
#include <unistd.h>

#include <chrono>
#include <cstdarg>

#include "common/text.h"
#include "common/time.h"
#include "extcap/system/private_file.h"

namespace cloudflaredump::system {
namespace {

struct LogState {
  LogLevel level = LogLevel::kNone;
  int fd = -1;
  std::function<void(const std::string&)> tap;
};

LogState& State() {
  static LogState state;
  return state;
}

const char* LevelName(LogLevel level) {
  switch (level) {
    case LogLevel::kError:
      return "error";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kNone:
      break;
  }
  return "none";
}

}  // namespace

std::optional<LogLevel> ParseLogLevel(std::string_view name) {
  struct Row {
    std::string_view name;
    LogLevel level;
  };
  constexpr Row kRows[] = {
      {"none", LogLevel::kNone},       {"critical", LogLevel::kError}, {"error", LogLevel::kError},
      {"warning", LogLevel::kWarning}, {"message", LogLevel::kInfo},   {"info", LogLevel::kInfo},
      {"debug", LogLevel::kDebug},     {"noisy", LogLevel::kDebug},
  };
  for (const Row& row : kRows) {
    if (row.name == name) return row.level;
  }
  return std::nullopt;
}

Result<void> OpenLog(LogLevel level, const std::string& path) {
  LogState& state = State();
  if (path == "-") {
    state.fd = STDERR_FILENO;
  } else {
    const auto fd = OpenPrivateForAppend("log file", path);
    if (!fd) {
      Error error = fd.error();
      if (error.remedy.empty()) error.remedy = "name another with the option log-file";
      return std::unexpected(std::move(error));
    }
    state.fd = *fd;
  }
  state.level = level;
  return {};
}

void TapLog(std::function<void(const std::string&)> tap) {
  State().tap = std::move(tap);
}

bool LogsAt(LogLevel level) {
  return State().fd >= 0 && level <= State().level;
}

void Log(LogLevel level, const char* format, ...) {
  LogState& state = State();
  const bool to_file = LogsAt(level);
  const bool to_tap = state.tap && level <= LogLevel::kInfo;
  if (!to_file && !to_tap) return;
  va_list args;
  va_start(args, format);
  char* const raw = g_strdup_vprintf(format, args);
  va_end(args);
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const std::string line =
      FormatRfc3339(now) + " " + LevelName(level) + " " +
      CleanLine(raw, 2000, level == LogLevel::kDebug ? Braces::kKeep : Braces::kReplace) + "\n";
  g_free(raw);
  if (to_file) {
    // A log that cannot be written must not end a capture.
    [[maybe_unused]] const ssize_t written = write(state.fd, line.data(), line.size());
  }
  if (to_tap) state.tap(line);
}

}  // namespace cloudflaredump::system
