// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloudflaredump {

/// printf into a std::string (g_strdup_vprintf underneath).
std::string Format(const char* format, ...) __attribute__((format(printf, 1, 2)));

/// What CleanLine does with braces.
enum class Braces { kReplace, kKeep };

/// `text` made fit to be shown in one line: without secrets (common/redact.h), valid UTF-8, control
/// characters and line breaks as one blank, braces as parentheses (Wireshark's extcap sentences
/// have no escaping) unless they are kept, cut at `max_bytes` with an ellipsis. For every text that
/// comes from a server, a file or a packet.
std::string CleanLine(std::string_view text, std::size_t max_bytes = 300,
                      Braces braces = Braces::kReplace);

/// `text` as valid UTF-8 of the same length in characters, for a place that keeps text as it is but
/// prints it raw: what is not UTF-8, control characters and text-direction marks become U+FFFD.
std::string PrintableText(std::string_view text);

/// `text` without blanks, tabs and line ends at either end.
std::string_view Trim(std::string_view text);

/// `text` cut at each `separator`; an empty text gives no pieces.
std::vector<std::string_view> Split(std::string_view text, char separator);

/// A whole decimal number, digits only, no sign, no blanks; nothing if it does not fit.
std::optional<std::uint64_t> ParseNumber(std::string_view text);

/// `text` quoted as one word of a shell's command line, to be shown in an advised command.
std::string ShellQuote(const std::string& text);

/// Joins `words`: "a", "a and b", "a, b and c".
std::string Listed(const std::vector<std::string>& words, const char* last = " and ");

/// RFC 3986 percent-encoding, upper-case hex, of all but unreserved characters and those in `keep`.
std::string PercentEncode(std::string_view text, std::string_view keep = "");

/// The inverse of PercentEncode; nothing if a `%` is not followed by two hex digits.
std::optional<std::string> PercentDecode(std::string_view text);

/// `text` without its digits and the separators inside numbers: two states of the same kind
/// ("pending, 41 s" and "pending, 42 s") come to the same.
std::string WithoutNumbers(std::string_view text);

/// "1,234,567": digits in groups of three, as messages show counts.
std::string WithThousands(std::uint64_t number);

/// "1 window", "2,131 windows".
std::string Counted(std::uint64_t count, const char* noun);

/// "1 packet", "1,234 packets".
std::string CountedPackets(std::uint64_t count);

}  // namespace cloudflaredump
