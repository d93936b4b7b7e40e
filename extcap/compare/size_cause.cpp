// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <map>

#include "common/text.h"
#include "extcap/compare/causes.h"

namespace cloudflaredump::compare {
namespace {

/// The missing packets that are larger than what arrives.
struct TooLarge {
  bool v4 = false, v6 = false;
  bool do_not_fragment = false, may_fragment = false;
  bool goes_on = false;  ///< a flow sends them for a second and more
};

TooLarge LookAtThoseFrom(std::uint32_t size, const Losses& losses) {
  TooLarge found;
  struct Sent {
    std::uint32_t packets = 0;
    std::int64_t first = 0;
  };
  std::map<std::uint32_t, Sent> flows;
  for (const std::uint32_t i : losses.packets()) {
    const CloudPacket& packet = losses.At(i);
    if (packet.size < size || !losses.IsMissing(i)) continue;
    (losses.comparison().cloud.addresses()[packet.source].version == 4 ? found.v4 : found.v6) =
        true;
    (packet.do_not_fragment ? found.do_not_fragment : found.may_fragment) = true;
    Sent& sent = flows[packet.flow];
    if (sent.packets++ == 0) sent.first = packet.time;
    found.goes_on |= sent.packets >= 3 && packet.time - sent.first >= 1'000'000'000;
  }
  return found;
}

/// The TCP MSS for packets of at most `size` bytes.
std::string MssText(std::uint32_t size, const TooLarge& missing) {
  std::string mss;
  if (missing.v4) mss = std::to_string(size - std::min(size, 40U));
  if (missing.v6) {
    mss += (mss.empty() ? "" : ", for IPv6 ") + std::to_string(size - std::min(size, 60U));
  }
  return " A TCP MSS of " + mss + " or less would fit.";
}

/// Whether the limit is that of the GRE tunnel in which the first such file has its packets.
std::string TunnelText(const Comparison& comparison, std::uint32_t arrives,
                       std::uint32_t missing_from) {
  for (const LocalResult& local : comparison.locals) {
    const std::uint32_t overhead = local.side.gre_overhead;
    if (!local.side.saw_gre || overhead == 0) continue;
    const std::uint32_t fits = 1500 - std::min(1500U, overhead);
    if (fits < arrives || fits >= missing_from) break;
    return Format(" This fits the GRE tunnel in %s: 1,500 less its %u bytes is %s.",
                  CleanLine(local.side.file.name, 60).c_str(), overhead,
                  WithThousands(fits).c_str());
  }
  return "";
}

const char* DiscoveryText(const TooLarge& missing) {
  if (missing.goes_on) return " Connections go on sending that size: a black hole.";
  if (!missing.do_not_fragment) return "";
  return missing.may_fragment
             ? " Some of them must not be fragmented, where path MTU discovery may be at work."
             : " They must not be fragmented: path MTU discovery may be at work.";
}

std::string SizeText(const Losses& losses, const Counts& above, std::uint32_t arrives,
                     std::uint32_t missing_from) {
  const TooLarge missing = LookAtThoseFrom(missing_from, losses);
  return Format(
             "Packets of %s bytes and more are missing (%s, %s of the smaller ones); the largest "
             "that arrived has %s bytes: a limit between %s and %s.",
             WithThousands(missing_from).c_str(), above.Text().c_str(),
             losses.all().Without(above).RateText().c_str(), WithThousands(arrives).c_str(),
             WithThousands(arrives).c_str(), WithThousands(missing_from).c_str()) +
         MssText(arrives, missing) + TunnelText(losses.comparison(), arrives, missing_from) +
         DiscoveryText(missing);
}

/// The packets of each size.
std::map<std::uint32_t, Counts> CountSizes(const Losses& losses) {
  std::vector<Counts> small(65536);  // faster than the map, which takes the odd rest
  std::map<std::uint32_t, Counts> sizes;
  for (const std::uint32_t i : losses.packets()) {
    const std::uint32_t size = losses.At(i).size;
    (size < small.size() ? small[size] : sizes[size]).Add(losses.IsMissing(i));
  }
  for (std::uint32_t size = 0; size < small.size(); ++size) {
    if (small[size].all > 0) sizes[size] = small[size];
  }
  return sizes;
}

}  // namespace

std::optional<Cause> SizeCause(const Losses& losses) {
  if (!losses.HasBoth()) return std::nullopt;
  const std::map<std::uint32_t, Counts> sizes = CountSizes(losses);
  // Looks from the largest size down for the split that explains most.
  const auto looks = static_cast<double>(sizes.size());
  Counts above;
  Counts best;
  double best_gain = 0;
  std::uint32_t smallest_above = 0;
  for (auto at = sizes.rbegin(); at != sizes.rend(); ++at) {
    above += at->second;
    const double gain = Gain(losses.all(), above);
    if (gain > best_gain && above.Rate() >= 0.9 && losses.IsSignificant(above, looks)) {
      best = above;
      best_gain = gain;
      smallest_above = at->first;
    }
  }
  if (best.missing == 0) return std::nullopt;
  std::uint32_t arrives = 0;
  std::uint32_t missing_from = smallest_above;
  for (const auto& [size, counts] : sizes) {
    if (size < smallest_above && counts.missing < counts.all) arrives = size;
  }
  for (const auto& [size, counts] : sizes) {
    if (size >= smallest_above && counts.missing > 0) {
      missing_from = size;
      break;
    }
  }
  if (arrives == 0) return std::nullopt;
  Cause cause{.gain = best_gain, .rank = 5};
  cause.finding = {.kind = "size",
                   .text = SizeText(losses, best, arrives, missing_from),
                   .threshold = arrives,
                   .lost = best.missing,
                   .of = best.all};
  cause.holds = [&packets = losses.comparison().cloud.packets(), smallest_above](std::uint32_t i) {
    return packets[i].size >= smallest_above;
  };
  return cause;
}

}  // namespace cloudflaredump::compare
