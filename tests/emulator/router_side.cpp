// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/router_side.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "tests/emulator/json.h"
#include "tests/emulator/packet_fields.h"

namespace cloudflare_emulator {
namespace {

constexpr std::size_t kHeader = 20;

void SetChecksum(ByteList& packet) {
  Set16(packet, 10, 0);
  std::uint32_t sum = 0;
  for (std::size_t at = 0; at < kHeader; at += 2) sum += Big16(packet, at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  Set16(packet, 10, ~sum & 0xffff);
}

/// FNV-1a: a chance that is the same for the same packet and seed.
std::uint64_t Hash(std::uint64_t seed, Bytes bytes) {
  std::uint64_t hash = 0xcbf29ce484222325 ^ seed;
  for (const std::uint8_t byte : bytes) hash = (hash ^ byte) * 0x100000001b3;
  return hash ^ hash >> 29;
}

std::string TextOf(const Address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(address.ipv6 ? AF_INET6 : AF_INET, address.bytes.data(), text, sizeof text);
  return text;
}

bool IsCustomers(const Address& address) {
  constexpr std::uint8_t k4[] = {203, 0, 113};
  constexpr std::uint8_t k6[] = {0x20, 0x01, 0x0d, 0xb8, 0x01, 0x13};
  return address.ipv6 ? std::equal(std::begin(k6), std::end(k6), address.bytes.begin())
                      : std::equal(std::begin(k4), std::end(k4), address.bytes.begin());
}

bool IsVersion4(const ByteList& packet) {
  return packet[0] >> 4 == 4;
}

bool MayFragment(const ByteList& packet) {
  return IsVersion4(packet) && (packet[6] & 0x40) == 0;
}

/// `packet`, of version 4 with a header of 20 bytes, in pieces that fit `mtu`.
std::vector<ByteList> InFragments(const ByteList& packet, std::size_t mtu) {
  if (packet.size() <= mtu) return {packet};
  const std::size_t step = (mtu - kHeader) / 8 * 8;
  std::vector<ByteList> fragments;
  for (std::size_t at = kHeader; at < packet.size(); at += step) {
    const std::size_t end = std::min(packet.size(), at + step);
    ByteList fragment(packet.begin(), packet.begin() + kHeader);
    fragment.insert(fragment.end(), packet.begin() + static_cast<std::ptrdiff_t>(at),
                    packet.begin() + static_cast<std::ptrdiff_t>(end));
    Set16(fragment, 2, fragment.size());
    Set16(fragment, 6, (at - kHeader) / 8 | (end < packet.size() ? 0x2000U : 0U));
    SetChecksum(fragment);
    fragments.push_back(std::move(fragment));
  }
  return fragments;
}

/// Between Cloudflare's end 192.0.2.1 and the router's, 198.51.100.1 and so on.
ByteList InTunnel(const ByteList& packet, const std::string& tunnel, std::size_t router,
                  std::uint64_t chance) {
  ByteList outer = {0x45, 0, 0, 0, 0, 0, 0, 0, 64, kGre, 0, 0, 192, 0, 2, 1, 198, 51, 100, 1};
  outer[19] = static_cast<std::uint8_t>(1 + router);
  Set16(outer, 4, chance & 0xffff);
  if (tunnel == "ipip") {
    outer[9] = IsVersion4(packet) ? 4 : 41;
  } else {
    const bool key = tunnel == "gre-key";
    ByteList gre(key ? 8 : 4);
    if (key) gre = {0x20, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(1 + router)};
    Set16(gre, 2, IsVersion4(packet) ? 0x0800 : 0x86dd);
    outer.insert(outer.end(), gre.begin(), gre.end());
  }
  outer.insert(outer.end(), packet.begin(), packet.end());
  Set16(outer, 2, outer.size());
  SetChecksum(outer);
  return outer;
}

ByteList InEthernet(const ByteList& packet) {
  ByteList frame = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0};
  if (!IsVersion4(packet)) Set16(frame, 12, 0x86dd);
  frame.insert(frame.end(), packet.begin(), packet.end());
  return frame;
}

/// One hop further.
ByteList Forwarded(ByteList packet) {
  if (IsVersion4(packet)) {
    --packet[8];
    if ((packet[0] & 15) == 5) SetChecksum(packet);
  } else {
    --packet[7];
  }
  return packet;
}

}  // namespace

Outcome<std::unique_ptr<RouterSide>> RouterSide::Open(const RouterOptions& options,
                                                      std::uint64_t seed, Time first) {
  std::unique_ptr<RouterSide> side(new RouterSide(options, seed, first));
  const std::string header = WritePcap({.link_type = kEthernet}, {});
  for (const std::string& path : options.files) {
    Router router{.packets = File(fopen(path.c_str(), "wb")),
                  .truth = File(fopen((path + ".truth.jsonl").c_str(), "wb"))};
    if (!router.packets || !router.truth) {
      return std::unexpected(Text("%s cannot be written: %s.", path.c_str(), strerror(errno)));
    }
    fwrite(header.data(), header.size(), 1, router.packets.get());
    fflush(router.packets.get());
    side->routers_.push_back(std::move(router));
  }
  return side;
}

void RouterSide::Advance(const Traffic& traffic, Time now) {
  if (now <= written_until_) return;
  const Time first = written_until_ + Span(1);
  for (const Record& record : traffic.Between(first, now)) Send(record);
  written_until_ = now;
  for (const Router& router : routers_) {
    fflush(router.packets.get());
    fflush(router.truth.get());
  }
}

std::string RouterSide::WhyLost(const ByteList& packet, std::uint64_t chance) const {
  const auto fields = ReadPacketFields(packet);
  if (!options_.drop.empty() && TextOf(fields->destination) == options_.drop) return "dropped";
  if (packet.size() > options_.mtu && !MayFragment(packet)) return "too large";
  // 24 bits of the chance are enough for a percentage.
  if (static_cast<double>(chance >> 40) / 0x1000000 * 100 < options_.loss) return "lost";
  return {};
}

void RouterSide::Send(const Record& record) {
  const auto at = FindIpHeader(record);
  if (!at || record.bytes.size() < record.original_length) return;
  const ByteList packet(record.bytes.begin() + static_cast<std::ptrdiff_t>(*at),
                        record.bytes.end());
  const auto fields = ReadPacketFields(packet);
  if (!fields || !IsCustomers(fields->destination)) return;
  ByteList flow(fields->source.bytes.begin(), fields->source.bytes.end());
  flow.insert(flow.end(), fields->destination.bytes.begin(), fields->destination.bytes.end());
  for (const std::uint16_t port :
       {fields->source_port.value_or(0), fields->destination_port.value_or(0)}) {
    flow.push_back(static_cast<std::uint8_t>(port >> 8));
    flow.push_back(static_cast<std::uint8_t>(port));
  }
  const std::size_t number = Hash(seed_, flow) % routers_.size();
  Router& router = routers_[number];
  const auto since = static_cast<std::uint64_t>(record.time.time_since_epoch().count());
  const std::uint64_t chance = Hash(seed_ ^ since * 0x9e3779b97f4a7c15, packet);
  const std::string lost = WhyLost(packet, chance);
  Json truth(json_object());
  Set(truth.get(), "time", JsonText(FormatRfc3339(record.time)));
  Set(truth.get(), "source", JsonText(TextOf(fields->source)));
  Set(truth.get(), "destination", JsonText(TextOf(fields->destination)));
  Set(truth.get(), "protocol", Json(json_integer(fields->protocol.value_or(0))));
  Set(truth.get(), "identification", Json(json_integer(IsVersion4(packet) ? Big16(packet, 4) : 0)));
  Set(truth.get(), "length", Json(json_integer(static_cast<json_int_t>(packet.size()))));
  Set(truth.get(), "arrived", Json(json_boolean(lost.empty())));
  if (!lost.empty()) Set(truth.get(), "why", JsonText(lost));
  const std::string line = DumpJson(truth.get()) + "\n";
  fwrite(line.data(), line.size(), 1, router.truth.get());
  if (lost.empty()) Arrive(router, Forwarded(packet), record.time, chance, number);
}

void RouterSide::Arrive(Router& router, const ByteList& packet, Time time, std::uint64_t chance,
                        std::size_t number) {
  // Up to a tenth of the delay comes on top, by chance.
  const double jitter = static_cast<double>(chance & 0xfff) / 0x1000 * 0.1;
  Time arrival = time + Seconds(options_.delay * (1 + jitter) + options_.clock);
  std::vector<Record> records;
  const auto pieces =
      MayFragment(packet) ? InFragments(packet, options_.mtu) : std::vector<ByteList>{packet};
  for (const ByteList& piece : pieces) {
    const auto outers =
        options_.tunnel == "none"
            ? std::vector<ByteList>{piece}
            : InFragments(InTunnel(piece, options_.tunnel, number, chance), options_.outer_mtu);
    for (const ByteList& outer : outers) {
      Record record{.time = arrival, .link_type = kEthernet, .bytes = InEthernet(outer)};
      record.original_length = static_cast<std::uint32_t>(record.bytes.size());
      records.push_back(std::move(record));
      arrival += std::chrono::microseconds(3);
    }
  }
  const std::string file = WritePcap({.link_type = kEthernet}, records);
  constexpr std::size_t kFileHeader = 24;
  fwrite(file.data() + kFileHeader, file.size() - kFileHeader, 1, router.packets.get());
}

}  // namespace cloudflare_emulator
