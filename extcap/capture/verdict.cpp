// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/verdict.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/colos.h"
#include "common/redact.h"
#include "common/text.h"
#include "common/time.h"

namespace cloudflaredump::capture {
namespace {

std::string Moment(WallTime time) {
  return FormatRfc3339(std::chrono::floor<std::chrono::milliseconds>(time));
}

bool IsComplete(const Outcome& outcome) {
  return outcome.losses.empty() && !outcome.error;
}

/// A verdict is one line, and stands in each interface's statistics: of hundreds of losses it names
/// the first kinds.
constexpr std::size_t kMostLosses = 6;

/// "; loss" for each kind of loss, with how often it came.
std::string Losses(const std::vector<std::string>& losses) {
  std::vector<std::pair<std::string, std::size_t>> kinds;
  std::size_t more = 0;
  for (const std::string& loss : losses) {
    const auto known = std::ranges::find(kinds, loss, &std::pair<std::string, std::size_t>::first);
    if (known != kinds.end()) {
      ++known->second;
    } else if (kinds.size() < kMostLosses) {
      kinds.emplace_back(loss, 1);
    } else {
      ++more;
    }
  }
  std::string text;
  for (const auto& [loss, times] : kinds) {
    text += "; " + loss;
    if (times > 1) text += " (" + WithThousands(times) + " times)";
  }
  if (more > 0) text += "; and " + WithThousands(more) + " more such losses";
  return text;
}

}  // namespace

void Coverage::Include(std::uint64_t first, std::uint64_t last) {
  if (first == 0 && last == 0) return;
  if (first_nanoseconds == 0 || first < first_nanoseconds) first_nanoseconds = first;
  last_nanoseconds = std::max(last_nanoseconds, last);
}

std::string Verdict(const Outcome& outcome, const Coverage& coverage, bool filtered) {
  const PacketCounts& counts = outcome.counts;
  std::string text = outcome.reader_gone    ? "The reader left before the end: "
                     : outcome.stopped      ? "Stopped: "
                     : !IsComplete(outcome) ? "Incomplete: "
                     : outcome.limits_known ? "Complete: "
                                            : "Complete as far as can be told: ";
  text += coverage.asked + ", " + CountedPackets(counts.received) + " received";
  if (filtered) {
    const std::uint64_t matching =
        counts.delivered - counts.unmatched - counts.untested + counts.matching_duplicates;
    text += ", " + WithThousands(matching) +
            (matching == 1 ? " matches the filter" : " match the filter");
  }
  if (const std::uint64_t cut = counts.undecided - counts.untested; cut > 0) {
    text += " (" + WithThousands(cut) + " of them cut too short to be sure)";
  }
  if (counts.untested > 0) {
    text += ", " + WithThousands(counts.untested) +
            (counts.untested == 1 ? " could not be tested and was delivered all the same"
                                  : " could not be tested and were delivered all the same");
  }
  if (counts.unmatched > 0) {
    text += ", " + WithThousands(counts.unmatched) +
            (counts.unmatched == 1 ? " does not and was delivered all the same"
                                   : " do not and were delivered all the same");
  }
  if (counts.duplicates > 0) {
    text += ", " + Counted(counts.duplicates, "repeat") + " left out";
  }
  if (counts.received > 0) {
    const WallTime first{std::chrono::nanoseconds(coverage.first_nanoseconds)};
    const WallTime last{std::chrono::nanoseconds(coverage.last_nanoseconds)};
    text += ", from " + Moment(first) + " to " + Moment(last);
    if (const std::string local = LocalTimes(first, last); !local.empty()) {
      text += " (" + local + ")";
    }
  }
  text += Losses(outcome.losses);
  for (const std::string& note : outcome.notes) text += "; left out: " + note;
  if (outcome.out_of_order > 0) {
    text += "; " + CountedPackets(outcome.out_of_order) + " came out of order";
  }
  if (counts.received > 0 && counts.delivered == 0) {
    text += "; turn the option local-filter off to see what came";
  }
  return Redact(text) + LikelyCauses(outcome, coverage.sampled) + ".";
}

/// Sources: Cloudflare's packet-capture pages (sampling, drops by earlier systems), Magic Transit's
/// direct server return.
std::string LikelyCauses(const Outcome& outcome, bool sampled) {
  // Causes are guessed only where everything was read.
  if (outcome.counts.received > 0 || !IsComplete(outcome) || outcome.stopped) return "";
  const bool unknown = !sampled && !outcome.colo.empty() && FindColo(outcome.colo) == nullptr;
  return std::string("; likely causes: ") +
         (unknown ? "a mistyped data center (this version does not know " +
                        CleanLine(outcome.colo, 20) + "), "
                  : "") +
         (sampled ? "no such traffic in the window, traffic too rare for the sampling"
                  : "no such traffic at this data center while it ran") +
         ", packets dropped earlier by DDoS or firewall rules, outbound traffic that Magic Transit "
         "does not see, traffic that Unified Routing sends by Automatic Return Routing or BGP over "
         "tunnels, or traffic still encapsulated (GRE, IPsec)";
}

}  // namespace cloudflaredump::capture
