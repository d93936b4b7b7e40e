// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <fstream>
#include <string>

#include "tests/emulator/request.h"
#include "tests/emulator/text.h"

namespace cloudflare_emulator {

/// One JSON object a line for each request: time, method, path, status (0: closed unanswered) and
/// body (parsed if it is JSON, null if there is none). No header is logged, so no token.
class RequestLog {
 public:
  /// An empty path logs nothing.
  Outcome<void> Open(const std::string& path);
  /// The line is in the file when this returns.
  void Write(const Request& request, int status, Time time);

 private:
  std::ofstream file_;
};

}  // namespace cloudflare_emulator
