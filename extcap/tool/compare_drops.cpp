// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/tool/compare_drops.h"

#include <cmath>

#include "common/text.h"
#include "extcap/capture/engine.h"
#include "extcap/capture/running_captures.h"
#include "extcap/capture/traffic_notes.h"
#include "extcap/capture/traffic_table.h"

namespace cloudflaredump::tool {
namespace {

constexpr std::chrono::seconds kWait{3};  // of real time

WallTime TimeOf(std::int64_t nanoseconds) {
  return WallTime(std::chrono::nanoseconds(nanoseconds));
}

/// The address that all missing packets went to; empty if there is none.
std::string WhereAllWent(const compare::Comparison& comparison) {
  for (const compare::Finding& finding : comparison.findings) {
    const bool address = finding.value.find('/') == std::string::npos;
    if (finding.kind == "destination" && address && finding.lost == comparison.missing) {
      return finding.value;
    }
  }
  return {};
}

/// The filter of the comparison, or else the one of Cloudflare's capture, with the destination `to`
/// if there is one: drops of other traffic explain nothing.
std::optional<filter::CaptureFilter> FilterOf(const compare::Comparison& comparison,
                                              const filter::CaptureFilter& filter,
                                              const std::string& to) {
  std::string text = filter.text();
  if (text.empty() && !comparison.cloud.descriptions().empty()) {
    text = comparison.cloud.descriptions().front().capture_filter.value_or("");
  }
  if (!to.empty()) text = (text.empty() ? "" : "(" + text + ") and ") + ("dst host " + to);
  auto compiled = filter::CaptureFilter::Compile(text, filter::NameLookup::kRefuse);
  return compiled ? std::optional(*std::move(compiled)) : std::nullopt;
}

}  // namespace

void AddDropsAtCloudflare(compare::Comparison& comparison, const filter::CaptureFilter& filter,
                          const config::Settings& settings) {
  if (comparison.missing == 0) return;
  const auto access = capture::FindAccess(settings);
  const std::string to = WhereAllWent(comparison);
  const auto asked = FilterOf(comparison, filter, to);
  if (!access || !asked) return;
  auto engine = capture::Engine::Make(settings, system::ProcessEnvironment);
  if (!engine) return;
  system::EventLoop& loop = (*engine)->loop();
  api::AnalyticsApi analytics((*engine)->http(), loop, *access);
  const capture::Bounded bounded(loop, loop.FromReal(kWait));
  const auto& descriptions = comparison.cloud.descriptions();
  const std::string colo = descriptions.empty() ? "" : descriptions.front().colo.value_or("");
  const auto drops = capture::DroppedAtCloudflare(
      analytics, *asked, {TimeOf(comparison.cloud.first()), TimeOf(comparison.cloud.last())}, colo,
      bounded.patience());
  (*engine)->stop().HandBack();
  if (!drops) return;
  const std::string traffic =
      (!to.empty() && drops->exact ? "this traffic to " + to : drops->counted) +
      (colo.empty() ? "" : " at " + colo);
  comparison.findings.push_back(
      {.kind = "dropped_at_cloudflare",
       .text =
           drops->dropped > 0
               ? Format("Cloudflare itself dropped %s of %s (%s), by its analytics (about, from "
                        "%s). Whether captures have such packets is not published: some of the "
                        "missing may be among them.",
                        capture::Percent(drops->dropped / drops->all).c_str(), traffic.c_str(),
                        drops->systems.c_str(), drops->samples.c_str())
               : Format("Cloudflare itself dropped none of %s, by its analytics (from %s).",
                        traffic.c_str(), drops->samples.c_str()),
       .value = drops->systems,
       .of_missing = false,
       .lost = static_cast<std::uint64_t>(std::llround(drops->dropped)),
       .of = static_cast<std::uint64_t>(std::llround(drops->all))});
}

}  // namespace cloudflaredump::tool
