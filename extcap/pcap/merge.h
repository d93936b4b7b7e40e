// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "common/result.h"
#include "extcap/pcap/file_bytes.h"
#include "extcap/pcap/file_reader.h"
#include "extcap/pcap/loser_tree.h"
#include "extcap/pcap/packet.h"

namespace cloudflaredump::pcap {

/// A packet where the merge has it.
struct MergedPacket {
  PacketView view;       ///< Valid until the next call of Merge::Next.
  std::size_t file = 0;  ///< Number of the file it comes from.
  std::uint64_t nanoseconds = 0;
  bool late = false;  ///< An earlier packet given had a later time.
};

/// What is lost of a file, to be said on a packet.
struct FileLoss {
  std::size_t file = 0;
  Error error;
};

/// What became of one file so far.
struct FileReport {
  std::uint64_t packets = 0;            ///< Given by Merge::Next.
  std::uint64_t late = 0;               ///< Of these, those that were late.
  std::uint64_t first_nanoseconds = 0;  ///< The least time among them; 0 if there are none.
  std::uint64_t last_nanoseconds = 0;   ///< The greatest.
  std::optional<Error> loss;            ///< Set when the file has ended and was not whole.
};

/// Merges the packets of many pcap files into one stream in the order of time, by nanoseconds,
/// whatever link types and precisions they have; equal times in the order of the files and, within
/// one, of its records. Nothing is dropped. Within a file the order is put right as FileReader
/// says; a packet further behind is given as soon as it is seen and is called late.
///
/// A file that is damaged gives all packets before the damage. What was lost is told with its last
/// packet, which is read one ahead for that; of a file without any packet, with the next packet of
/// another.
class Merge {
 public:
  /// For windows into the files, in all. Below FileReader::kLeastWindow for each file it is more.
  static constexpr std::size_t kMemory = std::size_t{32} << 20;

  explicit Merge(std::vector<std::unique_ptr<FileBytes>> files, std::size_t memory = kMemory,
                 FileReader::Order order = FileReader::Order::kNearby);

  /// Goes to the next packet; false if all were given.
  bool Next();

  const MergedPacket& packet() const { return packet_; }
  /// Losses to be told with the packet that Next gave; at the end, those that no packet could
  /// carry.
  std::span<const FileLoss> losses() const { return losses_; }

  std::size_t files() const { return files_.size(); }
  /// Null until the file's header was read; for each packet it has been.
  const PcapHeader* header(std::size_t file) const;
  const FileReport& report(std::size_t file) const { return files_[file].report; }

 private:
  struct File {
    std::unique_ptr<FileReader> reader;  ///< Gone when the file has ended.
    std::optional<PcapHeader> header;
    FileReport report;
    bool loss_told = false;
  };

  /// The time of the file's next packet; LoserTree::kOut if it has none.
  LoserTree::Key FindNextOf(std::size_t file);
  void Give(std::size_t file, const PacketView& view);
  void Retire(std::size_t file);

  std::vector<File> files_;
  std::optional<LoserTree> tree_;
  std::size_t live_ = 0;               ///< Files with a packet in the tree.
  std::optional<std::size_t> behind_;  ///< The file whose packet was given last: its next is due.
  std::vector<std::byte> large_packet_;
  MergedPacket packet_;
  std::uint64_t latest_ = 0;
  std::vector<FileLoss> losses_;
  std::vector<FileLoss> untold_;  ///< For the next packet.
};

}  // namespace cloudflaredump::pcap
