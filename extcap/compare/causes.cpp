// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/causes.h"

#include <algorithm>

#include "common/text.h"

namespace cloudflaredump::compare {
namespace {

constexpr std::size_t kMostCauses = 4;
/// Causes whose explanations are this close are told by the order of their kinds.
constexpr double kTie = 0.97;

std::optional<Cause> Best(const Losses& losses, const ValueCauses& values) {
  if (!losses.HasBoth()) return std::nullopt;
  std::vector<Cause> causes = values.Find(losses);
  for (const auto find : {FragmentCause, SizeCause, TimeCause, FlowCause}) {
    if (auto cause = find(losses)) causes.push_back(*std::move(cause));
  }
  std::erase_if(causes, [](const Cause& cause) { return cause.gain <= 0; });
  if (causes.empty()) return std::nullopt;
  const double most = std::ranges::max(causes, {}, &Cause::gain).gain;
  std::erase_if(causes, [most](const Cause& cause) { return cause.gain < kTie * most; });
  return *std::ranges::min_element(causes, {}, &Cause::rank);
}

/// Within a cause that does not explain all by itself there may be a limit of size.
std::optional<Finding> LimitAmong(const Losses& inside, const Finding& finding) {
  if (finding.kind == "size" || finding.kind == "flow" || finding.lost == finding.of) {
    return std::nullopt;
  }
  auto limit = SizeCause(inside);
  if (!limit) return std::nullopt;
  limit->finding.text = "Among these: " + limit->finding.text;
  return limit->finding;
}

}  // namespace

std::optional<Cause> FragmentCause(const Losses& losses) {
  Counts some;
  for (const std::uint32_t i : losses.packets()) {
    if (losses.comparison().results[i].fragments) some.Add(losses.IsMissing(i));
  }
  if (!losses.IsSignificant(some, 1)) return std::nullopt;
  Cause cause{.gain = Gain(losses.all(), some), .rank = 1};
  cause.finding = {
      .kind = "fragment",
      .text = Format("Packets in fragments are missing, whole or in part: %s, %s of the others.",
                     some.Text().c_str(), losses.all().Without(some).RateText().c_str()),
      .value = "fragments",
      .lost = some.missing,
      .of = some.all};
  cause.holds = [&results = losses.comparison().results](std::uint32_t i) {
    return results[i].fragments;
  };
  return cause;
}

std::vector<Finding> FindCauses(const Comparison& comparison) {
  const ValueCauses values(comparison);
  std::vector<Finding> findings;
  Losses losses(comparison);
  while (findings.size() < kMostCauses) {
    const auto cause = Best(losses, values);
    if (!cause) break;
    findings.push_back(cause->finding);
    auto [inside, outside] = losses.Split(cause->holds);
    if (auto limit = LimitAmong(inside, cause->finding)) findings.push_back(*std::move(limit));
    losses = std::move(outside);
  }
  return findings;
}

}  // namespace cloudflaredump::compare
