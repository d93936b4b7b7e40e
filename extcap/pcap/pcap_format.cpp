// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/pcap_format.h"

#include <cstring>
#include <string_view>

#include "common/text.h"

namespace cloudflaredump::pcap {
namespace {

constexpr std::uint32_t kMicrosecondMagic = 0xa1b2c3d4;
constexpr std::uint32_t kNanosecondMagic = 0xa1b23c4d;

std::uint32_t BigEndian32(const std::byte* bytes) {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return std::endian::native == std::endian::big ? word : std::byteswap(word);
}

bool IsClassicMagic(std::uint32_t magic) {
  return magic == kMicrosecondMagic || magic == kNanosecondMagic;
}

/// What a file that begins with these four bytes is, to follow "this is ".
std::string_view NameOfForeignMagic(std::uint32_t magic) {
  struct Known {
    std::uint32_t magic, mask;
    std::string_view name;
  };
  // The modified, IXIA and FMESQUIRE forms: wiretap/libpcap.h of Wireshark.
  static constexpr Known kKnown[] = {
      {0x0a0d0d0a, 0xffffffff, "pcapng"},
      {0xa1b2cd34, 0xffffffff, "the \"modified\" pcap of old Linux patches"},
      {0x34cdb2a1, 0xffffffff, "the \"modified\" pcap of old Linux patches"},
      {0x1c0001ac, 0xffffffff, "pcap of an IXIA device"},
      {0xac01001c, 0xffffffff, "pcap of an IXIA device"},
      {0x1f8b0000, 0xffff0000, "gzip"},
      {0x28b52ffd, 0xffffffff, "Zstandard"},
      {0x504b0304, 0xffffffff, "a ZIP archive"},
      {0x3c000000, 0xff000000, "HTML or XML"},
      {0x7b000000, 0xff000000, "JSON"},
      {0x5b000000, 0xff000000, "JSON"},
  };
  for (const Known& known : kKnown) {
    if ((magic & known.mask) == known.magic) return known.name;
  }
  return {};
}

bool IsText(std::span<const std::byte> bytes) {
  for (const std::byte byte : bytes) {
    const auto c = std::to_integer<unsigned char>(byte);
    if ((c < 0x20 || c > 0x7e) && c != '\n' && c != '\r' && c != '\t') return false;
  }
  return true;
}

std::string AfterPackets(std::uint64_t packets) {
  if (packets == 0) return "before any packet";
  return "after " + CountedPackets(packets);
}

}  // namespace

std::optional<Error> RefuseMagic(std::span<const std::byte, kMagicSize> magic) {
  const std::uint32_t word = BigEndian32(magic.data());
  if (IsClassicMagic(word) || IsClassicMagic(std::byteswap(word))) return std::nullopt;
  std::string begins = Format("%08x", word);
  if (IsText(magic)) {
    const std::string text =
        CleanLine(std::string_view(reinterpret_cast<const char*>(magic.data()), magic.size()));
    if (!text.empty()) begins = '"' + text + '"';
  }
  const std::string_view name = NameOfForeignMagic(word);
  return Error{.what = name.empty() ? "this is not a pcap file: it begins with " + begins
                                    : "this is " + std::string(name) +
                                          ", not a classic pcap file: it begins with " + begins};
}

Result<PcapHeader> ReadFileHeader(std::span<const std::byte, kFileHeaderSize> bytes) {
  if (std::optional<Error> refused = RefuseMagic(bytes.first<kMagicSize>())) {
    return std::unexpected(std::move(*refused));
  }
  PcapHeader header;
  std::uint32_t words[kFileHeaderSize / 4];
  for (std::size_t i = 0; i < std::size(words); ++i) words[i] = BigEndian32(&bytes[4 * i]);
  header.big_endian = IsClassicMagic(words[0]);
  if (!header.big_endian) {
    for (std::uint32_t& word : words) word = std::byteswap(word);
  }
  if (words[0] == kNanosecondMagic) header.precision = TimePrecision::kNanoseconds;

  // Both 16-bit numbers stand in one word; which half is which depends on the byte order.
  const std::uint32_t major = header.big_endian ? words[1] >> 16 : words[1] & 0xffff;
  const std::uint32_t minor = header.big_endian ? words[1] & 0xffff : words[1] >> 16;
  if (major != 2 || (minor != 3 && minor != 4)) {
    return Fail(Format("this pcap file has version %u.%u", major, minor),
                "only 2.3 and 2.4 are in use and read");
  }
  header.version_minor = static_cast<std::uint16_t>(minor);
  header.snap_length = words[4];

  // Upper half: FCS length and flags (6 bits), 10 reserved bits, which are zero.
  header.link_type = words[5] & 0x03ffffff;
  if (header.link_type > 0xffff) {
    return Fail(
        Format("this pcap file has the link type %u, which does not exist", header.link_type));
  }
  return header;
}

std::string WriteFileHeader(std::uint32_t link_type) {
  struct {
    std::uint32_t magic = kMicrosecondMagic;
    std::uint16_t major = 2;
    std::uint16_t minor = 4;
    std::uint32_t zone = 0;
    std::uint32_t accuracy = 0;
    std::uint32_t snap_length = kLargestCapture;
    std::uint32_t link_type;
  } header{.link_type = link_type};
  static_assert(sizeof header == kFileHeaderSize);
  return {reinterpret_cast<const char*>(&header), sizeof header};
}

Error DamagedRecord(const RecordHeader& record, std::uint64_t offset, std::uint64_t packets) {
  const std::string what =
      record.blank ? "only zeros where a record should begin"
                   : "a record that claims " + WithThousands(record.captured) + " bytes";
  return {.what = "the file is damaged at byte " + WithThousands(offset) + ", " +
                  AfterPackets(packets) + ": " + what + "; what follows is lost"};
}

Error CutRecord(std::uint64_t offset, std::uint64_t packets, std::uint64_t have,
                std::uint64_t need) {
  return {.what = "the file is cut at byte " + WithThousands(offset + have) + ", " +
                  AfterPackets(packets) + ": " + WithThousands(need - have) + " of " +
                  WithThousands(need) + " bytes of the last record are missing; what should " +
                  "follow is lost"};
}

Error CutFileHeader(std::uint64_t size) {
  if (size == 0) return {.what = "the file is empty, without even a pcap header"};
  return {.what = "the file is cut after " + WithThousands(size) +
                  (size == 1 ? " byte" : " bytes") +
                  ", inside the 24-byte pcap header: no packet can be read"};
}

}  // namespace cloudflaredump::pcap
