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

std::optional<std::vector<std::string>> MatchWhole(const std::string& pattern,
                                                   std::string_view text) {
  const std::unique_ptr<GRegex, decltype(&g_regex_unref)> regex(
      g_regex_new(("\\A(?:" + pattern + ")\\z").c_str(), G_REGEX_RAW, GRegexMatchFlags{}, nullptr),
      g_regex_unref);
  GMatchInfo* match = nullptr;
  g_regex_match_full(regex.get(), text.data(), static_cast<gssize>(text.size()), 0,
                     GRegexMatchFlags{}, &match, nullptr);
  std::optional<std::vector<std::string>> groups;
  if (g_match_info_matches(match)) groups.emplace();
  for (int group = 0; groups && group <= g_regex_get_capture_count(regex.get()); ++group) {
    int begin = -1;
    int end = -1;
    g_match_info_fetch_pos(match, group, &begin, &end);
    groups->emplace_back(begin < 0 ? std::string_view() : text.substr(begin, end - begin));
  }
  g_match_info_free(match);
  return groups;
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
