// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <epan/packet.h>

#include "dissector/packet_comments.h"

namespace cloudflaredump::dissector {

/// Registers `-z cloudflare_compare,tree` and its menu: packets that arrived and that did not, by
/// destination.
void RegisterCompareStatistics();

/// Counts the packet if it was compared and somebody looks.
void CountCompared(packet_info* pinfo, const PacketComments& comments);

}  // namespace cloudflaredump::dissector
