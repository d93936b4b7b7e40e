// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/compare/cloud_side.h"

namespace cloudflaredump::compare {

/// Where packets pass in a local capture: an interface at one depth of encapsulation. Linux's
/// "any" interface and VLAN tags make several of one.
struct LocalPoint {
  std::uint32_t interface = 0;
  std::uint32_t kinds = 0;  ///< Encapsulation::kinds
  std::uint64_t link = 0;
  bool sent = false;                 ///< Encapsulation::sent
  std::string name;                  ///< "eth0 (in GRE)"
  std::int64_t first = 0, last = 0;  ///< of all packets there
  std::int64_t begin = 0, end = 0;   ///< the same in the order of the file
  std::uint32_t begin_frame = 0, end_frame = 0;
  std::uint64_t matched = 0;  ///< compared packets of Cloudflare's that passed
};

/// Both ends of a tunnel through which packets of Cloudflare's came.
struct Endpoint {
  IpAddress source{}, destination{};
  std::uint32_t gre_key = 0;
  std::uint64_t arrived = 0;
};

/// A local packet that equals the packets of a chain of Cloudflare's side.
struct Sighting {
  std::int64_t time = 0;
  std::uint32_t first = 0;  ///< of the chain; for a piece, the packet itself
  std::uint32_t frame = 0;  ///< in the local file, from 0
  std::uint16_t point = 0;
  std::uint16_t endpoint = 0;  ///< kNoEndpoint outside of tunnels
  std::uint8_t slot = 0;
  bool fragments = false;
};
inline constexpr std::uint16_t kNoEndpoint = 0xffff;

/// Those of one chain at one point, of `sightings` by chain, slot and point; the first is at
/// `begin`.
std::span<const Sighting> OfOnePoint(std::span<const Sighting> sightings, std::size_t begin);

/// TCP bytes that arrived in a record which equals no packet of Cloudflare's: receive offload.
struct Segment {
  std::uint32_t flow = 0, sequence = 0, length = 0, frame = 0;
  std::int64_t time = 0;
  std::uint16_t point = 0, endpoint = 0;
};

/// An acknowledgment that left for Cloudflare: proof that bytes of `flow` have arrived.
struct Acknowledgment {
  std::uint32_t flow = 0, number = 0, frame = 0;
  std::int64_t time = 0;
};

/// What looks like one of Cloudflare's addresses under another one.
struct Lookalike {
  std::uint32_t outside = 0;  ///< number of CloudSide's table
  IpAddress inside{};
  bool is_source = false;
  std::uint64_t packets = 0;
};

/// The times of two records in a row that are not close together, or go back.
struct TimeJump {
  std::uint32_t frame = 0;  ///< of the second, from 0
  std::int64_t by = 0;
  std::int64_t first = 0, last = 0;  ///< of all records from here to the next one
};

/// The local clock was set between two records.
struct ClockSetting {
  std::uint32_t frame = 0;  ///< the first by the new clock
  std::int64_t at = 0;      ///< Cloudflare's time
  std::int64_t by = 0;      ///< forward if positive
};

/// One local capture, as far as Cloudflare's packets are concerned.
class LocalSide {
 public:
  /// Reads `file` against `cloud`, whose indexes may grow.
  static Result<LocalSide> Read(const InputFile& file, const Options& options, CloudSide& cloud);

  /// Takes all times back to the clock of the first record.
  void UndoSettings(std::vector<ClockSetting> found);

  InputFile file;
  std::vector<LocalPoint> points;
  std::vector<Endpoint> endpoints;
  std::vector<Sighting> sightings;        ///< by chain, slot, point and time
  std::vector<Sighting> piece_sightings;  ///< `first` is a piece of Cloudflare's side
  std::vector<Segment> segments;
  std::vector<Acknowledgment> acknowledgments;
  std::vector<Lookalike> lookalikes;
  std::vector<TimeJump> jumps;
  std::vector<ClockSetting> settings;         ///< undone
  std::vector<std::uint32_t> left_datagrams;  ///< CloudPacket's datagram keys that came in part

  std::uint64_t records = 0, without_time = 0, not_ip = 0, too_short = 0, encrypted = 0;
  std::uint64_t other = 0;                  ///< packets that equal none of Cloudflare's
  std::uint64_t other_to_destinations = 0;  ///< of these, to destinations of Cloudflare's packets
  std::optional<std::uint64_t> dropped;     ///< by the capture itself, as it says
  std::int64_t first = 0, last = 0;         ///< covered
  bool has_times = false;
  bool saw_gre = false;
  bool described = false;          ///< written by this program: it is of Cloudflare
  std::uint32_t gre_overhead = 0;  ///< the largest
  std::string damage;

 private:
  void NoteTime(std::int64_t time, std::uint64_t record);
  /// They come nearly in order of time, and there may be millions: sorted by counting first.
  void SortSightings();
  std::uint16_t PointOf(const Encapsulation& outer, std::uint32_t interface);
  std::uint16_t EndpointOf(const Encapsulation& outer);
  void TakePacket(InnerPacket& packet, std::uint32_t interface, const Options& options,
                  CloudSide& cloud);
  void TakePieces(const InnerPacket& packet, std::uint16_t point, const CloudSide& cloud);
  void TakeOther(const InnerPacket& packet, const Identity& identity, const CloudSide& cloud);
  void TakeTcp(const InnerPacket& packet, const Identity& identity, std::uint16_t point,
               bool matched, const CloudSide& cloud);
  void NamePoints(const std::vector<pcap::FileInterface>& interfaces);

  std::map<std::uint64_t, std::uint16_t> point_index_, endpoint_index_;
  std::map<std::uint32_t, std::uint32_t> last_acknowledgment_;
  std::map<std::pair<std::uint32_t, IpAddress>, Lookalike> lookalike_index_;
  std::uint64_t looked_alike_ = 0;
  TimeJump begin_;                ///< the records before the first of `jumps`
  std::int64_t last_record_ = 0;  ///< its time, in the order of the file
};

}  // namespace cloudflaredump::compare
