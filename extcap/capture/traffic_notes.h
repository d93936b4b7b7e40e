// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "extcap/api/analytics.h"
#include "extcap/capture/capture_context.h"
#include "extcap/capture/outcome.h"
#include "extcap/capture/window.h"
#include "extcap/filter/capture_filter.h"

namespace cloudflaredump::capture {

// What Cloudflare's analytics add to other answers. Each asks at most one request; where they
// cannot be read, or not in the time that `patience` gives, nothing is said.

/// Whether the analytics are asked after a capture: if it delivered nothing, and not because its
/// files were lost.
bool DeservesTrafficNote(const Outcome& outcome);

/// What the analytics know of the filter's traffic in `window`, or in the hour before its end if
/// they have no samples of it: a clause such as "this traffic entered at FRA (92%) and AMS (8%),
/// none at ORD". `colo` is where the capture looked; empty for all data centers.
std::optional<std::string> TrafficNote(api::AnalyticsApi& analytics,
                                       const filter::CaptureFilter& filter, const Window& window,
                                       const std::string& colo, const api::Patience& patience);

/// What Cloudflare dropped of some traffic, estimated from samples.
struct DroppedTraffic {
  double dropped = 0, all = 0;  ///< packets
  std::string systems;          ///< "dosd and flowtrackd"; empty if nothing was dropped
  std::string counted;          ///< what traffic: "this traffic"
  bool exact = false;           ///< just the filter's
  std::string samples;          ///< "1,234 samples"
};

/// What the analytics know of drops of the filter's traffic in `window`, at the data center `colo`
/// or, if that is empty, anywhere. Nothing if they have no samples of it.
std::optional<DroppedTraffic> DroppedAtCloudflare(api::AnalyticsApi& analytics,
                                                  const filter::CaptureFilter& filter,
                                                  const Window& window, const std::string& colo,
                                                  const api::Patience& patience);

/// For a filter that was refused as broad: the busiest addresses of the prefixes in it in the last
/// hour, as filters that work: "dst host 203.0.113.7 (61%), dst host 203.0.113.9 (20%)". Empty if
/// it names no prefix. `ipv6_sent` is the setting filter-ipv6, without which IPv6 addresses do not
/// narrow a capture.
std::string BusiestAddresses(api::AnalyticsApi& analytics, const filter::CaptureFilter& filter,
                             WallTime now, bool ipv6_sent, const api::Patience& patience);

/// The same for a capture that is refused, waiting at most five seconds.
std::string BusiestAddresses(const CaptureContext& context);

/// Puts a TrafficNote at the end of the verdict of a capture that deserves one. Waits at most three
/// seconds; of an earlier capture, whose window nobody knows here, nothing is said.
void AddTrafficNote(const CaptureContext& context, Outcome& outcome);

/// A data center as a list offers it.
struct ColoChoice {
  std::string colo;     ///< "ORD"
  std::string display;  ///< "ORD (Chicago): 61% in the last hour"
};

/// The data centers that the filter's traffic entered at in the last hour, busiest first. Of a
/// filter that the analytics can be told only in part, each display says what was counted.
std::vector<ColoChoice> BusiestColos(api::AnalyticsApi& analytics,
                                     const filter::CaptureFilter& filter, WallTime now,
                                     const api::Patience& patience);

}  // namespace cloudflaredump::capture
