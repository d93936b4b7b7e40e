// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>

#include "tests/unit/temp_folder.h"

namespace cloudflaredump {

/// What `print` writes to standard output, which goes to a file meanwhile.
inline std::string StdoutOf(const std::function<void()>& print) {
  const TempFolder folder;
  const std::string path = folder.Write("stdout", "");
  std::fflush(stdout);
  const int kept = dup(STDOUT_FILENO);
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (kept < 0 || file < 0) {
    fail_msg("no file to stand in for stdout");
    return {};
  }
  dup2(file, STDOUT_FILENO);
  print();
  std::fflush(stdout);
  dup2(kept, STDOUT_FILENO);
  close(file);
  close(kept);
  return ReadFile(path);
}

}  // namespace cloudflaredump
