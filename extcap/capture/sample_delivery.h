// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "extcap/capture/capture_context.h"
#include "extcap/capture/outcome.h"
#include "extcap/capture/sample_part.h"
#include "extcap/capture/verdict.h"
#include "extcap/capture/window.h"
#include "extcap/filter/duplicate_filter.h"
#include "extcap/filter/plan.h"

namespace cloudflaredump::capture {

/// Turns downloaded samples into the stream: one interface for each download, packets in time
/// order, none twice, statistics at the end. Counts into an Outcome.
class SampleDelivery {
 public:
  /// `plan` says how many requests share a window and whether they are exact; `outcome` is filled.
  /// All outlive this object.
  SampleDelivery(const CaptureContext& context, const filter::Plan& plan, Outcome& outcome)
      : context_(context), plan_(plan), outcome_(outcome) {}

  /// Delivers the answers of one window, given in the plan's order. Windows come oldest first and
  /// may share an instant, the seam: whether Cloudflare's windows hold their ends is not published,
  /// so of what both windows have at that instant the larger multiset is delivered.
  Result<void> DeliverWindow(const Window& window, std::vector<SamplePart> parts);

  /// Ends the stream, if it has begun: writes the verdict into the outcome and into a statistics
  /// block for each interface. `asked` begins the verdict.
  Result<void> Finish(const std::string& asked);

 private:
  /// What the statistics block of one interface will say.
  struct DeliveredPart {
    pcap::TimePrecision precision;
    pcap::InterfaceStatistics statistics;
  };
  struct Place {
    std::uint64_t nanoseconds;
    std::size_t part;
    std::size_t packet;
  };

  std::uint32_t AddInterface(const SamplePart& part, std::size_t request, bool mismatch);
  void CountPart(const SamplePart& part, std::uint32_t interface_id);
  std::vector<Place> OrderPackets(const Window& window, const std::vector<SamplePart>& parts,
                                  std::uint32_t first_interface, bool all);
  Result<void> DeliverPacket(const SamplePart& part, const TestedPacket& tested,
                             std::uint32_t interface_id, bool last_of_damaged);
  Coverage CoverageOf(const std::string& asked) const;

  const CaptureContext& context_;
  const filter::Plan& plan_;
  Outcome& outcome_;
  /// The records at the end of the last window, for the next one's start.
  std::unique_ptr<filter::DuplicateFilter> seam_ = std::make_unique<filter::DuplicateFilter>();
  std::vector<DeliveredPart> delivered_;  ///< by interface number
};

}  // namespace cloudflaredump::capture
