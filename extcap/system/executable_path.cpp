// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/executable_path.h"

#include <glib.h>

#include <cstdlib>

#include "common/platform.h"

namespace cloudflaredump::system {
namespace {

/// Takes over a string of C's.
std::string Taken(char* text, void (*release)(void*)) {
  if (text == nullptr) return {};
  std::string copy = text;
  release(text);
  return copy;
}

}  // namespace

std::string ExecutablePath([[maybe_unused]] const char* called) {
#if CLOUDFLAREDUMP_HAVE_PROC
  return Taken(g_file_read_link("/proc/self/exe", nullptr), g_free);
#else
  // Looks along PATH, as a shell did, if there is no slash in it.
  const std::string found = Taken(g_find_program_in_path(called), g_free);
  return found.empty() ? found : Taken(realpath(found.c_str(), nullptr), std::free);
#endif
}

}  // namespace cloudflaredump::system
