// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "extcap/capture/reporter.h"

namespace cloudflaredump::tool {

/// Shows the progress of `cloudflaredump capture` on stderr: on a terminal one line that is
/// overwritten, elsewhere a line for each new state (not for each second of it), so that a log file
/// stays readable.
class TerminalReporter : public capture::Reporter {
 public:
  /// Shows states only if `progress`; warnings unless `quiet`.
  TerminalReporter(bool progress, bool quiet);
  ~TerminalReporter() override;

  void Status(const std::string& state) override;
  void Warning(const std::string& sentence) override;
  /// Removes the progress line from the terminal.
  void Clear();

 private:
  bool progress_;
  bool quiet_;
  bool terminal_;
  bool line_shown_ = false;
  std::string last_;
};

}  // namespace cloudflaredump::tool
