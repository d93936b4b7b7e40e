// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/local_side.h"

#include <algorithm>
#include <tuple>

#include "common/text.h"

namespace cloudflaredump::compare {
namespace {

/// An IP packet has 65,535 bytes in pieces of at least 8, which come in hundreds at the most.
constexpr std::size_t kMostPiecesTried = 1000;
constexpr std::size_t kMostPoints = 64;
constexpr std::size_t kMostEndpoints = 4096;
constexpr std::uint64_t kMostLookalikeTries = 200'000;
constexpr std::size_t kMostLookalikes = 4096;
constexpr std::int64_t kMostWidening = std::int64_t{3600} * 1'000'000'000;
constexpr std::size_t kMostSegments = 4'000'000;
/// Records no further apart make no TimeJump: clocks are set by twice as much and more.
constexpr std::int64_t kJump = 50'000'000;

/// UDP that carries ESP (RFC 3948): a keepalive is one byte, IKE begins with four zeros.
bool IsEncrypted(const InnerPacket& packet, const Identity& identity) {
  if (packet.protocol == kEsp) return true;
  if (packet.protocol != filter::kProtocolUdp) return false;
  if (identity.source_port != 4500 && identity.destination_port != 4500) return false;
  if (identity.payload.size() < 4) return identity.payload_length > 4;
  return std::ranges::any_of(identity.payload.first(4),
                             [](std::byte b) { return b != std::byte{}; });
}

/// "in GRE", "in GRE in IP": from the inside out.
std::string NameOfKinds(std::uint32_t kinds) {
  std::string name;
  for (; kinds != 0; kinds >>= 4) {
    const std::uint32_t kind = kinds & 15;
    const bool gre = kind == kKindGre || kind == kKindGreEthernet;
    name += std::string(name.empty() ? "" : " ") + (gre ? "in GRE" : "in IP");
  }
  return name;
}

}  // namespace

std::span<const Sighting> OfOnePoint(std::span<const Sighting> sightings, std::size_t begin) {
  const Sighting& head = sightings[begin];
  std::size_t end = begin + 1;
  while (end < sightings.size() && sightings[end].first == head.first &&
         sightings[end].slot == head.slot && sightings[end].point == head.point) {
    ++end;
  }
  return sightings.subspan(begin, end - begin);
}

std::uint16_t LocalSide::PointOf(const Encapsulation& outer, std::uint32_t interface) {
  std::uint64_t link = outer.link;
  if (points.size() >= kMostPoints) link = 0;
  const std::uint64_t key = Mix(Mix(link, interface), outer.kinds);
  const auto [at, added] = point_index_.try_emplace(key, static_cast<std::uint16_t>(points.size()));
  if (added && points.size() >= 2 * kMostPoints) {
    at->second = 0;
  } else if (added) {
    points.push_back({.interface = interface,
                      .kinds = outer.kinds,
                      .link = link,
                      .sent = outer.sent,
                      .name = {}});
  }
  return at->second;
}

std::uint16_t LocalSide::EndpointOf(const Encapsulation& outer) {
  if (outer.kinds == 0) return kNoEndpoint;
  const std::uint64_t key =
      Mix(Mix(HashOf(outer.source), HashOf(outer.destination)), outer.gre_key);
  const auto known = endpoint_index_.find(key);
  if (known != endpoint_index_.end()) return known->second;
  if (endpoints.size() >= kMostEndpoints) return kNoEndpoint;
  endpoint_index_[key] = static_cast<std::uint16_t>(endpoints.size());
  endpoints.push_back(
      {.source = outer.source, .destination = outer.destination, .gre_key = outer.gre_key});
  return static_cast<std::uint16_t>(endpoints.size() - 1);
}

void LocalSide::TakePieces(const InnerPacket& packet, std::uint16_t point, const CloudSide& cloud) {
  std::size_t looked_at = 0;
  for (std::uint32_t at = cloud.FindPiece(DatagramKey(packet));
       at != kNone && ++looked_at <= kMostPiecesTried; at = cloud.NextPiece(at)) {
    const CloudPacket& piece = cloud.packets()[at];
    const std::uint32_t begin = packet.piece ? packet.offset : 0;
    if (piece.sequence < begin || piece.sequence + piece.payload_length > begin + packet.length) {
      continue;
    }
    piece_sightings.push_back({.time = packet.time,
                               .first = at,
                               .frame = static_cast<std::uint32_t>(packet.record),
                               .point = point,
                               .endpoint = EndpointOf(packet.outer),
                               .fragments = true});
  }
}

void LocalSide::TakeTcp(const InnerPacket& packet, const Identity& identity, std::uint16_t point,
                        bool matched, const CloudSide& cloud) {
  if (!identity.has_ports) return;
  if (!matched && identity.payload_length > 0 && segments.size() < kMostSegments) {
    const std::uint32_t flow = cloud.FindFlow(identity.flow);
    if (flow != kNone) {
      segments.push_back({.flow = flow,
                          .sequence = identity.sequence,
                          .length = identity.payload_length,
                          .frame = static_cast<std::uint32_t>(packet.record),
                          .time = packet.time,
                          .point = point,
                          .endpoint = EndpointOf(packet.outer)});
    }
  }
  if ((identity.tcp_flags & kTcpAck) == 0 || acknowledgments.size() >= kMostSegments) return;
  const std::uint32_t reverse = cloud.FindFlow(ReverseFlow(packet, identity));
  if (reverse == kNone) return;
  const auto [at, added] = last_acknowledgment_.try_emplace(reverse, identity.acknowledgment);
  if (!added && at->second == identity.acknowledgment) return;
  at->second = identity.acknowledgment;
  acknowledgments.push_back({.flow = reverse,
                             .number = identity.acknowledgment,
                             .frame = static_cast<std::uint32_t>(packet.record),
                             .time = packet.time});
}

void LocalSide::TakeOther(const InnerPacket& packet, const Identity& identity,
                          const CloudSide& cloud) {
  ++other;
  const std::uint32_t destination = cloud.FindAddress(packet.destination);
  const bool known = destination != kNone && cloud.IsDestination(destination);
  if (known) {
    ++other_to_destinations;
  } else if (IsEncrypted(packet, identity)) {
    ++encrypted;
  }
  if (identity.addressless == 0 || looked_alike_ >= kMostLookalikeTries) return;
  ++looked_alike_;
  const std::uint32_t at = cloud.FindAddressless(identity.addressless);
  if (at == kNone) return;
  const CloudPacket& alike = cloud.packets()[at];
  if (identity.has_ports && alike.source_port != identity.source_port &&
      alike.destination_port != identity.destination_port) {
    return;
  }
  const bool same_source = cloud.addresses()[alike.source] == packet.source;
  const bool same_destination = cloud.addresses()[alike.destination] == packet.destination;
  // Of the two addresses one stays; where both changed nothing is sure.
  if (same_source == same_destination) return;
  const std::uint32_t outside = same_source ? alike.destination : alike.source;
  const IpAddress inside = same_source ? packet.destination : packet.source;
  if (lookalike_index_.size() >= kMostLookalikes) return;
  Lookalike& pair = lookalike_index_[{outside, inside}];
  pair.outside = outside;
  pair.inside = inside;
  pair.is_source = !same_source;
  ++pair.packets;
}

void LocalSide::TakePacket(InnerPacket& packet, std::uint32_t interface, const Options& options,
                           CloudSide& cloud) {
  for (const Translation& translation : options.translations) {
    packet.source = translation.ToOutside(packet.source);
    packet.destination = translation.ToOutside(packet.destination);
  }
  const std::uint16_t point = PointOf(packet.outer, interface);
  LocalPoint& place = points[point];
  if (place.first == 0 || packet.time < place.first) place.first = packet.time;
  place.last = std::max(place.last, packet.time);
  const auto frame = static_cast<std::uint32_t>(packet.record);
  if (place.begin == 0 || frame < place.begin_frame) {
    place.begin = packet.time;
    place.begin_frame = frame;
  }
  if (frame >= place.end_frame) {
    place.end = packet.time;
    place.end_frame = frame;
  }
  if (packet.outer.gre) {
    saw_gre = true;
    gre_overhead = std::max(gre_overhead, packet.outer.overhead);
  }
  if (cloud.has_pieces()) TakePieces(packet, point, cloud);
  if (packet.piece) {
    left_datagrams.push_back(static_cast<std::uint32_t>(DatagramKey(packet)));
    return;
  }
  const auto identity = Identify(packet);
  if (!identity) {
    ++too_short;
    return;
  }
  bool matched = false;
  cloud.Find(*identity, [&](std::uint8_t slot, std::uint32_t first_of_chain) {
    matched = true;
    sightings.push_back({.time = packet.time,
                         .first = first_of_chain,
                         .frame = static_cast<std::uint32_t>(packet.record),
                         .point = point,
                         .endpoint = EndpointOf(packet.outer),
                         .slot = slot,
                         .fragments = packet.fragments});
  });
  if (packet.protocol == filter::kProtocolTcp) TakeTcp(packet, *identity, point, matched, cloud);
  if (!matched) TakeOther(packet, *identity, cloud);
}

void LocalSide::NamePoints(const std::vector<pcap::FileInterface>& interfaces) {
  for (LocalPoint& point : points) {
    const std::string& name = interfaces[point.interface].name;
    point.name =
        name.empty() ? "interface " + std::to_string(point.interface) : CleanLine(name, 40);
    const std::string kinds = NameOfKinds(point.kinds);
    if (!kinds.empty()) point.name += " (" + kinds + ")";
    if (point.sent) point.name += " (leaving)";
  }
  // Points that share a name differ by VLAN, or by Linux's interface or direction.
  std::map<std::string, int> seen;
  for (LocalPoint& point : points) {
    const int number = ++seen[point.name];
    if (number > 1) point.name += " #" + std::to_string(number);
  }
}

void LocalSide::NoteTime(std::int64_t time, std::uint64_t record) {
  if (!has_times) {
    first = last = last_record_ = begin_.first = begin_.last = time;
    has_times = true;
  }
  const std::int64_t by = time - last_record_;
  if (by < 0 || by > kJump) {
    jumps.push_back(
        {.frame = static_cast<std::uint32_t>(record), .by = by, .first = time, .last = time});
  }
  TimeJump& stretch = jumps.empty() ? begin_ : jumps.back();
  stretch.first = std::min(stretch.first, time);
  stretch.last = std::max(stretch.last, time);
  first = std::min(first, time);
  last = std::max(last, time);
  last_record_ = time;
}

void LocalSide::SortSightings() {
  std::uint32_t chains = 0;
  for (const Sighting& s : sightings) chains = std::max(chains, s.first + 1);
  std::vector<std::uint32_t> place(chains + std::size_t{1});
  for (const Sighting& s : sightings) ++place[s.first + 1];
  for (std::size_t i = 1; i < place.size(); ++i) place[i] += place[i - 1];
  std::vector<Sighting> sorted(sightings.size());
  for (const Sighting& s : sightings) sorted[place[s.first]++] = s;
  sightings.swap(sorted);
  for (std::size_t begin = 0, end = 0; begin < sightings.size(); begin = end) {
    while (end < sightings.size() && sightings[end].first == sightings[begin].first) ++end;
    if (end - begin < 2) continue;
    const auto from = sightings.begin();
    std::sort(from + static_cast<std::ptrdiff_t>(begin), from + static_cast<std::ptrdiff_t>(end),
              [](const Sighting& a, const Sighting& b) {
                return std::tuple(a.slot, a.point, a.time, a.frame) <
                       std::tuple(b.slot, b.point, b.time, b.frame);
              });
  }
}

void LocalSide::UndoSettings(std::vector<ClockSetting> found) {
  settings = std::move(found);
  std::vector<std::int64_t> sums{0};
  for (const ClockSetting& setting : settings) sums.push_back(sums.back() + setting.by);
  const auto sum_at = [&](std::uint32_t frame) {
    const auto next = std::ranges::upper_bound(settings, frame, {}, &ClockSetting::frame);
    return sums[static_cast<std::size_t>(next - settings.begin())];
  };
  const auto undo = [&](auto& all) {
    for (auto& each : all) each.time -= sum_at(each.frame);
  };
  undo(sightings);
  undo(piece_sightings);
  undo(segments);
  undo(acknowledgments);
  SortSightings();
  std::int64_t first_record = begin_.first;
  std::int64_t last_record = begin_.last;
  std::int64_t first_undone = first_record;
  std::int64_t last_undone = last_record;
  for (const TimeJump& stretch : jumps) {
    first_record = std::min(first_record, stretch.first);
    last_record = std::max(last_record, stretch.last);
    first_undone = std::min(first_undone, stretch.first - sum_at(stretch.frame));
    last_undone = std::max(last_undone, stretch.last - sum_at(stretch.frame));
  }
  // What was covered beyond the records stays so.
  first += first_undone - first_record;
  last += last_undone - last_record;
  for (LocalPoint& point : points) {
    point.first = point.begin - sum_at(point.begin_frame);
    point.last = point.end - sum_at(point.end_frame);
  }
}

Result<LocalSide> LocalSide::Read(const InputFile& file, const Options& options, CloudSide& cloud) {
  auto reader = pcap::CaptureReader::Open(file.path);
  if (!reader) return Failure(reader);
  LocalSide side;
  side.file = file;
  PacketLooker looker;
  pcap::FileRecord record;
  InnerPacket packet;
  std::map<std::uint64_t, std::uint32_t> interface_of_piece;
  for (;;) {
    const auto more = reader->Next(record);
    if (!more) side.damage = ClauseOf(more.error());
    if (!more || !*more) break;
    const std::uint64_t number = side.records++;
    if (!record.time) {
      ++side.without_time;
      continue;
    }
    const std::int64_t time = *record.time;
    side.NoteTime(time, number);
    const auto interface = static_cast<std::uint32_t>(record.interface);
    const Look look = looker.Take({.link_type = reader->interfaces()[interface].link_type,
                                   .original_length = record.original_length,
                                   .time = time,
                                   .record = number,
                                   .interface = interface,
                                   .bytes = record.bytes},
                                  packet);
    if (look == Look::kNotIp) ++side.not_ip;
    if (look == Look::kTooShort) ++side.too_short;
    if (look == Look::kFragment) interface_of_piece[number] = interface;
    if (look == Look::kPacket) side.TakePacket(packet, interface, options, cloud);
  }
  looker.ForEachLeftFragment([&](const InnerPacket& piece) {
    InnerPacket copy = piece;
    side.TakePacket(copy, interface_of_piece[piece.record], options, cloud);
  });
  for (const pcap::FileInterface& interface : reader->interfaces()) {
    CaptureDescription description;
    side.described |=
        ParseCaptureDescription(interface.description, description) == ParseVerdict::kGood;
    if (interface.dropped) side.dropped = side.dropped.value_or(0) + *interface.dropped;
    // What the capture says of itself widens what its packets show, within reason.
    if (!side.has_times) continue;
    const auto widens = [](std::int64_t by) { return by > 0 && by < kMostWidening; };
    if (interface.start && widens(side.first - *interface.start)) side.first = *interface.start;
    if (interface.end && widens(*interface.end - side.last)) side.last = *interface.end;
  }
  side.NamePoints(reader->interfaces());
  for (const auto& [key, pair] : side.lookalike_index_) side.lookalikes.push_back(pair);
  std::ranges::sort(side.left_datagrams);
  side.SortSightings();
  return side;
}

}  // namespace cloudflaredump::compare
