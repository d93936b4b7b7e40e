// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <pcap/pcap.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>

#include "extcap/filter/facts.h"
#include "extcap/filter/symbol.h"

namespace cloudflaredump::filter {

/// How a walk over a filter program ended.
enum class WalkEnd : std::uint8_t {
  kWhole,       ///< Every path was followed to its end.
  kStopped,     ///< A visitor asked for it.
  kOverBudget,  ///< Too many paths; those visited so far say nothing about the rest.
};

/// What is known of a load before it is walked over.
enum class LoadEnd : std::uint8_t {
  kNotKnown,
  kThere,    ///< The bytes are in the packet; facts about them may have been added.
  kLoaded,   ///< It was carried out.
  kRejects,  ///< The packet ends before it.
};

/// Facts looked at in one walk before it is given up: some 10 ms.
inline constexpr std::uint64_t kWalkBudget = 2'500'000;

/// What a walk reports and asks. A visitor returns false to stop the walk.
struct WalkVisitor {
  /// A path that may accept, with what is known of its packets.
  std::function<bool(const Facts&)> accepts;
  /// A path that may reject, by returning 0 or by reading beyond the packet.
  std::function<bool(const Facts&)> rejects;
  /// Asked before each instruction that is no jump and no return, if there is one packet to ask.
  std::function<LoadEnd(const bpf_insn&, Registers&, Facts&)> load = {};
  std::uint64_t budget = kWalkBudget;
};

/// Bytes that every packet of a walk has, so that reading them never rejects.
struct SurelyThere {
  std::uint32_t from_start = 0;
  std::uint32_t behind_header = 0;
};

/// Whether the program jumps backwards (protochain): such programs can be walked for one packet
/// only, and to no end but their budget's.
bool HasLoops(std::span<const bpf_insn> program);

/// Follows every path of `program` that packets with the facts `start` may
/// take. A path that contradicts itself is not reported. Packets of a reported path have its facts;
/// but not every packet with those facts takes the path.
WalkEnd Walk(std::span<const bpf_insn> program, const Facts& start, const SurelyThere& there,
             const WalkVisitor& visitor);

/// One pass over `program` that joins paths wherever they meet: what is known of every packet with
/// the facts `start` that may be accepted; nothing if there is none. Looser than Walk, but its cost
/// does not depend on the number of paths.
std::optional<Facts> JoinPaths(std::span<const bpf_insn> program, const Facts& start);

}  // namespace cloudflaredump::filter
