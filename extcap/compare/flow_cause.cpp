// SPDX-License-Identifier: GPL-2.0-or-later
#include <cmath>
#include <memory>

#include "common/text.h"
#include "extcap/compare/causes.h"

namespace cloudflaredump::compare {
namespace {

/// Flows and their packets. Of a flow of one packet nobody can tell whether the flow is missing.
struct FlowCounts {
  std::uint64_t flows = 0, missing = 0;                  ///< missing: entirely
  std::uint64_t long_flows = 0, missing_long_flows = 0;  ///< of two packets and more
  Counts of_missing{};                                   ///< packets of missing flows
  Counts of_long{}, of_missing_long{};
  double expected = 0;  ///< long flows that would be missing by chance
};

FlowCounts CountFlows(const std::vector<Counts>& flows, double rate) {
  FlowCounts found;
  for (const Counts& flow : flows) {
    if (flow.all == 0) continue;
    const bool missing = flow.missing == flow.all;
    ++found.flows;
    if (missing) {
      ++found.missing;
      found.of_missing += flow;
    }
    if (flow.all < 2) continue;
    ++found.long_flows;
    found.of_long += flow;
    found.expected += std::pow(rate, static_cast<double>(flow.all));
    if (!missing) continue;
    ++found.missing_long_flows;
    found.of_missing_long += flow;
  }
  return found;
}

/// The logarithm of the number of ways to choose.
double LogChoice(std::uint64_t all, std::uint64_t chosen) {
  const auto log_factorial = [](std::uint64_t n) {
    return std::lgamma(static_cast<double>(n) + 1);
  };
  return log_factorial(all) - log_factorial(chosen) - log_factorial(all - chosen);
}

std::string ArrivalsText(const Comparison& comparison) {
  std::string arrivals;
  std::size_t shown = 0;
  for (const LocalResult& local : comparison.locals) {
    for (const Endpoint& endpoint : local.side.endpoints) {
      if (endpoint.arrived == 0 || ++shown > 8) continue;
      arrivals += (arrivals.empty() ? "" : ", ") + endpoint.source.ToString() + " to " +
                  endpoint.destination.ToString() + ": " + WithThousands(endpoint.arrived);
    }
  }
  return arrivals.empty() ? "" : " Arrivals by tunnel: " + arrivals + ".";
}

}  // namespace

std::optional<Cause> FlowCause(const Losses& losses) {
  std::vector<Counts> flows(losses.comparison().cloud.flows());
  for (const std::uint32_t i : losses.packets()) flows[losses.At(i).flow].Add(losses.IsMissing(i));
  const FlowCounts found = CountFlows(flows, losses.all().Rate());
  if (found.missing_long_flows < 3) return std::nullopt;
  if (PoissonTail(found.expected, found.missing_long_flows) >= kSignificance) return std::nullopt;
  const Counts rest = found.of_long.Without(found.of_missing_long);
  if (rest.all == 0 || rest.Rate() > 0.5 * found.of_long.Rate()) return std::nullopt;
  const double gain = Gain(found.of_long, found.of_missing_long) -
                      LogChoice(found.long_flows, found.missing_long_flows);
  if (gain <= 0) return std::nullopt;
  Cause cause{.gain = gain, .rank = 30};
  cause.finding = {
      .kind = "flow",
      .text = Format("%s of %s flows are missing entirely, the others lack %s: fits equal-cost "
                     "tunnels with one router (or tunnel) not captured or not passing.",
                     WithThousands(found.missing).c_str(), WithThousands(found.flows).c_str(),
                     losses.all().Without(found.of_missing).RateText().c_str()) +
              ArrivalsText(losses.comparison()),
      .value = std::to_string(found.missing) + " of " + std::to_string(found.flows) + " flows",
      .lost = found.missing,
      .of = found.flows};
  auto missing = std::make_shared<std::vector<bool>>(flows.size());
  for (std::size_t i = 0; i < flows.size(); ++i) {
    (*missing)[i] = flows[i].all > 0 && flows[i].missing == flows[i].all;
  }
  cause.holds = [&packets = losses.comparison().cloud.packets(), missing](std::uint32_t i) {
    return (*missing)[packets[i].flow];
  };
  return cause;
}

}  // namespace cloudflaredump::compare
