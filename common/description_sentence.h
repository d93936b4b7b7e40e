// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "common/capture_description.h"

namespace cloudflaredump {

/// Where and which: "Cloudflare ORD (Chicago), full capture, file 3 of 12". Valid UTF-8, one line,
/// at most 120 bytes: Wireshark's lists show about that.
std::string DescriptionTitle(const CaptureDescription& description);

/// What a person reads of a capture: where, how, when, which file, under which filter. Valid UTF-8,
/// one line, at most 120 bytes; the filter is what gets cut. A window is named by its time alone.
std::string DescriptionSentence(const CaptureDescription& description);

/// What a person reads of a packet that is marked.
std::string MarkSentence(const PacketMark& mark);

}  // namespace cloudflaredump
