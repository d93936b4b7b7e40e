// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <pcap/pcap.h>

#include <span>
#include <vector>

#include "extcap/filter/facts.h"
#include "extcap/filter/path_box.h"

namespace cloudflaredump::filter {

/// A filter about link-layer headers, seen from an IP header that it may find.
struct BehindLinkLayer {
  std::vector<bpf_insn> program;  ///< As if for raw IP; what stands before it is far behind.
  IpFamily family = IpFamily::kIpv4;
  Facts start;  ///< Of the packets whose IP header is there.
};

/// Where `program`, which is for Ethernet, may find an IP header: directly, or behind up to three
/// VLAN tags and up to three MPLS labels, as far as it asks for them.
std::vector<BehindLinkLayer> FindIpBehindEthernet(std::span<const bpf_insn> program);

}  // namespace cloudflaredump::filter
