// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "extcap/filter/box.h"

namespace cloudflaredump::compare {

using Bytes = std::span<const std::byte>;
using filter::IpAddress;

inline constexpr std::uint8_t kIcmp = 1;
inline constexpr std::uint8_t kIpInIp = 4;
inline constexpr std::uint8_t kIpv6InIp = 41;
inline constexpr std::uint8_t kFragmentHeader = 44;
inline constexpr std::uint8_t kGre = 47;
inline constexpr std::uint8_t kEsp = 50;
inline constexpr std::uint8_t kIcmpv6 = 58;

/// Two records of one packet at one point are no further apart than this, in nanoseconds.
inline constexpr std::int64_t kCopyWithin = 1'000'000;

/// Of Encapsulation::kinds.
enum TunnelKind : std::uint32_t { kKindGre = 1, kKind4, kKind6, kKindGreEthernet };

/// What stood around a packet: which headers of tunnels, and between whom.
struct Encapsulation {
  std::uint32_t kinds = 0;     ///< four bits for each tunnel header, the innermost lowest; 0: none
  std::uint32_t overhead = 0;  ///< bytes of all tunnel headers, the outer IP headers included
  std::uint32_t gre_key = 0;   ///< of the innermost GRE header that has one
  IpAddress source{}, destination{};  ///< of the outermost header, if there is a tunnel
  std::uint64_t link = 0;             ///< of the record: VLAN tags, Linux's interface and direction
  bool gre = false;
  bool sent = false;  ///< Linux says that the packet left the machine there
};

/// The innermost IP packet of a record, or of several that were fragments, with what does not
/// change on its way. The views are valid until the next packet is taken.
struct InnerPacket {
  IpAddress source{}, destination{};
  std::uint8_t protocol = 0;
  std::uint8_t dscp = 0;
  bool do_not_fragment = false;
  bool fragments = false;  ///< put together from fragments, or (a piece) one that stayed alone
  bool piece = false;      ///< a fragment whose others are not there: `offset` and `length` tell
  bool more = false;       ///< of a piece: others follow behind it
  std::uint32_t identification = 0;  ///< of IPv4; of IPv6 only if it was in fragments
  std::uint32_t offset = 0;          ///< of a piece
  std::uint32_t size = 0;            ///< bytes on the wire with the IP header
  std::uint32_t length = 0;          ///< bytes on the wire behind the IP header
  Bytes held{};                      ///< those of them that were captured
  Bytes header{};                    ///< the captured bytes from the IP header on; not of a packet
                                     ///< that was put together
  std::int64_t time = 0;             ///< of the first record
  std::uint64_t record = 0;          ///< of the last record, from 0
  Encapsulation outer{};
};

/// What one record was.
enum class Look : std::uint8_t {
  kPacket,    ///< an InnerPacket
  kNotIp,     ///< something else, or a link type that is not known here
  kTooShort,  ///< captured bytes end before the inner headers do
  kFragment,  ///< kept until the others come
};

/// Looks through link-layer and tunnel headers to the innermost IP packet and puts fragments
/// together, outer ones and inner ones. One for each file.
class PacketLooker {
 public:
  struct Input {
    std::uint32_t link_type = 0;
    std::uint32_t original_length = 0;
    std::int64_t time = 0;
    std::uint64_t record = 0;
    std::uint32_t interface = 0;  ///< fragments of different interfaces are kept apart
    Bytes bytes{};
  };
  Look Take(const Input& input, InnerPacket& packet);

  /// The records that went into the packet that Take gave last, if it was put together.
  const std::vector<std::uint64_t>& pieces() const { return pieces_; }

  /// Calls `take(InnerPacket)` with each fragment that stayed alone; to be called at the end.
  /// Later fragments have no ports, and the first has its held bytes.
  template <class Call>
  void ForEachLeftFragment(const Call& take) const {
    for (const InnerPacket& piece : left_) take(piece);
    for (const auto& [key, datagram] : waiting_) {
      for (const InnerPacket& piece : datagram.pieces) take(piece);
    }
  }

 private:
  struct Datagram {
    std::vector<InnerPacket> pieces;            ///< in order of arrival
    std::deque<std::vector<std::byte>> memory;  ///< of the pieces' bytes; a deque keeps views good
    std::vector<std::uint32_t> copies;          ///< that came of each piece, as of a mirror port
    std::int64_t first = 0;
  };
  /// What the walk from the outside in knows.
  struct Walk {
    Bytes bytes{};           ///< captured, from an IP header on
    std::uint32_t wire = 0;  ///< on the wire from there on, if known
    InnerPacket* packet = nullptr;
    std::uint32_t interface = 0;
    int depth = 0;
  };
  struct Header;

  Look WalkIp(Walk walk);
  Look WalkPayload(Walk walk, const Header& header);
  std::optional<Look> WalkGre(Walk walk, const Header& header);
  /// True if the datagram of this fragment is now whole: `header` is then that of the whole.
  bool PutTogether(const Walk& walk, Header& header);
  /// Whether this fragment is a copy of one whose datagram is whole already.
  bool IsLateCopy(const std::vector<std::uint8_t>& datagram, const Header& header,
                  std::int64_t now);
  void ExpectLateCopies(const std::vector<std::uint8_t>& key, const Datagram& datagram,
                        std::int64_t now);
  void ForgetOld(std::int64_t now);

  /// Copies of a whole datagram's pieces that have yet to come, as copies of others did.
  struct LateCopies {
    struct Piece {
      std::uint32_t offset = 0, length = 0, count = 0;
    };
    std::vector<Piece> pieces;
    std::int64_t whole_at = 0;
  };

  std::map<std::vector<std::uint8_t>, Datagram> waiting_;
  std::map<std::vector<std::uint8_t>, LateCopies> late_copies_;
  std::deque<std::vector<std::uint8_t>> order_;  ///< of waiting_, the oldest first
  std::deque<InnerPacket> left_;
  std::deque<std::vector<std::byte>> left_memory_;
  std::vector<std::byte> whole_[4];  ///< bytes of what was put together, by depth of the tunnel
  std::vector<std::uint64_t> pieces_;
};

}  // namespace cloudflaredump::compare
