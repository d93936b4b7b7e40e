// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/inner_packet.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "extcap/compare/hash.h"
#include "extcap/filter/big_endian.h"
#include "extcap/filter/ip_header.h"
#include "extcap/filter/link_type.h"

namespace cloudflaredump::compare {
namespace {

// LINKTYPE_ values beyond those that filter/ knows (tcpdump.org/linktypes.html).
constexpr std::uint32_t kLinkTypeNull = 0;
constexpr std::uint32_t kLinkTypePpp = 9;
constexpr std::uint32_t kLinkTypePppHdlc = 50;
constexpr std::uint32_t kLinkTypePppEthernet = 51;
constexpr std::uint32_t kLinkTypeRawBsd = 12;
constexpr std::uint32_t kLinkTypeRawOpenBsd = 14;
constexpr std::uint32_t kLinkTypeCiscoHdlc = 104;
constexpr std::uint32_t kLinkTypeLoop = 108;

constexpr int kDeepest = 4;
/// Fragments wait for the others for at most this long and in at most so many datagrams.
constexpr std::int64_t kFragmentPatience = 30'000'000'000;
constexpr std::size_t kMostWaiting = 8192;
constexpr std::size_t kMostLeft = 200'000;
constexpr std::size_t kMostPieces = 200;

using filter::Big16;
using filter::Big32;
using filter::Byte;

Bytes From(Bytes bytes, std::size_t at) {
  return bytes.subspan(std::min(at, bytes.size()));
}

/// Where the IP header begins, npos if nowhere, and what identifies the link-layer point.
struct Found {
  Look look = Look::kNotIp;
  std::size_t offset = 0;
  std::uint64_t link = 0;
};

Found FoundVersion(Bytes bytes, std::size_t offset, std::uint64_t link = 0) {
  if (offset >= bytes.size()) return {Look::kTooShort, 0, link};
  const std::uint32_t version = Byte(bytes, offset) >> 4;
  if (version != 4 && version != 6) return {Look::kNotIp, 0, link};
  return {Look::kPacket, offset, link};
}

Found BehindPpp(Bytes bytes, std::size_t at, std::uint64_t link = 0) {
  if (at >= bytes.size()) return {Look::kTooShort, 0, link};
  // The protocol field may be compressed to one byte, whose lowest bit is set.
  std::uint32_t protocol = Byte(bytes, at);
  std::size_t size = 1;
  if ((protocol & 1) == 0) {
    if (at + 2 > bytes.size()) return {Look::kTooShort, 0, link};
    protocol = Big16(bytes, at);
    size = 2;
  }
  if (protocol != 0x21 && protocol != 0x57) return {Look::kNotIp, 0, link};
  return FoundVersion(bytes, at + size, link);
}

Found BehindMpls(Bytes bytes, std::size_t at, std::uint64_t link) {
  for (int labels = 0; labels < 16; ++labels) {
    if (at + 4 > bytes.size()) return {Look::kTooShort, 0, link};
    const bool bottom = (Byte(bytes, at + 2) & 1) != 0;
    at += 4;
    if (bottom) return FoundVersion(bytes, at, link);
  }
  return {};
}

/// `type_at` is the offset of an EtherType; what it announces begins at `at`.
Found BehindEtherType(Bytes bytes, std::size_t type_at, std::size_t at, std::uint64_t link) {
  for (int tags = 0; tags < 8; ++tags) {
    if (type_at + 2 > bytes.size()) return {Look::kTooShort, 0, link};
    switch (Big16(bytes, type_at)) {
      case 0x0800:
      case 0x86dd:
        return FoundVersion(bytes, at, link);
      case 0x8100:
      case 0x88a8:
      case 0x9100:
        if (at + 4 > bytes.size()) return {Look::kTooShort, 0, link};
        link = Mix(link, Big16(bytes, at) & 0xfff);
        type_at = at + 2;
        at += 4;
        continue;
      case 0x8847:
      case 0x8848:
        return BehindMpls(bytes, at, link);
      case 0x8864:  // PPPoE session
        return BehindPpp(bytes, at + 6, link);
      default:
        return {};
    }
  }
  return {};
}

Found BehindPppHdlc(Bytes bytes) {
  const bool framed = bytes.size() >= 2 && Byte(bytes, 0) == 0xff && Byte(bytes, 1) == 3;
  return BehindPpp(bytes, framed ? 2 : 0);
}

/// Linux cooked captures tell the direction: 4 is "sent by us".
bool IsSent(std::uint32_t link_type, Bytes bytes) {
  if (link_type == filter::kLinkTypeLinuxSll) return bytes.size() >= 2 && Big16(bytes, 0) == 4;
  return link_type == filter::kLinkTypeLinuxSll2 && bytes.size() >= 11 && Byte(bytes, 10) == 4;
}

Found FindIp(std::uint32_t link_type, Bytes bytes) {
  switch (link_type) {
    case filter::kLinkTypeEthernet:
      return BehindEtherType(bytes, 12, 14, 0);
    case filter::kLinkTypeLinuxSll:
      return BehindEtherType(bytes, 14, 16, IsSent(link_type, bytes) ? 2 : 1);
    case filter::kLinkTypeLinuxSll2:
      if (bytes.size() < 20) return {Look::kTooShort};
      return BehindEtherType(bytes, 0, 20, Mix(IsSent(link_type, bytes) ? 2 : 1, Big32(bytes, 4)));
    case kLinkTypeNull:
    case kLinkTypeLoop:
      return FoundVersion(bytes, 4);
    case kLinkTypeRawBsd:
    case kLinkTypeRawOpenBsd:
      return FoundVersion(bytes, 0);
    case kLinkTypePpp:
    case kLinkTypePppHdlc:
      return BehindPppHdlc(bytes);
    case kLinkTypePppEthernet:
      return BehindPpp(bytes, 6);
    case kLinkTypeCiscoHdlc:
      return BehindEtherType(bytes, 2, 4, 0);
    default:
      break;
  }
  const filter::IpSearch search = filter::SearchIpHeader(link_type, bytes);
  if (search.outcome == filter::IpSearch::Outcome::kFound) {
    return FoundVersion(bytes, search.location.offset);
  }
  return {search.outcome == filter::IpSearch::Outcome::kTooShort ? Look::kTooShort : Look::kNotIp};
}

IpAddress AddressAt(Bytes bytes, std::size_t at, int version) {
  IpAddress address{.version = version};
  std::memcpy(address.bytes.data(), bytes.data() + at, version == 4 ? 4 : 16);
  return address;
}

void AppendTo(std::vector<std::uint8_t>& key, std::uint64_t number) {
  for (int i = 0; i < 8; ++i) key.push_back(static_cast<std::uint8_t>(number >> (8 * i)));
}

}  // namespace

/// An IP header, its extension headers included.
struct PacketLooker::Header {
  IpAddress source{}, destination{};
  std::uint8_t protocol = 0;
  std::uint8_t dscp = 0;
  bool do_not_fragment = false;
  bool fragment = false;
  bool more = false;
  std::uint32_t identification = 0;
  std::uint32_t offset = 0;
  std::uint32_t size = 0;    ///< of the packet, header included
  std::uint32_t length = 0;  ///< of what follows the header
  Bytes payload{};           ///< as far as it was captured

  /// kPacket, kNotIp or kTooShort.
  Look Read(Bytes bytes, std::uint32_t wire);
  Look Read4(Bytes bytes, std::uint32_t wire);
  Look Read6(Bytes bytes, std::uint32_t wire);
};

Look PacketLooker::Header::Read(Bytes bytes, std::uint32_t wire) {
  if (bytes.empty()) return Look::kTooShort;
  switch (Byte(bytes, 0) >> 4) {
    case 4:
      return Read4(bytes, wire);
    case 6:
      return Read6(bytes, wire);
    default:
      return Look::kNotIp;
  }
}

Look PacketLooker::Header::Read4(Bytes bytes, std::uint32_t wire) {
  if (bytes.size() < 20) return Look::kTooShort;
  const std::uint32_t header = 4 * (Byte(bytes, 0) & 15);
  size = Big16(bytes, 2);
  // Large sends and receives of network cards leave the length zero.
  if (size == 0) size = wire;
  if (header < 20 || size < header) return Look::kNotIp;
  dscp = static_cast<std::uint8_t>(Byte(bytes, 1) >> 2);
  identification = Big16(bytes, 4);
  const std::uint32_t flags = Big16(bytes, 6);
  do_not_fragment = (flags & 0x4000) != 0;
  more = (flags & 0x2000) != 0;
  offset = 8 * (flags & 0x1fff);
  fragment = more || offset != 0;
  protocol = static_cast<std::uint8_t>(Byte(bytes, 9));
  source = AddressAt(bytes, 12, 4);
  destination = AddressAt(bytes, 16, 4);
  length = size - header;
  if (bytes.size() < header) return Look::kTooShort;
  payload = From(bytes, header);
  payload = payload.first(std::min<std::size_t>(payload.size(), length));
  return Look::kPacket;
}

Look PacketLooker::Header::Read6(Bytes bytes, std::uint32_t wire) {
  if (bytes.size() < 40) return Look::kTooShort;
  const std::uint32_t body = Big16(bytes, 4);
  dscp = static_cast<std::uint8_t>((Big16(bytes, 0) >> 6) & 0x3f);
  do_not_fragment = true;
  size = body == 0 && wire > 40 ? wire : body + 40;
  length = size - 40;
  source = AddressAt(bytes, 8, 6);
  destination = AddressAt(bytes, 24, 6);
  protocol = static_cast<std::uint8_t>(Byte(bytes, 6));
  payload = From(bytes, 40);
  for (int headers = 0; headers < 8; ++headers) {
    const bool options = protocol == 0 || protocol == 43 || protocol == 60;
    if (!options && protocol != kFragmentHeader) break;
    if (payload.size() < 8) return Look::kTooShort;
    const std::uint32_t taken = options ? 8 * (Byte(payload, 1) + 1) : 8;
    if (taken > length) return Look::kNotIp;
    if (!options) {
      const std::uint32_t word = Big16(payload, 2);
      offset = word & 0xfff8;
      more = (word & 1) != 0;
      fragment = more || offset != 0;
      identification = Big32(payload, 4);
      do_not_fragment = false;
    }
    protocol = static_cast<std::uint8_t>(Byte(payload, 0));
    length -= taken;
    if (payload.size() < taken) return Look::kTooShort;
    payload = From(payload, taken);
    if (fragment) break;
  }
  payload = payload.first(std::min<std::size_t>(payload.size(), length));
  return Look::kPacket;
}

Look PacketLooker::Take(const Input& input, InnerPacket& packet) {
  pieces_.clear();
  packet = {};
  packet.time = input.time;
  packet.record = input.record;
  const Found found = FindIp(input.link_type, input.bytes);
  packet.outer.link = found.link;
  packet.outer.sent = IsSent(input.link_type, input.bytes);
  if (found.look != Look::kPacket) {
    const bool whole = input.bytes.size() >= input.original_length;
    return found.look == Look::kTooShort && whole ? Look::kNotIp : found.look;
  }
  ForgetOld(input.time);
  const auto offset = static_cast<std::uint32_t>(found.offset);
  const std::uint32_t wire = std::max(input.original_length, offset) - offset;
  const Look look = WalkIp({.bytes = From(input.bytes, offset),
                            .wire = wire,
                            .packet = &packet,
                            .interface = input.interface});
  // A record that was not cut and yet ends inside a header is no packet that can be compared.
  if (look == Look::kTooShort && input.bytes.size() >= input.original_length) return Look::kNotIp;
  return look;
}

Look PacketLooker::WalkIp(Walk walk) {
  Header header;
  const Look look = header.Read(walk.bytes, walk.wire);
  if (look != Look::kPacket) return look;
  walk.packet->header = walk.bytes;
  if (header.fragment) {
    if (!PutTogether(walk, header)) return Look::kFragment;
    walk.packet->header = {};
    walk.packet->fragments = true;
  }
  return WalkPayload(walk, header);
}

Look PacketLooker::WalkPayload(Walk walk, const Header& header) {
  InnerPacket& packet = *walk.packet;
  if (packet.outer.kinds == 0 && walk.depth == 0) {
    packet.outer.source = header.source;
    packet.outer.destination = header.destination;
  }
  const bool tunnel = walk.depth + 1 < kDeepest;
  if (tunnel && header.protocol == kGre) {
    if (const auto look = WalkGre(walk, header)) return *look;
  }
  if (tunnel && (header.protocol == kIpInIp || header.protocol == kIpv6InIp)) {
    Walk inside = walk;
    inside.bytes = header.payload;
    inside.wire = header.length;
    ++inside.depth;
    const Encapsulation before = packet.outer;
    packet.outer.kinds = packet.outer.kinds << 4 | (header.protocol == kIpInIp ? kKind4 : kKind6);
    packet.outer.overhead += header.size - header.length;
    const Look look = WalkIp(inside);
    if (look != Look::kNotIp) return look;
    packet.outer = before;
  }
  packet.source = header.source;
  packet.destination = header.destination;
  packet.protocol = header.protocol;
  packet.dscp = header.dscp;
  packet.do_not_fragment = header.do_not_fragment;
  packet.identification = header.identification;
  packet.size = header.size;
  packet.length = header.length;
  packet.held = header.payload;
  return Look::kPacket;
}

/// Nothing if it is GRE that carries no IP: then the GRE packet itself is the innermost.
std::optional<Look> PacketLooker::WalkGre(Walk walk, const Header& header) {
  const Bytes gre = header.payload;
  if (gre.size() < 4) {
    return header.length < 4 ? std::nullopt : std::optional(Look::kTooShort);
  }
  const std::uint32_t flags = Big16(gre, 0);
  const std::uint32_t protocol = Big16(gre, 2);
  const std::uint32_t version = flags & 7;
  if (version > 1) return std::nullopt;
  std::size_t size = 4;
  if (version == 0 && (flags & 0x4000) != 0) return std::nullopt;  // RFC 1701's routing
  if ((flags & 0x8000) != 0) size += 4;                            // checksum
  const std::size_t key_at = size;
  const bool keyed = (flags & 0x2000) != 0;
  if (keyed) size += 4;
  if ((flags & 0x1000) != 0) size += 4;                  // sequence
  if (version == 1 && (flags & 0x0080) != 0) size += 4;  // acknowledgment (PPTP)
  std::size_t inner = size;
  const bool ethernet = protocol == 0x6558;
  const bool ppp = version == 1 && protocol == 0x880b;
  if (ethernet || ppp) {
    const Found found =
        ethernet ? BehindEtherType(From(gre, size), 12, 14, 0) : BehindPppHdlc(From(gre, size));
    if (found.look == Look::kNotIp) return std::nullopt;
    if (found.look == Look::kTooShort) return Look::kTooShort;
    inner += found.offset;
  } else if (protocol != 0x0800 && protocol != 0x86dd) {
    return std::nullopt;
  }
  if (header.length < inner) return std::nullopt;
  if (gre.size() <= inner) return Look::kTooShort;
  InnerPacket& packet = *walk.packet;
  const Encapsulation before = packet.outer;
  packet.outer.kinds = packet.outer.kinds << 4 | (ethernet ? kKindGreEthernet : kKindGre);
  packet.outer.overhead += header.size - header.length + static_cast<std::uint32_t>(inner);
  packet.outer.gre = true;
  if (keyed) packet.outer.gre_key = Big32(gre, key_at);
  Walk inside = walk;
  inside.bytes = From(gre, inner);
  inside.wire = header.length - static_cast<std::uint32_t>(inner);
  ++inside.depth;
  const Look look = WalkIp(inside);
  if (look != Look::kNotIp) return look;
  packet.outer = before;
  return std::nullopt;
}

bool PacketLooker::PutTogether(const Walk& walk, Header& header) {
  std::vector<std::uint8_t> key;
  key.reserve(80);
  key.insert(key.end(), header.source.bytes.begin(), header.source.bytes.end());
  key.insert(key.end(), header.destination.bytes.begin(), header.destination.bytes.end());
  AppendTo(key, std::uint64_t{header.identification} << 16 | header.protocol << 8 |
                    static_cast<unsigned>(header.source.version));
  AppendTo(key, std::uint64_t{walk.interface} << 32 | walk.packet->outer.kinds);
  AppendTo(key, walk.packet->outer.link);
  if (IsLateCopy(key, header, walk.packet->time)) return false;
  auto [at, added] = waiting_.try_emplace(key);
  Datagram& datagram = at->second;
  if (added) {
    datagram.first = walk.packet->time;
    order_.push_back(key);
  }
  const auto copied = std::ranges::find_if(datagram.pieces, [&](const InnerPacket& p) {
    return p.offset == header.offset && p.length == header.length;
  });
  if (copied != datagram.pieces.end()) {
    ++datagram.copies[static_cast<std::size_t>(copied - datagram.pieces.begin())];
    return false;
  }
  if (datagram.pieces.size() >= kMostPieces) return false;
  InnerPacket piece = *walk.packet;
  piece.source = header.source;
  piece.destination = header.destination;
  piece.protocol = header.protocol;
  piece.dscp = header.dscp;
  piece.identification = header.identification;
  piece.fragments = piece.piece = true;
  piece.offset = header.offset;
  piece.size = header.size;
  piece.length = header.length;
  piece.header = {};
  datagram.memory.emplace_back(header.payload.begin(), header.payload.end());
  piece.held = datagram.memory.back();
  piece.do_not_fragment = header.do_not_fragment;
  piece.more = header.more;
  datagram.pieces.push_back(piece);
  datagram.copies.push_back(0);

  std::vector<InnerPacket> sorted = datagram.pieces;
  std::ranges::sort(sorted, {}, &InnerPacket::offset);
  std::uint32_t reached = 0;
  for (const InnerPacket& p : sorted) {
    if (p.offset > reached) return false;
    reached = std::max(reached, p.offset + p.length);
  }
  if (sorted.back().more) return false;  // More is to come.

  std::vector<std::byte>& whole = whole_[std::min(walk.depth, kDeepest - 1)];
  whole.clear();
  for (const InnerPacket& p : sorted) {
    // Bytes behind a gap in what was captured cannot be told apart from the payload's start.
    if (p.offset > whole.size()) break;
    const Bytes fresh = From(p.held, whole.size() - p.offset);
    whole.insert(whole.end(), fresh.begin(), fresh.end());
  }
  header.fragment = false;
  header.dscp = datagram.pieces.front().dscp;
  header.size = header.size - header.length + reached;
  header.length = reached;
  header.offset = 0;
  header.payload = whole;
  const std::int64_t time = walk.packet->time;
  walk.packet->time = datagram.first;
  for (const InnerPacket& p : datagram.pieces) pieces_.push_back(p.record);
  ExpectLateCopies(key, datagram, time);
  waiting_.erase(at);
  return true;
}

bool PacketLooker::IsLateCopy(const std::vector<std::uint8_t>& datagram, const Header& header,
                              std::int64_t now) {
  const auto at = late_copies_.find(datagram);
  if (at == late_copies_.end()) return false;
  if (std::abs(now - at->second.whole_at) > kCopyWithin) {
    late_copies_.erase(at);
    return false;
  }
  for (LateCopies::Piece& piece : at->second.pieces) {
    if (piece.offset != header.offset || piece.length != header.length || piece.count == 0)
      continue;
    --piece.count;
    return true;
  }
  return false;
}

void PacketLooker::ExpectLateCopies(const std::vector<std::uint8_t>& key, const Datagram& datagram,
                                    std::int64_t now) {
  const std::uint32_t most = std::ranges::max(datagram.copies);
  if (most == 0) return;
  if (late_copies_.size() >= kMostWaiting) late_copies_.clear();
  LateCopies& late = late_copies_[key];
  late = {.pieces = {}, .whole_at = now};
  for (std::size_t i = 0; i < datagram.pieces.size(); ++i) {
    const InnerPacket& piece = datagram.pieces[i];
    if (datagram.copies[i] == most) continue;
    late.pieces.push_back(
        {.offset = piece.offset, .length = piece.length, .count = most - datagram.copies[i]});
  }
}

void PacketLooker::ForgetOld(std::int64_t now) {
  while (!order_.empty()) {
    const auto at = waiting_.find(order_.front());
    if (at == waiting_.end()) {
      order_.pop_front();
      continue;
    }
    const bool old = now - at->second.first > kFragmentPatience;
    if (!old && waiting_.size() <= kMostWaiting) return;
    if (left_.size() < kMostLeft) {
      for (InnerPacket& piece : at->second.pieces) left_.push_back(piece);
      for (auto& memory : at->second.memory) left_memory_.push_back(std::move(memory));
    }
    waiting_.erase(at);
    order_.pop_front();
  }
}

}  // namespace cloudflaredump::compare
