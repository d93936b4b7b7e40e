// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>

#include "common/filter_v1.h"

namespace cloudflaredump::filter {

/// An IP address of either version, as the bytes of the header.
struct IpAddress {
  int version = 4;                          ///< 4 or 6.
  std::array<std::uint8_t, 16> bytes = {};  ///< The first 4 for version 4, the rest zero.
  auto operator<=>(const IpAddress&) const = default;
  /// As inet_ntop writes it.
  std::string ToString() const;
};

/// 32 or 128.
int BitsOf(const IpAddress& address);

/// The address of version 4 with this number in the header.
IpAddress Ipv4Address(std::uint32_t number);

/// One request's filter: the packets whose fields equal all that is set. This is Cloudflare's
/// `filter_v1`; nothing set means every packet.
///
/// The fields are the outermost header's. `protocol` is IPv4's, or the first next header of IPv6
/// that is not 0, 43, 44, 51, 60 or 135. Ports are those of TCP, UDP and SCTP; the later fragments
/// of a packet have none. Cloudflare documents no more than the names.
struct Box {
  std::optional<IpAddress> source_address;
  std::optional<IpAddress> destination_address;
  std::optional<std::uint16_t> source_port;
  std::optional<std::uint16_t> destination_port;
  std::optional<std::uint8_t> protocol;
  auto operator<=>(const Box&) const = default;
};

/// The fields of a box, in the order in which merging gives them up. What is done with each field
/// alike is done by this table: a new field stands here, in Box, ComesBefore and BoxAsFilter.
inline constexpr auto kBoxFields =
    std::tuple(&Box::protocol, &Box::source_port, &Box::destination_port, &Box::source_address,
               &Box::destination_address);

/// Calls `work` with each of kBoxFields.
template <class Work>
void ForEachField(Work work) {
  std::apply([&](auto... field) { (work(field), ...); }, kBoxFields);
}

/// Numbers of IP protocols (IANA), and those of them that have ports.
inline constexpr std::uint8_t kProtocolTcp = 6;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolSctp = 132;
inline constexpr std::array<std::uint8_t, 3> kPortProtocols = {kProtocolTcp, kProtocolUdp,
                                                               kProtocolSctp};
/// Next headers of IPv6 that `protocol` looks behind.
inline constexpr std::array<std::uint8_t, 6> kExtensionHeaders = {0, 43, 44, 51, 60, 135};

/// Whether an address, or a port, of either side has one value.
bool PinsAddress(const Box& box);
bool PinsPort(const Box& box);

/// Whether every packet in `inner` is in `outer`.
bool IsInside(const Box& inner, const Box& outer);

/// The smallest box that holds both.
Box Join(const Box& a, const Box& b);

/// How many bits of a packet the box prescribes: each halves what it lets through.
int PinnedBits(const Box& box);

/// The order of requests: those that pin the destination first, as Magic Transit mostly sees
/// traffic towards its customers; then more pinned fields, then the values.
bool ComesBefore(const Box& a, const Box& b);

/// `box` as the API wants it.
FilterV1 ToFilterV1(const Box& box);

/// `box` written as a capture filter that a user could type; "" for the box that holds everything.
std::string BoxAsFilter(const Box& box);

}  // namespace cloudflaredump::filter
