// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "common/filter_v1.h"

namespace cloudflaredump {

/// What one interface block says of the capture its packets come from: one line in if_description,
/// a sentence for people and a JSON object for machines. The grammar is
/// docs/capture-description.md; this is its only writer, which redacts every text, and its
/// only parser. Everything is optional.
struct CaptureDescription {
  // The API's own names; times are RFC 3339 as the API sent them.
  std::optional<std::string> pcap_id;
  std::optional<std::string> type;    ///< "simple" or "full"
  std::optional<std::string> system;  ///< "magic-transit"
  std::optional<std::string> status;
  std::optional<std::string> colo;
  std::optional<std::string> submitted;
  std::optional<std::uint64_t> time_limit;    ///< seconds
  std::optional<std::uint64_t> packet_limit;  ///< packets
  std::optional<std::uint64_t> byte_limit;    ///< bytes
  std::optional<std::string> offset_time;
  std::optional<std::string> destination_conf;  ///< without keys
  std::optional<std::string> stop_requested;
  std::optional<std::uint64_t> packets_captured;
  std::optional<std::string> error_message;
  FilterV1 filter_v1;

  // What the API does not name.
  std::optional<std::string> capture_filter;
  std::optional<std::uint64_t> window;    ///< which window of a live capture, from 1
  std::optional<std::uint64_t> request;   ///< which request of the plan, from 1
  std::optional<std::uint64_t> requests;  ///< of how many
  std::optional<std::uint64_t> file;      ///< which file of the capture, from 1
  std::optional<std::uint64_t> files;
  std::optional<std::string> object;  ///< the bucket's key
  std::optional<bool> late;           ///< the file was found after the others were delivered
  std::optional<std::string> coverage_first;
  std::optional<std::string> coverage_last;
  std::optional<std::uint64_t> coverage_share;  ///< percent of the window's time
  std::optional<bool> limit_reached;            ///< unset if that is not known
  std::optional<bool> residual_mismatch;
  std::optional<bool> end_uncertain;  ///< only the connection's close ended the download
  /// Names of fields that did not fit, commas between. Written by the writer itself: what the
  /// caller sets is not looked at.
  std::optional<std::string> left_out;

  bool operator==(const CaptureDescription&) const = default;
};

/// What a packet comment of ours says: known only when the packet is written.
struct PacketMark {
  bool undecided = false;                   ///< the filter could not be decided for it
  std::optional<std::string> damaged = {};  ///< what was lost after this packet, in words
  bool limit_reached = false;  ///< the last packet: Cloudflare's limit ended the capture
  std::optional<std::string> coverage_first = {};
  std::optional<std::string> coverage_last = {};

  // What a comparison with routers' captures says, in a comment of its own.
  std::optional<bool> arrived = {};               ///< unset if the packet was not compared
  std::optional<std::uint64_t> delay = {};        ///< nanoseconds more than the fastest packet's
  std::optional<std::uint64_t> local_frame = {};  ///< in local_file, from 1
  std::optional<std::uint64_t> copies = {};       ///< records of routers' captures that are it
  std::optional<std::string> local_file = {};     ///< the router's capture that saw it first
  bool operator==(const PacketMark&) const = default;
};

/// What the values of a field are: says how they are written, and how Wireshark shows them.
enum class FieldKind {
  kText,
  kTime,
  kSeconds,
  kNanoseconds,
  kPackets,
  kBytes,
  kCount,
  kPercent,
  kFlag,
  kFilter
};

/// The largest number that a field of `kind` has.
constexpr std::uint64_t LargestNumber(FieldKind kind) {
  if (kind == FieldKind::kPercent) return 100;
  const bool wide =
      kind == FieldKind::kPackets || kind == FieldKind::kBytes || kind == FieldKind::kNanoseconds;
  return wide ? std::numeric_limits<std::int64_t>::max()
              : std::numeric_limits<std::uint32_t>::max();
}

/// A field of T, which is one of the two above: its key in the JSON object, which is also its name
/// in Wireshark behind "cloudflare.", and the member that holds its value. A new field needs a
/// member above and a row in the table in capture_description.cpp, and nothing else.
template <class T>
struct DescribedField {
  using Member =
      std::variant<std::optional<std::string> T::*, std::optional<std::uint64_t> T::*,
                   std::optional<bool> T::*, bool T::*, FilterV1 T::*>;  ///< false is not written
  const char* name;
  const char* label;  ///< For people, in the packet details.
  FieldKind kind;
  Member member;
  const char* help;  ///< For people, in the list of fields.
};

/// All fields, in the order in which they are written and shown.
std::span<const DescribedField<CaptureDescription>> DescriptionFields();
std::span<const DescribedField<PacketMark>> MarkFields();

/// The if_description of one interface: a sentence of at most 120 characters, a separator, the
/// machine part of at most 4,096 bytes. What would not fit is left out whole, from the least
/// important on (error_message, object, capture_filter first), and named in left_out. What is not
/// UTF-8 in a text becomes U+FFFD; a number out of range (a port of 70,000) is not written.
std::string WriteCaptureDescription(const CaptureDescription& description);

/// A packet comment: a sentence, a separator, a machine part. `damaged` is cut at 1,000 bytes.
std::string WritePacketMark(const PacketMark& mark);

/// What the parser makes of a text.
enum class ParseVerdict {
  kNotOurs,  ///< Another program's text. Left alone.
  kGood,
  kMalformed,  ///< Ours by its separator, but broken; nothing of it is used.
};

/// Reads if_description. Unknown keys and later versions are tolerated; nothing is trusted: length,
/// encoding, types and numbers are bounded. Unless the verdict is kGood, `description` is empty.
ParseVerdict ParseCaptureDescription(std::string_view text, CaptureDescription& description);

/// Reads one packet comment likewise.
ParseVerdict ParsePacketMark(std::string_view text, PacketMark& mark);

}  // namespace cloudflaredump
