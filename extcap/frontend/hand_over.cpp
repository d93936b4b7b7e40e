// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/frontend/hand_over.h"

#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>

#include "extcap/config/secret_words.h"
#include "extcap/system/control_pipes.h"
#include "extcap/system/executable_path.h"

namespace cloudflaredump::frontend {
namespace {

/// The folder of this program, symbolic links resolved.
std::string OwnFolder(const char* called) {
  const std::string path = system::ExecutablePath(called);
  return path.empty() ? "." : path.substr(0, path.rfind('/'));
}

}  // namespace

int HandOver(int argc, char** argv, const std::string& fifo, const std::string& control_in) {
  std::vector<std::string> words = config::SetSecretsAside(argc, argv);
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const std::string folder = OwnFolder(argv[0]);
  for (const char* place : {"../bin/cloudflaredump", CLOUDFLAREDUMP_TOOL_FROM_FRONTEND}) {
    const std::string tool = place[0] == '/' ? place : folder + "/" + place;
    execv(tool.c_str(), pointers.data());
  }
  // This program may itself be on PATH under the same name; it must not call itself.
  char* const found = g_find_program_in_path("cloudflaredump");
  if (found != nullptr) {
    char* const real = realpath(found, nullptr);
    if (real != nullptr && folder + "/cloudflaredump" != real) execv(found, pointers.data());
    free(real);
    g_free(found);
  }
  const system::ControlPipes window(control_in, "");
  // Open until the sentence is written: tshark sends SIGTERM as soon as the FIFO is closed.
  const int fd = fifo.empty() ? -1 : open(fifo.c_str(), O_WRONLY | O_CLOEXEC);
  window.AwaitPartner(std::chrono::seconds(5));
  std::fputs(
      "the program cloudflaredump was not found next to this extcap or on PATH; reinstall the "
      "package, or put build/bin/cloudflaredump on PATH.\n",
      stderr);
  if (fd >= 0) close(fd);
  return 1;
}

}  // namespace cloudflaredump::frontend
