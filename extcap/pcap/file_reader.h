// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "common/result.h"
#include "extcap/pcap/file_bytes.h"
#include "extcap/pcap/packet.h"
#include "extcap/pcap/pcap_format.h"

namespace cloudflaredump::pcap {

/// Reads the packets of one pcap file a little ahead: so that the last good packet is known for the
/// last when it is given, and so that packets which a capture wrote slightly out of order come in
/// order. A file in memory is read where it lies, any other through a window.
///
/// The order: at least the next packet, at most kReorder packets or a quarter of the window are
/// looked at before one is given, and the earliest of them goes first (equal times: as in the
/// file). A packet that is further behind comes as soon as it is seen; none is dropped.
class FileReader {
 public:
  static constexpr std::size_t kReorder = 64;
  /// The least window: a file header and some ordinary packets.
  static constexpr std::size_t kLeastWindow = 2048;

  /// How far out of order packets may be and still come in order.
  enum class Order {
    kNearby,  ///< as above
    kWhole,   ///< the whole file is looked at first; for files of bounded size
  };
  /// Of a file that is looked at whole: a hundred times what Cloudflare sends. The rest is lost.
  static constexpr std::uint64_t kMostPacketsOfWhole = 1'000'000;

  FileReader(std::unique_ptr<FileBytes> file, std::size_t window, Order order = Order::kNearby);

  /// Finds the next packet; false if there is none: damage() says whether that was the whole file.
  bool FindNext();

  std::uint64_t nanoseconds() const { return Nanoseconds(First().ticks, header_->precision); }
  /// No packet follows the one found.
  bool last() const { return ended_ && Held() == 1; }

  /// The packet found; its bytes are valid until the next call of FindNext, also after Drop, and as
  /// long as `shared` is not used, which gets those that the window does not hold. An Error if the
  /// file was changed meanwhile: the packet is lost, and FindNext says that nothing is left.
  Result<PacketView> Load(std::vector<std::byte>& shared);

  /// Asks the processor to bring the packet found, and what FindNext will look at, into its caches.
  void Prefetch() const;

  /// Goes on behind the packet found.
  void Drop();

  /// Set from when the file header was read.
  const std::optional<PcapHeader>& header() const { return header_; }
  /// Why the rest of the file is lost. Known with the last packet, or when there is none.
  const std::optional<Error>& damage() const { return damage_; }

 private:
  struct Entry {
    std::uint64_t ticks;
    std::uint64_t offset;  ///< of the record in the file
    std::uint32_t captured;
    std::uint32_t original;

    std::size_t size() const { return kRecordHeaderSize + captured; }
  };

  const Entry& First() const { return entries_[first_]; }
  std::size_t Held() const { return entries_.size() - first_; }
  bool SeesEnough() const;
  void Look();
  void LookAtFileHeader();
  void LookAtRecord();
  /// `size` bytes at `offset` where they lie in memory, null if they do not.
  const std::byte* InMemory(std::uint64_t offset, std::size_t size) const;
  /// The same for a header, read if need be; null if that fails, which ends the file.
  const std::byte* Header(std::uint64_t offset, std::size_t size);
  Result<void> MoveWindow(std::uint64_t to);
  void Insert(const Entry& entry);
  void End(std::optional<Error> damage);
  /// All bytes were looked at: what became of the transfer says more than where its bytes stop.
  void EndOfFile(std::optional<Error> damage);

  std::unique_ptr<FileBytes> file_;
  const Order order_;
  const std::size_t reach_;              ///< bytes of packets up to which more is looked at
  const std::size_t capacity_;           ///< of the window
  std::unique_ptr<std::byte[]> window_;  ///< made when it is first needed
  std::uint64_t window_begin_ = 0;       ///< offset in the file
  std::size_t window_size_ = 0;
  std::vector<Entry> entries_;  ///< packets seen, in order of time, from first_ on
  std::size_t first_ = 0;
  std::size_t held_bytes_ = 0;  ///< by those packets
  std::optional<PcapHeader> header_;
  std::uint64_t offset_ = 0;   ///< where nobody looked yet
  std::uint64_t packets_ = 0;  ///< before that
  bool ended_ = false;
  std::optional<Error> damage_;
};

/// `file`, which somebody else owns, for a reader of its own.
std::unique_ptr<FileBytes> Borrow(FileBytes& file);

/// What a whole file holds, damage included.
struct FileSummary {
  std::optional<PcapHeader> header = {};  ///< none if this is not a pcap file
  std::uint64_t packets = 0;
  std::uint64_t first_nanoseconds = 0;  ///< the least time; 0 without packets
  std::uint64_t last_nanoseconds = 0;   ///< the greatest
  std::optional<Error> damage = {};
};

/// Counts the packets of `file`, which stays as it is; those so far once `stop` says so.
FileSummary Summarize(FileBytes& file, const std::function<bool()>& stop = {});

}  // namespace cloudflaredump::pcap
