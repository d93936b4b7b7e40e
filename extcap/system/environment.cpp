// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/environment.h"

#include <glib.h>

#include <cstdlib>

namespace cloudflaredump::system {

std::string HomeFolder(const Environment& environment) {
  const char* const home = environment("HOME");
  return home == nullptr || *home == '\0' ? g_get_home_dir() : home;
}

const char* ProcessEnvironment(const char* name) {
  return std::getenv(name);
}

}  // namespace cloudflaredump::system
