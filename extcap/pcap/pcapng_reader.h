// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/pcap/packet.h"

namespace cloudflaredump::pcap {

/// One interface of a capture file; a classic pcap file has one without texts.
struct FileInterface {
  std::uint32_t link_type = 0;
  std::uint32_t snap_length = 0;  ///< 0: no limit
  std::string name = {};          ///< if_name
  std::string description = {};   ///< if_description
  std::string filter = {};        ///< if_filter, where it is a libpcap text
  /// Ticks of a record's time in a second; 0 if the file claims a resolution that no clock has.
  std::uint64_t ticks_per_second = 1'000'000;
  std::int64_t offset_seconds = 0;  ///< if_tsoffset

  // Of the last interface statistics block; counts that it lacks are not known.
  std::optional<std::uint64_t> received = {};
  std::optional<std::uint64_t> dropped = {};  ///< isb_ifdrop and isb_osdrop together
  std::optional<std::int64_t> start = {};     ///< nanoseconds since 1970
  std::optional<std::int64_t> end = {};
};

/// One packet of a capture file; the views are valid until the next call of Next.
struct FileRecord {
  std::size_t interface = 0;           ///< among interfaces(), of all sections
  std::optional<std::int64_t> time{};  ///< nanoseconds since 1970; a simple packet block has none
  std::uint32_t original_length = 0;   ///< never below the bytes held
  std::span<const std::byte> bytes = {};
  std::vector<std::string> comments = {};  ///< only if they were asked for
};

/// Reads pcapng (draft-ietf-opsawg-pcapng: any number of sections, byte orders, interfaces and link
/// types; enhanced, simple and obsolete packet blocks) and classic pcap (pcap_format.h), each as it
/// is or in gzip, from a file or a pipe, in one pass and bounded memory. libpcap refuses files
/// whose interfaces differ in their link types.
class CaptureReader {
 public:
  enum class Comments : std::uint8_t { kSkip, kRead };

  /// `path` "-" is standard input. The Error says why it cannot be read, or what it is instead of
  /// a capture file.
  static Result<CaptureReader> Open(const std::string& path, Comments comments = Comments::kSkip);
  /// The same from an open file, which it closes.
  static Result<CaptureReader> FromDescriptor(int fd, Comments comments = Comments::kSkip);

  CaptureReader(CaptureReader&&) noexcept;
  CaptureReader& operator=(CaptureReader&&) noexcept;
  ~CaptureReader();

  /// True and the next packet, false at the end. An Error says where the file stops being good;
  /// what came before stays so, and nothing follows.
  Result<bool> Next(FileRecord& record);

  /// Those met so far, in the order of the file; a section's begin behind the last one's.
  const std::vector<FileInterface>& interfaces() const;

 private:
  class Impl;
  explicit CaptureReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace cloudflaredump::pcap
