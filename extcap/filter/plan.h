// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/filter/box.h"
#include "extcap/filter/capture_filter.h"

namespace cloudflaredump::filter {

/// What the user lets a plan use.
struct PlanOptions {
  int max_requests = 2;   ///< 1 to 4.
  bool pin_ipv6 = false;  ///< --filter-ipv6 on.
};

/// The requests that together cover every packet the filter accepts.
struct Plan {
  std::vector<Box> requests;  ///< At least one; destination-pinned boxes first.
  /// The boxes hold the same IPv4 and IPv6 packets as the filter accepts: no residual is needed.
  bool exact = false;
  /// The filter names an address or a port, but the request for packets with it pins neither.
  bool broad = false;
  /// The filter is about link-layer headers (vlan, mpls, ether host), of which a request can say
  /// nothing: there is one request, for everything.
  bool link_layer = false;
  /// Turning pin_ipv6 on would pin more: an IPv6 address is named.
  bool ipv6_would_narrow = false;
  /// What the plan relies on that Cloudflare does not document, each a short phrase.
  std::vector<std::string> undocumented;
  /// The boxes before merging that pin an address or a port (at most 16), as the sentence for a
  /// refused broad plan offers them: each is the plan of a narrower filter. None for a net, say.
  std::vector<Box> narrower;
};

/// Why a full capture refuses a broad plan, with the filters that would work as the remedy.
Error BroadPlanError(const Plan& plan);

/// Plans a filter. Never fails: what is not understood is not pinned.
Plan MakePlan(const CaptureFilter& filter, const PlanOptions& options);

}  // namespace cloudflaredump::filter
