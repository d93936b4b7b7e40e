// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloudflare_emulator {

/// A value, or one sentence for the person who started the emulator.
template <class T>
using Outcome = std::expected<T, std::string>;

/// printf into a std::string.
std::string Text(const char* format, ...) __attribute__((format(printf, 1, 2)));

/// The groups of `pattern` (as GRegex has them) in `text`, if it matches from end to end. The first
/// is all of `text`; one that takes no part is empty. Not <regex>, which takes ten seconds to
/// compile.
std::optional<std::vector<std::string>> MatchWhole(const std::string& pattern,
                                                   std::string_view text);

/// The whole of a file, or why it cannot be read.
Outcome<std::string> ReadFile(const std::string& path);

}  // namespace cloudflare_emulator
