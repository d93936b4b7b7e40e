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

/// Code points in `valid`, which must be valid UTF-8.
std::size_t CountCharacters(std::string_view valid);

/// The longest start of `text` of at most `max_bytes` that does not end inside a UTF-8 character.
std::string_view WholeCharacters(std::string_view text, std::size_t max_bytes);

}  // namespace cloudflaredump
