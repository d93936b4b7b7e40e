// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/plan.h"

#include <pcap/pcap.h>

#include <algorithm>
#include <map>
#include <span>

#include "extcap/filter/cover.h"
#include "extcap/filter/exact.h"
#include "extcap/filter/path_box.h"
#include "extcap/filter/walk.h"

namespace cloudflaredump::filter {
namespace {

constexpr std::size_t kMostNarrower = 16;

/// What the paths behind one box were like, all together.
struct Traits {
  bool ipv6 = false;
  bool names_endpoint = false;
  bool names_ipv6_address = false;
};

using BoxTraits = std::map<Box, Traits>;

void Remember(BoxTraits& boxes, const PathBox& path) {
  Traits& traits = boxes[path.box];
  traits.ipv6 |= path.family == IpFamily::kIpv6;
  traits.names_endpoint |= path.names_endpoint;
  traits.names_ipv6_address |= path.names_ipv6_address;
}

/// The boxes of all packets of `family` that `program` may accept.
void CollectFamily(std::span<const bpf_insn> program, IpFamily family,
                   const PathBoxOptions& options, BoxTraits& boxes) {
  const Facts start = FamilyFacts(family);
  if (HasLoops(program)) {
    Remember(boxes, {.box = {}, .family = family});
    return;
  }
  // Paths met before the budget ran out are in what all paths have in common.
  BoxTraits found;
  const auto take = [&](const Facts& facts) {
    for (const PathBox& path : BoxesOf(facts, family, options)) Remember(found, path);
    return true;
  };
  if (Walk(program, start, {}, {.accepts = take, .rejects = {}}) == WalkEnd::kOverBudget) {
    found.clear();
    if (const auto joined = JoinPaths(program, start)) take(*joined);
  }
  for (const auto& [box, traits] : found) {
    Remember(boxes, {box, family, traits.names_endpoint, traits.names_ipv6_address});
  }
}

BoxTraits CollectBoxes(std::span<const bpf_insn> program, const PlanOptions& options) {
  const PathBoxOptions path_options{
      .pin_ipv6 = options.pin_ipv6,
      .handful = static_cast<std::size_t>(std::max(1, options.max_requests))};
  BoxTraits boxes;
  CollectFamily(program, IpFamily::kIpv4, path_options, boxes);
  CollectFamily(program, IpFamily::kIpv6, path_options, boxes);
  return boxes;
}

std::vector<Box> BoxesOnly(const BoxTraits& boxes) {
  std::vector<Box> list;
  for (const auto& [box, traits] : boxes) list.push_back(box);
  return list;
}

/// What the packets for which a request is made were like.
Traits CoveredBy(const Box& request, const BoxTraits& boxes) {
  Traits all;
  for (const auto& [box, traits] : boxes) {
    if (!IsInside(box, request)) continue;
    all.ipv6 |= traits.ipv6;
    all.names_endpoint |= traits.names_endpoint;
    all.names_ipv6_address |= traits.names_ipv6_address;
  }
  return all;
}

bool IsBroad(const Box& request, const Traits& covered) {
  return covered.names_endpoint && !PinsAddress(request) && !PinsPort(request);
}

bool HasIpv6Address(const Box& box) {
  const auto is_version6 = [](const std::optional<IpAddress>& address) {
    return address && address->version == 6;
  };
  return is_version6(box.source_address) || is_version6(box.destination_address);
}

struct Reliance {
  const char* phrase;
  bool (*holds)(const Box& request, const Traits& covered);
};

/// Cloudflare documents the names of the fields and one IPv4 TCP example.
constexpr Reliance kReliances[] = {
    {"IPv6 addresses", [](const Box& request, const Traits&) { return HasIpv6Address(request); }},
    {"the protocol of IPv6 packets",
     [](const Box& request, const Traits& covered) { return request.protocol && covered.ipv6; }},
    {"the ports of IPv6 packets",
     [](const Box& request, const Traits& covered) { return PinsPort(request) && covered.ipv6; }},
    {"ports without a protocol",
     [](const Box& request, const Traits&) { return PinsPort(request) && !request.protocol; }},
    {"the ports of SCTP packets",
     [](const Box& request, const Traits&) {
       return PinsPort(request) && request.protocol.value_or(kProtocolSctp) == kProtocolSctp;
     }},
};

void DescribeRequests(const BoxTraits& boxes, Plan& plan) {
  std::vector<Traits> covered;
  covered.reserve(plan.requests.size());
  for (const Box& request : plan.requests) covered.push_back(CoveredBy(request, boxes));
  for (std::size_t i = 0; i < covered.size(); ++i) {
    plan.broad |= IsBroad(plan.requests[i], covered[i]);
    plan.ipv6_would_narrow |= covered[i].names_ipv6_address;
  }
  for (const Reliance& reliance : kReliances) {
    for (std::size_t i = 0; i < covered.size(); ++i) {
      if (!reliance.holds(plan.requests[i], covered[i])) continue;
      plan.undocumented.emplace_back(reliance.phrase);
      break;
    }
  }
}

std::vector<Box> Narrower(const std::vector<Box>& boxes) {
  std::vector<Box> narrower;
  for (const Box& box : boxes) {
    if (narrower.size() < kMostNarrower && (PinsAddress(box) || PinsPort(box))) {
      narrower.push_back(box);
    }
  }
  return narrower;
}

Plan PlanEverything(bool exact) {
  Plan plan;
  plan.requests.emplace_back();
  plan.exact = exact;
  return plan;
}

}  // namespace

Plan MakePlan(const CaptureFilter& filter, const PlanOptions& options) {
  if (filter.program() == nullptr) {
    return PlanEverything(filter.kind() == CaptureFilter::Kind::kAll);
  }
  const std::span<const bpf_insn> program(filter.program()->bf_insns, filter.program()->bf_len);
  const BoxTraits boxes = CollectBoxes(program, options);
  // A filter that only packets of neither IP version can pass: there is no request for nothing.
  if (boxes.empty()) return PlanEverything(false);
  Plan plan;
  const std::vector<Box> before = Simplify(BoxesOnly(boxes));
  plan.requests = Cover(before, static_cast<std::size_t>(std::clamp(options.max_requests, 1, 4)));
  plan.narrower = Narrower(before);
  plan.exact = !HasLoops(program) && std::ranges::all_of(plan.requests, [&](const Box& request) {
    return AcceptsAllOf(program, request);
  });
  DescribeRequests(boxes, plan);
  return plan;
}

}  // namespace cloudflaredump::filter
