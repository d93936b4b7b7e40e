// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"

namespace cloudflaredump::system {

/// Wireshark's own level names, so that --log-level means what it means for the other extcaps.
enum class LogLevel { kNone, kError, kWarning, kInfo, kDebug };

/// "error", "warning", "message" or "info", "debug" (and "noisy"), "none"; nothing for others.
std::optional<LogLevel> ParseLogLevel(std::string_view name);

/// Opens the log: appends to `path` (OpenPrivateForAppend), or writes to stderr if `path` is "-".
/// The process has one log, closed until this is called. An Error if the file cannot be opened.
Result<void> OpenLog(LogLevel level, const std::string& path);

/// Also passes every line up to kInfo, with its newline, to `tap`, whatever the log's own level is;
/// for the toolbar. An empty function ends it.
void TapLog(std::function<void(const std::string&)> tap);

/// Whether a line of this level would be written to the log: for what costs work to say.
bool LogsAt(LogLevel level);

/// Writes one line, redacted and with a UTC time. A full disk or a closed log is not an error.
void Log(LogLevel level, const char* format, ...) __attribute__((format(printf, 2, 3)));

}  // namespace cloudflaredump::system
