// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "common/result.h"
#include "extcap/pcap/packet.h"
#include "extcap/pcap/pcap_format.h"

namespace cloudflaredump::pcap {

/// Reads classic pcap (both byte orders, microseconds and nanoseconds) as it arrives: bytes are
/// pushed in chunks of any size, and any chunking gives the same packets and the same sentence.
/// What is tolerated and what is damage: extcap/pcap/pcap_format.h.
class PcapParser {
 public:
  using Take = std::function<void(Packet&&)>;

  /// Takes the next bytes of the file and hands every packet that is now whole to `take`. An Error
  /// says in one sentence what is not pcap (at once when the first bytes show it) or where the
  /// damage begins; packets handed over before stay good, and further calls repeat the Error.
  Result<void> Push(std::span<const std::byte> bytes, const Take& take);

  /// Says that the file is over. An Error if it ends inside the header or inside a record, or if
  /// Push met damage.
  Result<void> Finish() const;

  /// Set once the 24 bytes of the header were read.
  const std::optional<PcapHeader>& header() const { return header_; }
  std::uint64_t packets() const { return packets_; }
  /// File offset after the last whole record (0 before the header is whole).
  std::uint64_t good_bytes() const { return good_bytes_; }

 private:
  bool ReadHeader(std::span<const std::byte>& bytes);
  /// The next `size` bytes in one piece; null, and what there is of them kept, if they have not all
  /// come yet.
  const std::byte* Peek(std::span<const std::byte>& bytes, std::size_t size);
  void Drop(std::span<const std::byte>& bytes, std::size_t size);
  bool ReadRecord(std::span<const std::byte>& bytes, const Take& take);

  std::vector<std::byte> pending_;  ///< The beginning of a header or record that is not whole yet.
  std::optional<PcapHeader> header_;
  std::optional<Error> damage_;
  std::uint64_t packets_ = 0;
  std::uint64_t good_bytes_ = 0;
};

}  // namespace cloudflaredump::pcap
