// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <expected>
#include <string>
#include <string_view>

namespace cloudflare_emulator {

/// A value, or one sentence for the person who started the emulator.
template <class T>
using Outcome = std::expected<T, std::string>;

/// printf into a std::string.
std::string Text(const char* format, ...) __attribute__((format(printf, 1, 2)));

/// The whole of a file, or why it cannot be read.
Outcome<std::string> ReadFile(const std::string& path);

}  // namespace cloudflare_emulator
