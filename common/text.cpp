// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/text.h"

#include <glib.h>

#include <charconv>
#include <cstdarg>
#include <memory>

#include "common/redact.h"

namespace cloudflaredump {

std::string Format(const char* format, ...) {
  va_list args;
  va_start(args, format);
  char* raw = g_strdup_vprintf(format, args);
  va_end(args);
  std::string text = raw;
  g_free(raw);
  return text;
}

std::string CleanLine(std::string_view text, std::size_t max_bytes, Braces braces) {
  const bool replace = braces == Braces::kReplace;
  // Before anything is cut or replaced: half a secret would not be recognized later.
  const std::string safe = Redact(text);
  char* valid = g_utf8_make_valid(safe.data(), static_cast<gssize>(safe.size()));
  std::string clean;
  for (const char* at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
    const gunichar c = g_utf8_get_char(at);
    if (g_unichar_iscntrl(c) || g_unichar_isspace(c) || !g_unichar_isdefined(c) ||
        g_unichar_type(c) == G_UNICODE_FORMAT) {
      if (!clean.empty() && clean.back() != ' ') clean += ' ';
      continue;
    }
    if (clean.size() > max_bytes) break;
    if (replace && c == '{') {
      clean += '(';
    } else if (replace && c == '}') {
      clean += ')';
    } else {
      clean.append(at, static_cast<const char*>(g_utf8_next_char(at)));
    }
  }
  g_free(valid);
  while (!clean.empty() && clean.back() == ' ') clean.pop_back();
  if (clean.size() <= max_bytes) return clean;
  const char* const cut = g_utf8_find_prev_char(clean.c_str(), clean.c_str() + max_bytes - 2);
  clean.resize(cut == nullptr ? 0 : static_cast<std::size_t>(cut - clean.c_str()));
  return clean + "…";
}

std::string PrintableText(std::string_view text) {
  char* const valid = g_utf8_make_valid(text.data(), static_cast<gssize>(text.size()));
  std::string printable;
  for (const char* at = valid; *at != '\0'; at = g_utf8_next_char(at)) {
    const gunichar c = g_utf8_get_char(at);
    const GUnicodeType type = g_unichar_type(c);
    const bool hidden = g_unichar_iscntrl(c) || type == G_UNICODE_FORMAT ||
                        type == G_UNICODE_LINE_SEPARATOR || type == G_UNICODE_PARAGRAPH_SEPARATOR;
    printable.append(hidden ? "\ufffd" : std::string_view(at, g_utf8_next_char(at)));
  }
  g_free(valid);
  return printable;
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::vector<std::string_view> Split(std::string_view text, char separator) {
  std::vector<std::string_view> pieces;
  if (text.empty()) return pieces;
  for (;;) {
    const std::size_t end = text.find(separator);
    pieces.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

std::optional<std::uint64_t> ParseNumber(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = std::to_address(text.end());
  const auto [rest, error] = std::from_chars(std::to_address(text.begin()), end, number);
  if (text.empty() || error != std::errc() || rest != end) return std::nullopt;
  return number;
}

std::string ShellQuote(const std::string& text) {
  char* const raw = g_shell_quote(text.c_str());
  std::string quoted = raw;
  g_free(raw);
  return quoted;
}

std::string Listed(const std::vector<std::string>& words, const char* last) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? last : ", ";
    text += words[i];
  }
  return text;
}

std::string PercentEncode(std::string_view text, std::string_view keep) {
  constexpr std::string_view kUnreserved = "-._~";
  std::string encoded;
  for (const char c : text) {
    if (g_ascii_isalnum(c) || kUnreserved.find(c) != std::string_view::npos ||
        keep.find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      constexpr char kHex[] = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return encoded;
}

std::optional<std::string> PercentDecode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (i + 2 >= text.size() || !g_ascii_isxdigit(text[i + 1]) || !g_ascii_isxdigit(text[i + 2])) {
      return std::nullopt;
    }
    decoded += static_cast<char>(g_ascii_xdigit_value(text[i + 1]) * 16 +
                                 g_ascii_xdigit_value(text[i + 2]));
    i += 2;
  }
  return decoded;
}

std::string WithoutNumbers(std::string_view text) {
  std::string rest;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool joins = i > 0 && i + 1 < text.size() && (text[i] == ',' || text[i] == ':') &&
                       g_ascii_isdigit(text[i - 1]) && g_ascii_isdigit(text[i + 1]);
    if (!g_ascii_isdigit(text[i]) && !joins) rest += text[i];
  }
  return rest;
}

std::string WithThousands(std::uint64_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return digits;
}

std::string Counted(std::uint64_t count, const char* noun) {
  return WithThousands(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string CountedPackets(std::uint64_t count) {
  return Counted(count, "packet");
}

}  // namespace cloudflaredump
