// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/capture/window.h"

namespace cloudflaredump::capture {

/// How many packets went where, over all files.
struct PacketCounts {
  std::uint64_t received = 0;
  std::uint64_t delivered = 0;
  std::uint64_t filtered_out = 0;
  std::uint64_t undecided = 0;   ///< delivered and marked
  std::uint64_t untested = 0;    ///< of these, those of a link type that cannot be filtered
  std::uint64_t unmatched = 0;   ///< delivered, though the filter rejects them
  std::uint64_t duplicates = 0;  ///< delivered by an earlier request or window
  std::uint64_t matching_duplicates = 0;  ///< of these, tested and not rejected by the filter

  PacketCounts& operator+=(const PacketCounts& other);
};

/// How a capture ended.
struct Outcome {
  PacketCounts counts;
  std::optional<Error> error;  ///< it failed; if packets were delivered before, it is incomplete
  std::uint64_t out_of_order = 0;  ///< packets that came after later ones, delivered all the same
  bool stopped = false;            ///< by the user
  bool reader_gone = false;        ///< nobody took the stream to its end
  bool limits_known = true;        ///< of what Cloudflare's limits say about completeness
  /// What may be missing, each a clause: "the limit of 10,000 packets was reached".
  std::vector<std::string> losses;
  /// What was left out without being missing, each a clause.
  std::vector<std::string> notes;
  std::string verdict;        ///< one line for people; empty if it failed before the first packet
                              ///< or when its file was closed
  std::string likely_causes;  ///< how the verdict ends before its period; may be empty
  /// How the packets of a capture that was stopped or failed are still to be had: a clause.
  std::string left_behind;
  std::vector<std::string> pcap_ids;
  bool stream_begun = false;     ///< the section header was written
  std::optional<Window> window;  ///< when it captured, if that is known
  std::string colo;              ///< where it captured; empty for all data centers

  /// Takes in how a step ended: an interruption is a stop, the first other Error is kept.
  void Note(const Result<void>& step);
};

/// The exit status of `cloudflaredump capture`.
enum class ExitStatus : int {
  kComplete = 0,
  kFailed = 1,
  kUsage = 2,
  kNoPackets = 3,
  kIncomplete = 4,
};

/// What a capture with `outcome` ends with.
ExitStatus StatusOf(const Outcome& outcome);

/// What is said of a capture that failed, was stopped, or both: one sentence, empty if there is
/// nothing to say. It ends with where the packets are still to be had.
std::string Complaint(const Outcome& outcome);

}  // namespace cloudflaredump::capture
