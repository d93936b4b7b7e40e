// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/text.h"

#include <glib.h>

#include <cstdarg>
#include <memory>

namespace cloudflare_emulator {

std::string Text(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const std::unique_ptr<char, decltype(&g_free)> text(g_strdup_vprintf(format, arguments), g_free);
  va_end(arguments);
  return text.get();
}

Outcome<std::string> ReadFile(const std::string& path) {
  char* bytes = nullptr;
  gsize length = 0;
  GError* error = nullptr;
  if (!g_file_get_contents(path.c_str(), &bytes, &length, &error)) {
    const std::string why = error->message;
    g_error_free(error);
    return std::unexpected(why + ".");
  }
  std::string content(bytes, length);
  g_free(bytes);
  return content;
}

}  // namespace cloudflare_emulator
