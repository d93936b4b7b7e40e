// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace cloudflaredump {

/// `text` as one line of valid UTF-8 that shows what it says: what is not UTF-8 becomes U+FFFD;
/// control characters, line and paragraph separators, text-direction marks and blanks become one
/// blank; braces become parentheses, for Wireshark's extcap sentences know no escaping. At most
/// `max_characters` code points, the last one an ellipsis if text was cut.
std::string ReadableLine(std::string_view text, std::size_t max_characters);

/// `text` as valid UTF-8 of the same length in characters, for a place that keeps text as it is but
/// prints it raw: what is not UTF-8, control characters and text-direction marks become U+FFFD.
std::string PrintableText(std::string_view text);

/// Code points in `valid`, which must be valid UTF-8.
std::size_t CountCharacters(std::string_view valid);

/// The longest start of `text` of at most `max_bytes` that does not end inside a UTF-8 character.
std::string_view WholeCharacters(std::string_view text, std::size_t max_bytes);

}  // namespace cloudflaredump
