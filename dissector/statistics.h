// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <epan/packet.h>

#include "dissector/capture_interfaces.h"

namespace cloudflaredump::dissector {

/// Registers the tap and the tree `-z cloudflare,tree`, in the window's menu Statistics. The tree
/// counts packets and bytes by data center, by capture and file, and by request; a node names at
/// most 2,000 below it and sums the rest. Windows of live captures share a node. Rates are shown
/// for full captures only: what a sample counts is not the traffic.
void RegisterStatistics();

/// Hands a packet to the statistics, if any is open.
void CountPacket(packet_info* pinfo, const CaptureInterface& interface);

}  // namespace cloudflaredump::dissector
