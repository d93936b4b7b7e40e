// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/result.h"
#include "extcap/pcap/loser_tree.h"
#include "extcap/pcap/packet.h"
#include "extcap/pcap/part_reader.h"
#include "extcap/pcap/part_source.h"

namespace cloudflaredump::pcap {

/// A packet where the merge has it.
struct MergedPacket {
  PacketView view;       ///< Valid until the next call of Merge::Next.
  std::size_t part = 0;  ///< Number of the part it comes from.
  std::uint64_t nanoseconds = 0;
  bool late = false;          ///< An earlier packet given had a later time.
  bool last_of_part = false;  ///< No packet of its part follows.
  bool last = false;          ///< No packet of any part follows.
};

/// What is lost of a part, to be said on a packet.
struct PartLoss {
  std::size_t part = 0;
  Error error;
};

/// What became of one part so far.
struct PartReport {
  std::uint64_t packets = 0;            ///< Given by Merge::Next.
  std::uint64_t late = 0;               ///< Of these, those that were late.
  std::uint64_t first_nanoseconds = 0;  ///< The least time among them; 0 if there are none.
  std::uint64_t last_nanoseconds = 0;   ///< The greatest.
  std::optional<Error> loss;            ///< Set when the part has ended and was not whole.
};

/// Merges the packets of many pcap files (parts) into one stream in the order of time, by
/// nanoseconds, whatever link types and precisions they have; equal times in the order of the parts
/// and, within one, of the file. Nothing is dropped. Within a part the order is mended as
/// PartReader says; a packet further behind is given as soon as it is seen and is called late.
///
/// A part that is damaged gives all packets before the damage. What was lost is told with the
/// part's last packet, which is read one ahead for that; a part without any packet is told with the
/// next packet of another.
///
/// It pulls: where bytes of a part have not arrived yet, Next says so, and is called again when
/// more have. What it gives does not depend on when which bytes arrive.
class Merge {
 public:
  /// For windows into the parts, in all. Below PartReader::kLeastWindow for each part it is more.
  static constexpr std::size_t kMemory = std::size_t{32} << 20;

  enum class Step {
    kPacket,      ///< packet() is the next one.
    kNeedsBytes,  ///< No packet before more bytes of the part waits_for() have arrived.
    kEnd,         ///< All packets were given.
  };

  explicit Merge(std::vector<std::unique_ptr<PartSource>> parts, std::size_t memory = kMemory);

  Step Next();

  const MergedPacket& packet() const { return packet_; }
  /// Losses to be told with the packet that Next gave; with kEnd those that no packet could carry.
  std::span<const PartLoss> losses() const { return losses_; }
  std::size_t waits_for() const { return waits_for_; }

  std::size_t parts() const { return parts_.size(); }
  /// Null until the part's file header was read; for each packet it has been.
  const PcapHeader* header(std::size_t part) const;
  const PartReport& report(std::size_t part) const { return parts_[part].report; }

 private:
  struct Part {
    std::unique_ptr<PartReader> reader;  ///< Gone when the part has ended.
    std::optional<PcapHeader> header;
    PartReport report;
    bool loss_told = false;
  };

  bool FindFirsts();
  bool FindNextOf(std::size_t part, LoserTree::Key& key);
  void Give(std::size_t part);
  void Retire(std::size_t part);

  std::vector<Part> parts_;
  std::vector<LoserTree::Key> firsts_;  ///< Of the parts before waits_for(), until all are known.
  std::optional<LoserTree> tree_;
  std::size_t live_ = 0;               ///< Parts with a packet in the tree.
  std::optional<std::size_t> behind_;  ///< The part whose packet was given last: its next is due.
  std::size_t waits_for_ = 0;
  std::vector<std::byte> large_packet_;
  MergedPacket packet_;
  std::uint64_t latest_ = 0;
  std::vector<PartLoss> losses_;
  std::vector<PartLoss> untold_;  ///< For the next packet.
};

}  // namespace cloudflaredump::pcap
