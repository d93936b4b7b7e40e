// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/capture_description.h"
#include "common/result.h"
#include "extcap/compare/hash.h"
#include "extcap/compare/identity.h"
#include "extcap/compare/options.h"
#include "extcap/filter/capture_filter.h"
#include "extcap/pcap/pcapng_reader.h"

namespace cloudflaredump::compare {

inline constexpr std::uint32_t kNone = HashIndex::kNone;

/// One packet that Cloudflare saw, in as few bytes as its comparison takes.
struct CloudPacket {
  std::int64_t time = 0;
  std::uint64_t headers = 0;       ///< Identity::headers; a piece's DatagramKey
  std::uint64_t payload_hash = 0;  ///< of all that was captured
  std::uint64_t prefix_at = 0;     ///< where its first bytes stand in CloudSide's store
  std::uint32_t payload_length = 0;
  std::uint32_t held = 0;
  std::uint32_t flow = 0, source = 0, destination = 0;  ///< numbers of CloudSide's tables
  std::uint32_t sequence = 0;                           ///< of TCP; of a piece its offset
  std::uint32_t record = 0;    ///< in the file, from 0; of the last fragment
  std::uint32_t datagram = 0;  ///< the lower half of its DatagramKey; 0 if it has none
  std::uint32_t size = 0;      ///< on the wire from the innermost IP header on
  std::uint16_t source_port = 0, destination_port = 0;
  std::uint16_t interface = 0;
  std::uint8_t protocol = 0, dscp = 0, tcp_flags = 0;
  std::uint8_t prefix_size = 0;
  bool has_ports : 1 = false;
  bool fragments : 1 = false;
  bool piece : 1 = false;
  bool do_not_fragment : 1 = false;
  bool egress : 1 = false;
  bool told_apart : 1 = false;  ///< by its identification, also from a retransmission
  bool filtered : 1 = false;    ///< does not match the filter
  bool copy : 1 = false;        ///< the capture has the packet before, too

  bool complete() const { return held == payload_length; }
  /// What is counted as arrived or missing; of the others only the clock counts.
  bool is_compared() const { return !filtered && !egress && !copy; }
};

/// Cloudflare's side of a comparison, in memory: its packets in order of time and the indexes by
/// which local packets find them.
class CloudSide {
 public:
  /// An Error if the file cannot be opened. Damage further on is `damage()`, and what came before
  /// it is used.
  static Result<CloudSide> Read(const Options& options, const filter::CaptureFilter* filter);

  const std::vector<CloudPacket>& packets() const { return packets_; }
  const std::vector<IpAddress>& addresses() const { return addresses_; }
  const std::vector<pcap::FileInterface>& interfaces() const { return interfaces_; }
  const std::vector<CaptureDescription>& descriptions() const { return descriptions_; }
  std::uint32_t flows() const { return flow_count_; }
  const std::string& damage() const { return damage_; }
  bool sample() const { return sample_; }
  /// Written by this program: an interface has its description.
  bool described() const { return described_; }
  /// Taken for a sample because every longer packet is cut at a sample's length.
  bool sample_by_length() const { return sample_by_length_; }
  std::int64_t first() const { return packets_.empty() ? 0 : packets_.front().time; }
  std::int64_t last() const { return packets_.empty() ? 0 : packets_.back().time; }

  std::uint64_t records = 0, filtered_out = 0, not_ip = 0, too_short = 0, without_time = 0;

  /// The packet each record of the file belongs to; kNone if it is not compared.
  const std::vector<std::uint32_t>& packet_of_record() const { return packet_of_record_; }

  /// Calls `found(slot, first)` for each chain of packets that are equal to `identity` as far as
  /// both sides hold it. A chain is named by its slot and its first packet.
  template <class Call>
  void Find(const Identity& identity, const Call& found);
  /// The packet behind `packet` in its chain, in order of time; kNone at the end.
  std::uint32_t NextInChain(std::uint8_t slot, std::uint32_t packet) const {
    return slots_[slot].next[packet];
  }

  /// kNone if no packet belongs to that flow, has that destination or source, is that piece, …
  std::uint32_t FindFlow(std::uint64_t hash) const { return flows_.Find(hash); }
  std::uint32_t FindAddress(const IpAddress& address) const {
    return address_index_.Find(HashOf(address));
  }
  bool IsDestination(std::uint32_t address) const { return is_destination_[address]; }
  std::uint32_t FindAddressless(std::uint64_t hash) const { return addressless_.Find(hash); }
  bool has_pieces() const { return has_pieces_; }
  std::uint32_t FindPiece(std::uint64_t datagram) const { return piece_index_.Find(datagram); }
  std::uint32_t NextPiece(std::uint32_t packet) const { return piece_next_.at(packet); }

 private:
  /// One way of comparing: the packets of `held` (or all complete ones) by their first `level`
  /// bytes of payload.
  struct Slot {
    std::uint32_t level = 0;  ///< kNone: the whole payload
    HashIndex index;
    std::vector<std::uint32_t> next;
  };

  /// `accepted` by the filter.
  void Take(const InnerPacket& packet, std::uint32_t interface, bool egress, bool accepted);
  void SortByTime();
  void MarkToldApart();
  void MarkCopies();
  void MarkCopiesInChain(const Slot& slot, std::uint32_t first);
  void BuildIndexes();
  template <class Wanted, class Key>
  std::uint8_t BuildSlot(std::uint32_t level, const Wanted& wanted, const Key& key);
  std::uint8_t SlotForCutLocal(std::uint32_t level);
  std::uint64_t PrefixKey(const CloudPacket& packet, std::uint32_t level) const;
  std::uint32_t Number(const IpAddress& address);

  std::vector<CloudPacket> packets_;
  std::vector<std::byte> prefixes_;
  std::vector<IpAddress> addresses_;
  std::vector<bool> is_destination_;
  HashIndex address_index_, flows_, addressless_, piece_index_;
  std::map<std::uint32_t, std::uint32_t> piece_next_;
  std::uint32_t flow_count_ = 0;
  std::vector<bool>
      flow_varies_;  ///< the flow's identifications differ, so they tell packets apart
  std::vector<std::uint32_t> flow_identification_;
  std::vector<pcap::FileInterface> interfaces_;
  std::vector<CaptureDescription> descriptions_;
  std::vector<std::uint32_t> packet_of_record_;
  std::string damage_;
  bool described_ = false, sample_ = false, sample_by_length_ = false, has_pieces_ = false;

  std::vector<Slot> slots_;
  std::uint8_t whole_slot_ = 0;
  std::vector<std::uint8_t> cut_slots_;  ///< of packets that Cloudflare's side holds in part
  std::map<std::uint32_t, std::uint8_t> local_cut_slots_;  ///< made when a local packet needs one
};

/// The most bytes of a payload that are kept to be compared with a packet cut elsewhere.
inline constexpr std::uint32_t kLargestPrefix = 136;

/// Bytes that a comparison at `held` looks at: lengths are rounded so that there are few of them.
inline std::uint32_t LevelOf(std::uint32_t held) {
  return std::min(held & ~std::uint32_t{3}, kLargestPrefix);
}

inline std::uint64_t WholeKey(std::uint64_t headers, std::uint64_t payload_hash) {
  return Mix(headers, payload_hash);
}

template <class Call>
void CloudSide::Find(const Identity& identity, const Call& found) {
  const auto held = static_cast<std::uint32_t>(identity.payload.size());
  const auto look = [&](std::uint8_t slot, std::uint64_t key) {
    const std::uint32_t first = slots_[slot].index.Find(key);
    if (first != kNone) found(slot, first);
  };
  const auto prefix = [&](std::uint32_t level) {
    return MixBytes(identity.headers, identity.payload.first(level));
  };
  if (held == identity.payload_length) {
    // Most packets of a local file are those of other traffic: their payload need not be read.
    look(whole_slot_, WholeKey(identity.headers, MixBytes(0, identity.payload)));
    for (const std::uint8_t slot : cut_slots_) {
      if (slots_[slot].level <= held) look(slot, prefix(slots_[slot].level));
    }
    return;
  }
  const std::uint32_t level = LevelOf(held);
  look(SlotForCutLocal(level), prefix(level));
  for (const std::uint8_t slot : cut_slots_) {
    if (slots_[slot].level < level) look(slot, prefix(slots_[slot].level));
  }
}

}  // namespace cloudflaredump::compare
