// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

namespace cloudflaredump::capture {

/// Tells a person how a capture is getting on. The texts are redacted and in one line. Real ones:
/// TerminalReporter (`cloudflaredump capture`), ToolbarReporter (Wireshark's toolbar); tests
/// record.
class Reporter {
 public:
  Reporter() = default;
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;
  virtual ~Reporter() = default;

  /// The state now, replacing the last one: "pending, 42 s".
  virtual void Status(const std::string& state) = 0;
  /// What the user must know although the capture goes on.
  virtual void Warning(const std::string& sentence) = 0;
};

}  // namespace cloudflaredump::capture
