// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "extcap/capture/outcome.h"

namespace cloudflaredump::capture {

/// The window asked for and the times that arrived, for the verdict's sentence.
struct Coverage {
  std::string asked;    ///< "06:15:00 to 06:20:00 UTC", "up to 1 min at ORD"
  bool sampled = true;  ///< not a full capture
  std::uint64_t first_nanoseconds = 0;
  std::uint64_t last_nanoseconds = 0;

  /// Widens the times by those of one file; two zeros mean that it had no packets.
  void Include(std::uint64_t first, std::uint64_t last);
};

/// The one line that ends every capture: what was asked, received, delivered, and what may be
/// missing. It ends with LikelyCauses, if there are any.
std::string Verdict(const Outcome& outcome, const Coverage& coverage, bool filtered);

/// How the verdict of a capture ends that was read to its end and had no packets; empty for others.
std::string LikelyCauses(const Outcome& outcome, bool sampled);

}  // namespace cloudflaredump::capture
