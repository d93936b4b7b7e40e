// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/readable_line.h"

#include <cstdint>

namespace cloudflaredump {
namespace {

/// One code point and how many bytes it took; `valid` is false for a byte that begins none.
struct Character {
  char32_t code = 0;
  std::size_t length = 1;
  bool valid = false;
};

/// Bytes that a character's first byte announces; 0 if it cannot be a first byte.
std::size_t AnnouncedLength(std::uint8_t first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first < 0xe0) return 2;
  if (first >= 0xe0 && first < 0xf0) return 3;
  if (first >= 0xf0 && first < 0xf5) return 4;
  return 0;
}

bool IsContinuation(char c) {
  return (static_cast<std::uint8_t>(c) & 0xc0) == 0x80;
}

/// The first character of `text`, which must not be empty (RFC 3629: no overlong forms, no
/// surrogates, nothing above U+10FFFF).
Character FirstCharacter(std::string_view text) {
  const auto first = static_cast<std::uint8_t>(text[0]);
  const std::size_t length = AnnouncedLength(first);
  if (length == 0 || length > text.size()) return {};
  if (length == 1) return {.code = first, .length = 1, .valid = true};
  char32_t code = first & (0x7fU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) return {};
    code = (code << 6) | (static_cast<std::uint8_t>(text[i]) & 0x3fU);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kSmallest[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {};
  return {.code = code, .length = length, .valid = true};
}

/// Blanks, controls, and the marks that make a line read as something it does not say.
bool ReadsAsBlank(char32_t code) {
  return code <= 0x20 || (code >= 0x7f && code <= 0xa0) || code == 0xad || code == 0x61c ||
         (code >= 0x2000 && code <= 0x200f) || (code >= 0x2028 && code <= 0x202f) ||
         (code >= 0x205f && code <= 0x206f) || code == 0x3000 || code == 0xfeff;
}

bool IsControl(char32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x61c || code == 0x200e ||
         code == 0x200f || (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

/// What stands for `character` in a line: itself, or what the contract says instead.
std::string_view Shown(const Character& character, std::string_view bytes) {
  if (!character.valid) return kReplacement;
  if (ReadsAsBlank(character.code)) return " ";
  if (character.code == '{') return "(";
  if (character.code == '}') return ")";
  return bytes;
}

}  // namespace

std::string ReadableLine(std::string_view text, std::size_t max_characters) {
  std::string line;
  std::size_t count = 0;
  std::size_t room_for_ellipsis = 0;  // Where to cut if the text turns out too long.
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
    const std::string_view shown = Shown(character, text.substr(0, character.length));
    text.remove_prefix(character.length);
    if (shown == " " && (line.empty() || line.back() == ' ')) continue;
    if (count + 1 == max_characters) room_for_ellipsis = line.size();
    if (count == max_characters) {
      line.resize(room_for_ellipsis);
      return max_characters == 0 ? line : line + "…";
    }
    line += shown;
    ++count;
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string PrintableText(std::string_view text) {
  std::string printable;
  while (!text.empty()) {
    const Character character = FirstCharacter(text);
    const bool shown = character.valid && !IsControl(character.code);
    printable += shown ? text.substr(0, character.length) : kReplacement;
    text.remove_prefix(character.length);
  }
  return printable;
}

std::size_t CountCharacters(std::string_view valid) {
  std::size_t count = 0;
  for (const char c : valid) count += IsContinuation(c) ? 0 : 1;
  return count;
}

std::string_view WholeCharacters(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return text;
  std::size_t end = max_bytes;
  while (end > 0 && IsContinuation(text[end])) --end;
  return text.substr(0, end);
}

}  // namespace cloudflaredump
