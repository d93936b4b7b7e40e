// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/emulator/link_layer.h"
#include "tests/emulator/text.h"

namespace cloudflare_emulator {

/// How a classic pcap file is written.
struct PcapForm {
  std::uint32_t link_type = kRaw;
  bool nanoseconds = false;
  bool big_endian = false;
  std::uint32_t snap_length = 262144;
};

struct PcapContent {
  std::uint32_t link_type = 0;
  bool nanoseconds = false;
  std::vector<Record> records{};  ///< In the order of the file.
};

/// Reads a capture file with libpcap (classic pcap in all forms; pcapng of one link type).
Outcome<PcapContent> ReadPcapFile(const std::string& path);

/// A classic pcap file of `records`, which must have the form's link type. Decimals of their times
/// that microseconds cannot hold are cut off.
std::string WritePcap(const PcapForm& form, const std::vector<Record>& records);

}  // namespace cloudflare_emulator
