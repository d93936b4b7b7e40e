// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/tool/terminal_reporter.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

#include "common/text.h"

namespace cloudflaredump::tool {
namespace {

/// How much fits on a line of the terminal; a longer line could not be removed again.
std::size_t LineLength() {
  winsize size = {};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 10;
  return (known ? size.ws_col : 80) - 2U;
}

}  // namespace

TerminalReporter::TerminalReporter(bool progress, bool quiet)
    : progress_(progress), quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {}

TerminalReporter::~TerminalReporter() {
  Clear();
}

void TerminalReporter::Status(const std::string& state) {
  if (!progress_ || quiet_ || state == last_) return;
  const bool new_phase = WithoutNumbers(state) != WithoutNumbers(last_);
  last_ = state;
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s", CleanLine(state, LineLength()).c_str());
    line_shown_ = true;
  } else if (new_phase) {
    std::fprintf(stderr, "%s\n", state.c_str());
  }
  std::fflush(stderr);
}

void TerminalReporter::Warning(const std::string& sentence) {
  if (quiet_) return;
  Clear();
  std::fprintf(stderr, "cloudflaredump: warning: %s\n", sentence.c_str());
}

void TerminalReporter::Clear() {
  if (!line_shown_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  line_shown_ = false;
}

}  // namespace cloudflaredump::tool
