// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "common/result.h"

namespace cloudflaredump::pcap {

/// Where the bytes of one part (one pcap file of a capture) come from: read once, front to back.
/// Files of a folder: FileParts. Bytes that arrive over the network: Spool.
class PartSource {
 public:
  PartSource() = default;
  PartSource(const PartSource&) = delete;
  PartSource& operator=(const PartSource&) = delete;
  virtual ~PartSource() = default;

  /// Bytes that Read has at once; more may come later unless Ended.
  virtual std::uint64_t Available() = 0;

  /// No bytes will come beyond the available ones.
  virtual bool Ended() = 0;

  /// Moves bytes to `to`, all of it if so many are available, and returns how many.
  virtual Result<std::size_t> Read(std::span<std::byte> to) = 0;

  /// Why the part ended before its time: a transfer that was lost, a file that cannot be opened.
  /// Null if it ended well. Asked when it has ended.
  virtual const Error* Failure() = 0;
};

}  // namespace cloudflaredump::pcap
