// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>

#include "common/result.h"
#include "extcap/pcap/packet.h"

namespace cloudflaredump::pcap {

/// The bytes of classic pcap (draft-ietf-opsawg-pcap), for whoever reads them: from memory as they
/// lie, or through a window. What is tolerated and what is
/// damage is decided here, once:
///
///   - A record may be longer than the snap length that the file claims; writers get that wrong.
///   - A record of more than kLargestCapture bytes is damage. So is a record header of 16 zero
///     bytes: it is what an unfinished file has where its data never arrived. Other records without
///     bytes are packets.
///   - A fraction of a second of one second or more is carried over to the seconds.
///   - An original length below the captured one is raised to it (version 2.3: the two are
///   swapped).
///   - A record's length is the only way to the next record, so nothing after damage is read.

inline constexpr std::size_t kFileHeaderSize = 24;
inline constexpr std::size_t kRecordHeaderSize = 16;
inline constexpr std::size_t kMagicSize = 4;

/// The most bytes that a record may hold: libpcap's and Wireshark's limit for network packets.
inline constexpr std::uint32_t kLargestCapture = 262144;

/// The 16 bytes before each packet, in this machine's terms.
struct RecordHeader {
  std::uint64_t ticks = 0;
  std::uint32_t captured = 0;  ///< Bytes that follow in the file.
  std::uint32_t original = 0;
  bool blank = false;  ///< All of the header was zero.
};

/// Says what the first kMagicSize bytes of a file are if they are not those of classic pcap.
std::optional<Error> RefuseMagic(std::span<const std::byte, kMagicSize> magic);

/// Reads the file header; an Error says why these bytes are none that we read.
Result<PcapHeader> ReadFileHeader(std::span<const std::byte, kFileHeaderSize> bytes);

/// The bytes of a file without packets.
std::string WriteFileHeader(std::uint32_t link_type);

/// Reads a record header; whether it can be true is for IsDamaged.
inline RecordHeader ReadRecordHeader(const std::byte* bytes, const PcapHeader& file) {
  std::uint32_t words[4];
  std::memcpy(words, bytes, sizeof(words));
  if (file.big_endian != (std::endian::native == std::endian::big)) {
    for (std::uint32_t& word : words) word = std::byteswap(word);
  }
  if (file.version_minor < 4 && words[2] > words[3]) std::swap(words[2], words[3]);
  const std::uint64_t second =
      file.precision == TimePrecision::kMicroseconds ? 1'000'000 : 1'000'000'000;
  return {.ticks = words[0] * second + words[1],
          .captured = words[2],
          .original = words[2] > words[3] ? words[2] : words[3],
          .blank = (words[0] | words[1] | words[2] | words[3]) == 0};
}

/// Whether the header is none that a capture has.
inline bool IsDamaged(const RecordHeader& record) {
  return record.captured > kLargestCapture || record.blank;
}

/// The sentences of a file that stops being good, each naming the offset and what is lost.
/// `offset` is where the bad record begins, `packets` how many good ones came before it.
Error DamagedRecord(const RecordHeader& record, std::uint64_t offset, std::uint64_t packets);
/// The file ends `have` bytes into a record of `need` bytes, its header included.
Error CutRecord(std::uint64_t offset, std::uint64_t packets, std::uint64_t have,
                std::uint64_t need);
/// The file ends after `size` bytes, fewer than kFileHeaderSize.
Error CutFileHeader(std::uint64_t size);

}  // namespace cloudflaredump::pcap
