// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/plan.h"

#include <pcap/pcap.h>

#include <algorithm>
#include <map>
#include <span>

#include "extcap/filter/cover.h"
#include "extcap/filter/exact.h"
#include "extcap/filter/link_layer.h"
#include "extcap/filter/path_box.h"
#include "extcap/filter/walk.h"

namespace cloudflaredump::filter {
namespace {

constexpr std::size_t kMostNarrower = 16;

/// The boxes of a filter, with what the paths behind each are like together.
using BoxTraits = std::map<Box, PathTraits>;

/// The boxes of all packets of `family`, with the facts `start`, that `program` may accept.
void CollectFamily(std::span<const bpf_insn> program, IpFamily family, const Facts& start,
                   const PathBoxOptions& options, BoxTraits& boxes) {
  if (HasLoops(program)) {
    boxes[{}].ipv6 |= family == IpFamily::kIpv6;
    return;
  }
  // Paths met before the budget ran out are in what all paths have in common.
  BoxTraits found;
  const auto take = [&](const Facts& facts) {
    for (const PathBox& path : BoxesOf(facts, family, options)) found[path.box] |= path.traits;
    return true;
  };
  if (Walk(program, start, {}, {.accepts = take, .rejects = {}}) == WalkEnd::kOverBudget) {
    found.clear();
    if (const auto joined = JoinPaths(program, start)) take(*joined);
  }
  for (const auto& [box, traits] : found) boxes[box] |= traits;
}

PathBoxOptions PathOptions(const PlanOptions& options) {
  return {.pin_ipv6 = options.pin_ipv6,
          .handful = static_cast<std::size_t>(std::max(1, options.max_requests))};
}

BoxTraits CollectBoxes(std::span<const bpf_insn> program, const PlanOptions& options) {
  BoxTraits boxes;
  for (const IpFamily family : {IpFamily::kIpv4, IpFamily::kIpv6}) {
    CollectFamily(program, family, FamilyFacts(family), PathOptions(options), boxes);
  }
  return boxes;
}

std::vector<Box> BoxesOnly(const BoxTraits& boxes) {
  std::vector<Box> list;
  for (const auto& [box, traits] : boxes) list.push_back(box);
  return list;
}

/// What the packets for which a request is made were like.
PathTraits CoveredBy(const Box& request, const BoxTraits& boxes) {
  PathTraits all;
  for (const auto& [box, traits] : boxes) {
    if (IsInside(box, request)) all |= traits;
  }
  return all;
}

bool IsBroad(const Box& request, const PathTraits& covered) {
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
  bool (*holds)(const Box& request, const PathTraits& covered);
};

/// Cloudflare documents the names of the fields and one IPv4 TCP example.
constexpr Reliance kReliances[] = {
    {"IPv6 addresses",
     [](const Box& request, const PathTraits&) { return HasIpv6Address(request); }},
    {"the protocol of IPv6 packets",
     [](const Box& request, const PathTraits& covered) {
       return request.protocol && covered.ipv6;
     }},
    {"the ports of IPv6 packets",
     [](const Box& request, const PathTraits& covered) {
       return PinsPort(request) && covered.ipv6;
     }},
    {"ports without a protocol",
     [](const Box& request, const PathTraits&) { return PinsPort(request) && !request.protocol; }},
    {"the ports of SCTP packets",
     [](const Box& request, const PathTraits&) {
       return PinsPort(request) && request.protocol.value_or(kProtocolSctp) == kProtocolSctp;
     }},
};

void DescribeRequests(const BoxTraits& boxes, Plan& plan) {
  std::vector<PathTraits> covered;
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

/// What is sent to Cloudflare says nothing of link-layer headers, nor of what stands behind them:
/// which IP header it means then is not documented.
Plan PlanLinkLayer(const bpf_program* ethernet, const PlanOptions& options) {
  Plan plan = PlanEverything(false);
  plan.link_layer = true;
  if (ethernet == nullptr) return plan;
  BoxTraits boxes;
  for (const BehindLinkLayer& behind :
       FindIpBehindEthernet({ethernet->bf_insns, ethernet->bf_len})) {
    CollectFamily(behind.program, behind.family, behind.start, PathOptions(options), boxes);
  }
  plan.broad = CoveredBy({}, boxes).names_endpoint;
  plan.narrower = Narrower(Simplify(BoxesOnly(boxes)));
  return plan;
}

}  // namespace

Error BroadPlanError(const Plan& plan) {
  const std::string asked = BoxAsFilter(plan.requests.front());
  Error error{.what = "Cloudflare's own filter can express " +
                      (asked.empty() ? "nothing" : "only \"" + asked + "\"") +
                      " of this filter, so other traffic would use up the packet limit",
              .kind = Error::Kind::kUsage};
  if (plan.link_layer) {
    error.remedy = "leave out vlan and other link-layer words, VLAN tags are skipped; ";
  }
  std::string narrower;
  for (const Box& box : plan.narrower) {
    narrower += (narrower.empty() ? "narrower filters that work: " : ", or ") + BoxAsFilter(box);
  }
  if (!narrower.empty()) error.remedy += narrower + "; ";
  error.remedy += "set the option if-broad to warn to run it anyway";
  return error;
}

Plan MakePlan(const CaptureFilter& filter, const PlanOptions& options) {
  if (filter.kind() == CaptureFilter::Kind::kLinkLayer) {
    return PlanLinkLayer(filter.ethernet_program(), options);
  }
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
