// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/cloud_side.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <numeric>

#include "common/text.h"
#include "extcap/filter/link_type.h"

namespace cloudflaredump::compare {
namespace {

/// What Cloudflare keeps of a sampled packet.
constexpr std::size_t kSampleLength = 160;
/// Equal packets that nothing tells apart may well be two, unless they come closer than any sender
/// sends them.
constexpr std::int64_t kEqualCopyWithin = 20'000;
constexpr std::uint64_t kMostRecords = 0xfffffff0;

/// Tests the innermost packet as raw IP with a filter about IP, the record with one about headers
/// of a link layer.
class FilterTest {
 public:
  explicit FilterTest(const filter::CaptureFilter* filter) : filter_(filter) {}

  /// `record` is null for a fragment that stayed alone, whose record is not there any more: a link
  /// layer's filter then keeps it.
  Result<bool> Accepts(std::uint32_t link_type, const pcap::FileRecord* record,
                       const InnerPacket& packet) {
    if (filter_ == nullptr || filter_->kind() == filter::CaptureFilter::Kind::kAll) return true;
    const bool ip = filter_->kind() == filter::CaptureFilter::Kind::kIp;
    const std::uint32_t type = ip ? filter::kLinkTypeRaw : link_type;
    auto at = residuals_.find(type);
    if (at == residuals_.end()) {
      auto made = filter::Residual::Make(*filter_, type);
      if (!made) return Failure(made);
      at = residuals_.emplace(type, *std::move(made)).first;
    }
    const bool inner = ip && !packet.header.empty();
    if (!ip && record == nullptr) return true;
    const auto answer = inner ? at->second.Test(packet.header, packet.size)
                              : at->second.Test(ip ? Rebuild(packet) : record->bytes,
                                                ip ? packet.size : record->original_length);
    return answer != filter::FilterAnswer::kRejects;
  }

 private:
  /// A packet that was put together, or a piece of one, as an IP packet that was never cut.
  std::span<const std::byte> Rebuild(const InnerPacket& packet) {
    const bool v4 = packet.source.version == 4;
    rebuilt_.assign(v4 ? 20 : 40, std::byte{0});
    const auto put = [&](std::size_t at, std::uint32_t value) {
      rebuilt_[at] = static_cast<std::byte>(value);
    };
    const std::size_t addresses = v4 ? 12 : 8;
    const std::size_t size = v4 ? 4 : 16;
    put(0, v4 ? 0x45 : 0x60);
    put(v4 ? 2 : 4, packet.length >> 8);
    put(v4 ? 3 : 5, packet.length);
    put(v4 ? 9 : 6, packet.protocol);
    if (v4) put(6, packet.offset / 8 >> 8);
    if (v4) put(7, packet.offset / 8);
    for (std::size_t i = 0; i < size; ++i) {
      put(addresses + i, packet.source.bytes[i]);
      put(addresses + size + i, packet.destination.bytes[i]);
    }
    rebuilt_.insert(rebuilt_.end(), packet.held.begin(), packet.held.end());
    return rebuilt_;
  }

  const filter::CaptureFilter* filter_;
  std::map<std::uint32_t, filter::Residual> residuals_;
  std::vector<std::byte> rebuilt_;
};

}  // namespace

std::uint32_t CloudSide::Number(const IpAddress& address) {
  std::uint32_t& number = address_index_.At(HashOf(address));
  if (number == kNone) {
    number = static_cast<std::uint32_t>(addresses_.size());
    addresses_.push_back(address);
    is_destination_.push_back(false);
  }
  return number;
}

void CloudSide::Take(const InnerPacket& packet, std::uint32_t interface, bool egress,
                     bool accepted) {
  Identity identity;
  if (!packet.piece) {
    const auto identified = Identify(packet);
    if (!identified) {
      ++too_short;
      return;
    }
    identity = *identified;
  } else {
    identity.headers = DatagramKey(packet);
    identity.flow = identity.headers;
    identity.payload_length = packet.length;
    identity.sequence = packet.offset;
    has_pieces_ = true;
  }
  std::uint32_t& flow = flows_.At(identity.flow);
  if (flow == kNone) {
    flow = flow_count_++;
    flow_varies_.push_back(false);
    flow_identification_.push_back(packet.identification);
  } else if (flow_identification_[flow] != packet.identification) {
    flow_varies_[flow] = true;
  }
  CloudPacket out{
      .time = packet.time,
      .headers = identity.headers,
      .payload_hash = MixBytes(0, identity.payload),
      .prefix_at = prefixes_.size(),
      .payload_length = identity.payload_length,
      .held = static_cast<std::uint32_t>(identity.payload.size()),
      .flow = flow,
      .source = Number(packet.source),
      .destination = Number(packet.destination),
      .sequence = identity.sequence,
      .record = static_cast<std::uint32_t>(packet.record),
      .datagram = packet.identification == 0 ? 0 : static_cast<std::uint32_t>(DatagramKey(packet)),
      .size = packet.size,
      .source_port = identity.source_port,
      .destination_port = identity.destination_port,
      .interface = static_cast<std::uint16_t>(interface),
      .protocol = packet.protocol,
      .dscp = packet.dscp,
      .tcp_flags = identity.tcp_flags};
  out.has_ports = identity.has_ports;
  out.fragments = packet.fragments;
  out.piece = packet.piece;
  out.do_not_fragment = packet.do_not_fragment;
  out.egress = egress;
  out.filtered = !accepted;
  is_destination_[out.destination] = true;
  const Bytes prefix =
      identity.payload.first(std::min<std::size_t>(identity.payload.size(), kLargestPrefix));
  prefixes_.insert(prefixes_.end(), prefix.begin(), prefix.end());
  out.prefix_size = static_cast<std::uint8_t>(prefix.size());
  if (identity.addressless != 0) {
    // Kept by its position before sorting; BuildIndexes sets it right.
    std::uint32_t& first = addressless_.At(identity.addressless);
    if (first == kNone) first = static_cast<std::uint32_t>(packets_.size());
  }
  packets_.push_back(out);
}

Result<CloudSide> CloudSide::Read(const Options& options, const filter::CaptureFilter* filter) {
  auto reader = pcap::CaptureReader::Open(options.cloudflare_file.path);
  if (!reader) return Failure(reader);
  CloudSide side;
  FilterTest test(filter);
  PacketLooker looker;
  pcap::FileRecord record;
  InnerPacket packet;
  std::vector<std::pair<std::uint64_t, std::vector<std::uint64_t>>> joined;
  std::map<std::uint64_t, std::uint32_t> interface_of_piece;
  bool cut_otherwise = false;
  bool cut_as_sample = false;
  const auto is_ours = [&options](const IpAddress& source) {
    return std::ranges::any_of(options.ours,
                               [&](const Prefix& p) { return filter::Contains(p, source); });
  };
  for (;;) {
    const auto more = reader->Next(record);
    if (!more) side.damage_ = ClauseOf(more.error());
    if (!more || !*more) break;
    if (side.records >= kMostRecords) return Fail("the file has more packets than can be compared");
    const std::uint64_t number = side.records++;
    if (record.original_length > record.bytes.size()) {
      (record.bytes.size() == kSampleLength ? cut_as_sample : cut_otherwise) = true;
    } else if (record.bytes.size() > kSampleLength) {
      cut_otherwise = true;
    }
    if (!record.time) {
      ++side.without_time;
      continue;
    }
    const std::uint32_t link_type = reader->interfaces()[record.interface].link_type;
    const Look look = looker.Take({.link_type = link_type,
                                   .original_length = record.original_length,
                                   .time = *record.time,
                                   .record = number,
                                   .interface = static_cast<std::uint32_t>(record.interface),
                                   .bytes = record.bytes},
                                  packet);
    if (look == Look::kNotIp) ++side.not_ip;
    if (look == Look::kTooShort) ++side.too_short;
    if (look == Look::kFragment) {
      interface_of_piece[number] = static_cast<std::uint32_t>(record.interface);
    }
    if (look != Look::kPacket) continue;
    const auto accepted = test.Accepts(link_type, &record, packet);
    if (!accepted) return Failure(accepted);
    if (!*accepted) ++side.filtered_out;
    if (!looker.pieces().empty()) joined.emplace_back(number, looker.pieces());
    side.Take(packet, static_cast<std::uint32_t>(record.interface), is_ours(packet.source),
              *accepted);
  }
  Result<void> filtered;
  looker.ForEachLeftFragment([&](const InnerPacket& piece) {
    const auto accepted = test.Accepts(filter::kLinkTypeRaw, nullptr, piece);
    if (!accepted) {
      filtered = Failure(accepted);
    } else {
      side.filtered_out += *accepted ? 0 : 1;
      side.Take(piece, interface_of_piece[piece.record], is_ours(piece.source), *accepted);
    }
  });
  if (!filtered) return Failure(filtered);
  side.interfaces_ = reader->interfaces();
  for (const pcap::FileInterface& interface : side.interfaces_) {
    CaptureDescription description;
    side.described_ |=
        ParseCaptureDescription(interface.description, description) == ParseVerdict::kGood;
    side.sample_ |= description.type == "simple";
    side.descriptions_.push_back(std::move(description));
  }
  side.sample_by_length_ = !side.described_ && cut_as_sample && !cut_otherwise;
  side.sample_ |= side.sample_by_length_;
  side.SortByTime();
  side.BuildIndexes();
  side.MarkToldApart();
  side.MarkCopies();
  side.packet_of_record_.assign(side.records, kNone);
  for (std::uint32_t i = 0; i < side.packets_.size(); ++i) {
    side.packet_of_record_[side.packets_[i].record] = i;
  }
  for (const auto& [last, pieces] : joined) {
    for (const std::uint64_t piece : pieces) {
      side.packet_of_record_[piece] = side.packet_of_record_[last];
    }
  }
  return side;
}

void CloudSide::SortByTime() {
  if (std::ranges::is_sorted(packets_, {}, &CloudPacket::time)) return;
  std::vector<std::uint32_t> order(packets_.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::stable_sort(order, {}, [this](std::uint32_t i) { return packets_[i].time; });
  std::vector<std::uint32_t> place(order.size());
  std::vector<CloudPacket> sorted;
  sorted.reserve(order.size());
  for (const std::uint32_t i : order) {
    place[i] = static_cast<std::uint32_t>(sorted.size());
    sorted.push_back(packets_[i]);
  }
  packets_ = std::move(sorted);
  addressless_.ForEachValue([&place](std::uint32_t& packet) { packet = place[packet]; });
}

std::uint64_t CloudSide::PrefixKey(const CloudPacket& packet, std::uint32_t level) const {
  const Bytes prefix(prefixes_.data() + packet.prefix_at, packet.prefix_size);
  return MixBytes(packet.headers, prefix.first(std::min<std::size_t>(level, prefix.size())));
}

template <class Wanted, class Key>
std::uint8_t CloudSide::BuildSlot(std::uint32_t level, const Wanted& wanted, const Key& key) {
  Slot slot{.level = level, .index = HashIndex(), .next = {}};
  slot.next.assign(packets_.size(), kNone);
  // From the last on, so that a chain begins with its first.
  for (std::size_t i = packets_.size(); i-- > 0;) {
    if (packets_[i].piece || !wanted(packets_[i])) continue;
    std::uint32_t& head = slot.index.At(key(packets_[i]));
    slot.next[i] = head;
    head = static_cast<std::uint32_t>(i);
  }
  slots_.push_back(std::move(slot));
  return static_cast<std::uint8_t>(slots_.size() - 1);
}

void CloudSide::BuildIndexes() {
  slots_.reserve(80);
  whole_slot_ = BuildSlot(
      kNone, [](const CloudPacket& p) { return p.complete(); },
      [](const CloudPacket& p) { return WholeKey(p.headers, p.payload_hash); });
  std::vector<bool> levels(kLargestPrefix + 1, false);
  for (const CloudPacket& p : packets_) {
    if (!p.complete() && !p.piece) levels[LevelOf(p.held)] = true;
  }
  for (std::uint32_t level = 0; level < levels.size(); ++level) {
    if (!levels[level]) continue;
    cut_slots_.push_back(BuildSlot(
        level, [level](const CloudPacket& p) { return !p.complete() && LevelOf(p.held) == level; },
        [this, level](const CloudPacket& p) { return PrefixKey(p, level); }));
  }
  for (std::uint32_t i = 0; i < packets_.size(); ++i) {
    if (!packets_[i].piece) continue;
    std::uint32_t& head = piece_index_.At(packets_[i].headers);
    piece_next_[i] = head;
    head = i;
  }
}

std::uint8_t CloudSide::SlotForCutLocal(std::uint32_t level) {
  const auto known = local_cut_slots_.find(level);
  if (known != local_cut_slots_.end()) return known->second;
  const std::uint8_t slot = BuildSlot(
      level, [level](const CloudPacket& p) { return LevelOf(p.held) >= level; },
      [this, level](const CloudPacket& p) { return PrefixKey(p, level); });
  local_cut_slots_[level] = slot;
  return slot;
}

void CloudSide::MarkToldApart() {
  // Some senders, and tools that make packets, give all of them one identification.
  std::vector<bool> seen(65536, false);
  std::size_t different = 0;
  std::size_t flows = 0;
  for (const std::uint32_t identification : flow_identification_) {
    if (identification == 0 || identification >= seen.size()) continue;
    ++flows;
    if (seen[identification]) continue;
    seen[identification] = true;
    ++different;
  }
  const bool varies = different >= 10 && different >= std::min<std::size_t>(flows / 4, 5000);
  for (CloudPacket& packet : packets_) {
    packet.told_apart = packet.datagram != 0 && (varies || flow_varies_[packet.flow]);
  }
}

void CloudSide::MarkCopies() {
  const auto mark = [this](const Slot& slot) {
    std::vector<bool> behind(packets_.size(), false);
    for (const std::uint32_t next : slot.next) {
      if (next != kNone) behind[next] = true;
    }
    for (std::uint32_t i = 0; i < packets_.size(); ++i) {
      if (!behind[i] && slot.next[i] != kNone) MarkCopiesInChain(slot, i);
    }
  };
  mark(slots_[whole_slot_]);
  for (const std::uint8_t slot : cut_slots_) mark(slots_[slot]);
}

void CloudSide::MarkCopiesInChain(const Slot& slot, std::uint32_t first) {
  // A few of a kind, alone, are copies; many, each as near as the other, are a flood: its sender
  // may give all of them one identification, though the file's others tell packets apart.
  constexpr std::size_t kMostCopies = 4;
  constexpr std::int64_t kFar = std::numeric_limits<std::int64_t>::max();
  std::vector<std::uint32_t> run{first};
  std::size_t most = kMostCopies;
  std::int64_t before = kFar;
  std::int64_t widest = 0;
  const auto end_run = [&](std::int64_t after, std::uint32_t next) {
    if (run.size() <= most && std::min(before, after) / 10 > widest) {
      for (std::size_t i = 1; i < run.size(); ++i) packets_[run[i]].copy = true;
    }
    run.assign(1, next);
    most = kMostCopies;
    before = after;
    widest = 0;
  };
  for (std::uint32_t at = first, next = slot.next[at]; next != kNone;
       at = next, next = slot.next[at]) {
    const CloudPacket& one = packets_[at];
    const CloudPacket& other = packets_[next];
    const std::int64_t gap = other.time - one.time;
    const bool told_apart =
        one.told_apart || flow_varies_[one.flow] ||
        (one.protocol == filter::kProtocolTcp &&
         (one.payload_length > 0 || (one.tcp_flags & (kTcpSyn | kTcpFin)) != 0));
    if (one.payload_hash != other.payload_hash) {
      end_run(kFar, next);
    } else if (gap > (told_apart ? kCopyWithin : kEqualCopyWithin)) {
      end_run(gap, next);
    } else {
      if (!told_apart) most = 2;  // chance brings as many together in a flood
      widest = std::max(widest, gap);
      if (run.size() <= kMostCopies) run.push_back(next);
    }
  }
  end_run(kFar, kNone);
}

}  // namespace cloudflaredump::compare
