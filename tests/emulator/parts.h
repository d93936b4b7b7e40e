// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/emulator/pcap_file.h"

namespace cloudflare_emulator {

/// Precision and byte order of one part.
struct PartMagic {
  bool nanoseconds = false;
  bool big_endian = false;
};

/// How a full capture's packets become objects in the bucket. Cloudflare says that a capture gives
/// one file for each machine, and no more.
struct PartOptions {
  std::size_t count = 3;
  std::string name = "pcap_{id}_{machine}.pcap";
  std::vector<std::uint32_t> link_types{};  ///< In turn; none: that of the packets.
  std::vector<PartMagic> magics{};          ///< In turn; none: that of the packets.
  std::size_t late = 0;                     ///< So many of the parts come after the result.
  double late_seconds = 5;
  bool skewed = false;    ///< The first part has most of the packets, each next one fewer.
  bool empty = false;     ///< One more: a header and no packets.
  bool zero = false;      ///< One more: no bytes at all.
  bool not_pcap = false;  ///< One more: text.
  bool damaged = false;   ///< The first part ends in the middle of its last record.
  bool garbled = false;   ///< The last part has an impossible record header in its middle.
};

struct PartObject {
  std::string name{};  ///< Below the destination's directory.
  std::string bytes{};
  bool late = false;
};

/// Divides `records` (in time order) over the parts at random, but alike for the same `seed`, and
/// writes them. Where `form`'s link type is replaced, a packet that its part cannot carry goes to
/// the next part that can.
std::vector<PartObject> MakeParts(const std::string& capture_id, const std::vector<Record>& records,
                                  const PcapForm& form, const PartOptions& options,
                                  std::uint64_t seed);

}  // namespace cloudflare_emulator
