// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cloudflaredump {

/// What one interface block says of the capture its packets come from: one line in if_description,
/// a sentence for people and a machine part. The grammar is docs/capture-description.md; this is
/// its only writer and its only parser. Everything is optional but the version. Used by the engine
/// and by the plugin, so it knows neither GLib nor Wireshark.
struct CaptureDescription {
  // The API's own names; times are RFC 3339 as the API sent them.
  std::optional<std::string> pcap_id;
  std::optional<std::string> type;    ///< "simple" or "full"
  std::optional<std::string> system;  ///< "magic-transit"
  std::optional<std::string> status;
  std::optional<std::string> submitted;
  std::optional<std::uint64_t> time_limit;    ///< seconds
  std::optional<std::uint64_t> packet_limit;  ///< packets
  std::optional<std::uint64_t> byte_limit;    ///< bytes
  std::optional<std::string> offset_time;
  std::optional<std::string> colo;
  std::optional<std::string> destination_conf;  ///< redacted by the caller
  std::optional<std::string> stop_requested;
  std::optional<std::uint64_t> packets_captured;
  std::optional<std::string> error_message;
  struct FilterV1 {
    std::optional<std::string> source_address;  ///< IPv4 or IPv6 text
    std::optional<std::string> destination_address;
    std::optional<std::uint64_t> source_port;
    std::optional<std::uint64_t> destination_port;
    std::optional<std::uint64_t> protocol;
    bool operator==(const FilterV1&) const = default;
  } filter_v1;

  // What the API does not name.
  std::optional<std::string> capture_filter;
  std::optional<std::uint64_t> request;   ///< which request of the plan, from 1
  std::optional<std::uint64_t> requests;  ///< of how many
  std::optional<std::uint64_t> part;      ///< from 1
  std::optional<std::uint64_t> parts;
  std::optional<std::string> object;  ///< the bucket's key
  std::optional<bool> late;           ///< the part was found after the others were delivered
  std::optional<std::string> coverage_first;
  std::optional<std::string> coverage_last;
  std::optional<bool> limit_reached;
  std::optional<bool> residual_mismatch;
  std::optional<bool> end_uncertain;  ///< only the connection's close ended the download
  /// Names of keys that did not fit, commas between. Written by the writer itself: what the caller
  /// sets is not looked at.
  std::optional<std::string> left_out;

  bool operator==(const CaptureDescription&) const = default;
};

/// The if_description of one part: a sentence of at most 120 characters, a separator, the machine
/// part of at most 4,096 bytes. What would not fit is left out whole, from the least important on
/// (error_message, object, capture_filter first), and named in left_out. Values of any bytes are
/// allowed; a number out of the grammar's bounds (a port of 70,000) is not written.
std::string WriteCaptureDescription(const CaptureDescription& description);

/// What a packet comment of ours says: known only when the packet is written.
struct PacketMark {
  bool undecided = false;                   ///< cut before bytes that the filter needs
  std::optional<std::string> damaged = {};  ///< what was lost after this packet, in words
  bool limit_reached = false;  ///< the last packet: Cloudflare's limit ended the capture
  std::optional<std::string> coverage_first = {};
  std::optional<std::string> coverage_last = {};
  bool operator==(const PacketMark&) const = default;
};

/// A packet comment: a sentence, a separator, a machine part. `damaged` is cut at 1,000 bytes.
std::string WritePacketMark(const PacketMark& mark);

/// What a comparison with a router's capture says of a packet, in a packet comment of its own.
struct CompareMark {
  std::optional<bool> arrived = {};
  std::optional<std::uint64_t> delay = {};        ///< nanoseconds beyond the fastest packet
  std::optional<std::uint64_t> local_frame = {};  ///< where it was seen first, from 1
  std::optional<std::string> local_file = {};     ///< cut at 1,000 bytes
  std::optional<std::uint64_t> copies = {};       ///< local records of it
  bool operator==(const CompareMark&) const = default;
};

/// A packet comment, as WritePacketMark's.
std::string WriteCompareMark(const CompareMark& mark);

/// What the parser makes of a text.
enum class ParseVerdict {
  kNotOurs,  ///< Another program's text. Left alone.
  kGood,
  kMalformed,  ///< Ours by its separator, but broken; what could be read is filled in.
};

/// Reads if_description. Unknown keys and later versions are tolerated; nothing is trusted: length,
/// encoding and numbers are bounded, a key's second appearance is ignored.
ParseVerdict ParseCaptureDescription(std::string_view text, CaptureDescription& description);

/// Reads one packet comment.
ParseVerdict ParsePacketMark(std::string_view text, PacketMark& mark);

/// Reads the same for a comparison's part; a comment without one is good and gives an empty mark.
ParseVerdict ParseCompareMark(std::string_view text, CompareMark& mark);

}  // namespace cloudflaredump
