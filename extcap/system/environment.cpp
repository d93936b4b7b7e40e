// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/environment.h"

#include <glib.h>

#include <cstdlib>
#include <map>
#include <string_view>

#include "common/text.h"

namespace cloudflaredump::system {

std::string TrimmedValue(const Environment& environment, const char* name) {
  const char* const value = environment(name);
  return value == nullptr ? std::string() : std::string(Trim(value));
}

std::string HomeFolder(const Environment& environment) {
  const char* const home = environment("HOME");
  return home == nullptr || *home == '\0' ? g_get_home_dir() : home;
}

const char* ProcessEnvironment(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) return nullptr;
  const std::string_view trimmed = Trim(value);
  if (trimmed == value) return value;
  static std::map<std::string, std::string> kept;
  return (kept[name] = trimmed).c_str();
}

}  // namespace cloudflaredump::system
