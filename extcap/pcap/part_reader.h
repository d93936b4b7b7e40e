// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/result.h"
#include "extcap/pcap/packet.h"
#include "extcap/pcap/part_source.h"
#include "extcap/pcap/pcap_format.h"

namespace cloudflaredump::pcap {

/// Reads the packets of one part through a window of bounded size, without copying them out, and a
/// little ahead: so that the last good packet is known for the last when it is given, and so that
/// packets which a capture wrote slightly out of order come in order.
///
/// The order: at least the next packet, at most kReorder packets or a quarter of the window are
/// looked at before one is given, and the earliest of them goes first (equal times: as in the
/// file). A packet that is further behind comes as soon as it is seen; none is dropped.
///
/// A packet larger than the window is read into memory that all readers of a merge share when its
/// turn has come, so a merge of many parts needs room for one such packet, not for one of each
/// part.
class PartReader {
 public:
  static constexpr std::size_t kReorder = 64;
  /// The least window: a file header and some ordinary packets.
  static constexpr std::size_t kLeastWindow = 4096;

  enum class State {
    kReady,    ///< There is a packet.
    kWaiting,  ///< More bytes must arrive first.
    kEnded,    ///< There is none; damage() says whether that was the whole file.
  };

  PartReader(std::unique_ptr<PartSource> source, std::size_t window);

  /// Finds the next packet. When kReady, nanoseconds() is its time.
  State FindNext();

  /// Makes the packet that FindNext found whole in memory and finds out whether it is the last.
  /// `shared` is used if the packet is larger than the window, and is the packet's until the next
  /// call of FindNext. kEnded: the packet is lost after all, the file was changed; FindNext says
  /// what is left.
  State LoadNext(std::vector<std::byte>& shared);

  /// The packet of LoadNext; its bytes are valid until the next call of FindNext, also after Drop.
  PacketView packet() const;
  std::uint64_t nanoseconds() const;
  /// Known after LoadNext: no packet follows this one.
  bool last() const { return ended_ && Held() == 1; }

  /// Goes on behind the packet.
  void Drop();

  /// Set from when the file header was read.
  const std::optional<PcapHeader>& header() const { return header_; }
  /// Why the rest of the file is lost. Known with the last packet, or when ended.
  const std::optional<Error>& damage() const { return damage_; }

 private:
  enum class Step { kDone, kWaiting, kBlocked, kEnded };

  struct Entry {
    std::uint64_t ticks;
    std::uint32_t offset;  ///< Of the record in the window.
    std::uint32_t captured;
    std::uint32_t original;
    bool outside;  ///< Larger than the window, and the last one that was looked at.

    std::size_t size() const { return kRecordHeaderSize + captured; }
  };

  std::size_t Held() const { return entries_.size() - first_; }
  bool SeesEnough() const;
  Step Look();
  Step LookAtFileHeader();
  Step LookAtRecord();
  Step Fill(std::size_t size);
  Result<void> ReadMore();
  void Compact();
  void Insert(const Entry& entry);
  Result<void> LoadOutside(std::vector<std::byte>& shared);
  std::uint64_t Remaining();
  Step End(std::optional<Error> damage);
  Step EndOfFile(std::optional<Error> damage);

  std::unique_ptr<PartSource> source_;
  std::size_t capacity_;                 ///< Of the window.
  std::size_t reach_;                    ///< Bytes of packets up to which more is looked at.
  std::unique_ptr<std::byte[]> window_;  ///< Made when it is first needed.
  std::size_t next_ = 0;                 ///< Where in the window nobody looked yet …
  std::size_t end_ = 0;                  ///< … up to here.
  std::vector<Entry> entries_;           ///< Packets seen, in order of time, from first_ on.
  std::size_t first_ = 0;
  std::size_t held_bytes_ = 0;         ///< Of the window, by those packets.
  bool blocked_ = false;               ///< At next_ is a packet outside of the window.
  const std::byte* loaded_ = nullptr;  ///< The first packet's record, if outside and loaded.
  std::optional<PcapHeader> header_;
  std::uint64_t offset_ = 0;   ///< In the file, of next_.
  std::uint64_t packets_ = 0;  ///< Before that.
  bool ended_ = false;
  std::optional<Error> damage_;
};

}  // namespace cloudflaredump::pcap
