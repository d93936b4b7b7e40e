// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/compare/match.h"
#include "extcap/compare/significance.h"

namespace cloudflaredump::compare {

/// Something that the missing packets have in common, or that explains why nothing can be said.
struct Finding {
  std::string kind{};      ///< size, flow, destination, …: the words of --json
  std::string text{};      ///< a sentence
  std::string value{};     ///< an address, prefix, number, colo, object, interval; empty for size
  bool of_missing = true;  ///< it is about the missing packets of this comparison
  std::optional<std::uint32_t> threshold{};  ///< of size: the largest that still arrives
  std::uint64_t lost = 0, of = 0;            ///< packets; of flow: flows
};

/// One line of a table.
struct TableRow {
  std::string name{};
  std::uint64_t compared = 0, missing = 0;
};

/// One local file and what was found out about it.
struct LocalResult {
  LocalSide side{};
  Clock clock{};
  MatchCounts counts{};
};

/// The answer to "is it Cloudflare or us?".
struct Comparison {
  std::string filter{};  ///< of Options
  CloudSide cloud{};
  std::vector<LocalResult> locals{};
  std::vector<PacketResult> results{};  ///< one for each of cloud.packets()

  std::uint64_t compared = 0, arrived = 0, missing = 0;
  std::uint64_t not_covered = 0, egress = 0, translated = 0, cloudflare_copies = 0;
  std::uint64_t filtered = 0;
  std::uint64_t duplicates = 0, in_fragments = 0, merged = 0, acknowledged = 0, repeated = 0;
  double loss_percent = 0;
  Interval loss{};  ///< as shares; [0, 1] if nothing was compared
  std::vector<Finding> findings{};
  std::vector<TableRow> by_destination{}, by_size{}, by_second{};
  std::int64_t seconds_per_row = 1;  ///< of by_second
  /// Why nothing could be compared: a clause. Empty if something was.
  std::string not_comparable{};

  /// When Cloudflare's packet of this result arrived after the fastest one of its file,
  /// nanoseconds; nothing for samples, which have many machines, and where it is not known.
  std::optional<std::int64_t> DelayOf(std::size_t packet) const;
  std::vector<std::int64_t> fastest{};  ///< by interface of Cloudflare's file
};

/// Compares two captures of the same traffic. `filter` may be null. The Error names the file that
/// cannot be read, and why.
Result<Comparison> Compare(const Options& options, const filter::CaptureFilter* filter);

}  // namespace cloudflaredump::compare
