// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <string>

#include "common/capture_description.h"

namespace cloudflaredump {

/// Characters of an interface description's sentence at most: Wireshark's lists show about that.
inline constexpr std::size_t kLongestSentence = 120;

/// Where and which: "Cloudflare ORD (Chicago), full capture, part 3 of 12". Valid UTF-8, one line,
/// at most kLongestSentence characters.
std::string DescriptionTitle(const CaptureDescription& description);

/// What a person reads of a capture: where, how, when, which part, under which filter. Valid UTF-8,
/// one line, at most kLongestSentence characters; the filter is what gets cut.
std::string DescriptionSentence(const CaptureDescription& description);

/// What a person reads of a packet that is marked; the words of `mark.damaged` end with an ellipsis
/// after 200 characters.
std::string MarkSentence(const PacketMark& mark);

}  // namespace cloudflaredump
