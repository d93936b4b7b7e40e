// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/verdict_text.h"

#include <algorithm>
#include <cmath>

#include "common/text.h"
#include "common/time.h"
#include "extcap/compare/clock_settings.h"

namespace cloudflaredump::compare {
namespace {

constexpr std::size_t kMostTableRows = 12;

std::string Milliseconds(std::int64_t nanoseconds) {
  return Format("%.1f ms", static_cast<double>(nanoseconds) / 1e6);
}

std::string FileName(const LocalSide& side) {
  return CleanLine(side.file.name, 100);
}

void AppendTable(std::string& text, const char* title, const std::vector<TableRow>& rows) {
  if (rows.size() < 2) return;
  std::size_t width = std::char_traits<char>::length(title);
  for (const TableRow& row : rows) width = std::max(width, row.name.size());
  text += Format("\n%-*s  %10s  %10s  %7s\n", static_cast<int>(width), title, "compared", "missing",
                 "share");
  std::size_t shown = 0;
  for (const TableRow& row : rows) {
    if (++shown > kMostTableRows) break;
    const double share = static_cast<double>(row.missing) /
                         static_cast<double>(std::max<std::uint64_t>(row.compared, 1));
    text += Format("%-*s  %10s  %10s  %7s\n", static_cast<int>(width), row.name.c_str(),
                   WithThousands(row.compared).c_str(), WithThousands(row.missing).c_str(),
                   PercentWords(share).c_str());
  }
  if (rows.size() > kMostTableRows) {
    text +=
        Format("(%s more; all with --json)\n", WithThousands(rows.size() - kMostTableRows).c_str());
  }
}

/// Missing packets whose source is an address that packets arrived at.
std::uint64_t MissingFromArrivals(const Comparison& c) {
  std::vector<bool> behind(c.cloud.addresses().size(), false);
  for (std::size_t i = 0; i < c.results.size(); ++i) {
    if (HasArrived(c.results[i].fate)) behind[c.cloud.packets()[i].destination] = true;
  }
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < c.results.size(); ++i) {
    if (c.results[i].fate == Fate::kMissing && behind[c.cloud.packets()[i].source]) ++count;
  }
  return count;
}

std::string LocalRemark(const LocalResult& local) {
  const LocalSide& side = local.side;
  std::string text = FileName(side) + ": " + CountedPackets(side.records);
  if (side.has_times) {
    text += ", " + FormatRfc3339(WallTime(Duration(side.first))) + " to " +
            FormatRfc3339(WallTime(Duration(side.last)));
  }
  return text + "; " + ClockWords(local) + ".";
}

}  // namespace

std::string PercentWords(double share) {
  const double percent = 100 * share;
  if (percent == 0) return "0%";
  if (percent < 0.095) return Format("%.2g%%", percent);
  if (percent < 9.995) return Format("%.2f%%", percent);
  return Format(percent < 99.95 || percent == 100 ? "%.1f%%" : "%.3f%%", percent);
}

std::string TimeTitle(const Comparison& c) {
  if (c.seconds_per_row == 1) return "Second";
  return "Time (" + FormatSpan(std::chrono::seconds(c.seconds_per_row)) + " each)";
}

std::string ClockWords(const LocalResult& local) {
  const Clock& clock = local.clock;
  if (clock.pairs == 0) return "how its clock differs is not known";
  const double offset = static_cast<double>(clock.offset) / 1e9;
  const double size = std::abs(offset);
  std::string words = "its clock is ";
  if (size < 0.0005) {
    words = "its clock agrees";
  } else {
    const double hours = std::round(size / 3600);
    const double rest = size - 3600 * hours;
    if (hours >= 1 && std::abs(rest) < 60) {
      words += Format("%.0f h %s%.3f s", hours, rest < 0 ? "less " : "and ", std::abs(rest));
    } else {
      words += Format("%.3f s", size);
    }
    words += offset > 0 ? " ahead" : " behind";
  }
  words += " (the packets' journey included)";
  const bool was_set = !local.side.settings.empty();
  if (was_set) words += " at first";
  if (clock.drift != 0) words += Format(", drifting by %.1f ppm", clock.drift * 1e6);
  if (was_set) words += ", and seems to have been " + SettingsOfClock(local.side.settings);
  return words;
}

std::string Headline(const Comparison& c) {
  if (!c.not_comparable.empty()) return "Nothing can be compared: " + c.not_comparable + ".";
  if (c.compared == 0) {
    return "Nothing can be compared: no packet of Cloudflare's lies within the local capture's "
           "time.";
  }
  if (c.missing == 0) {
    return Format(
        "All %s packets that could be compared arrived; a loss of up to %s is possible "
        "(95%%).",
        WithThousands(c.compared).c_str(), PercentWords(c.loss.high).c_str());
  }
  return Format(
      "%s of %s packets that Cloudflare saw were not seen at your routers: %s (95%% "
      "interval %s to %s).",
      WithThousands(c.missing).c_str(), WithThousands(c.compared).c_str(),
      PercentWords(c.loss_percent / 100).c_str(), PercentWords(c.loss.low).c_str(),
      PercentWords(c.loss.high).c_str());
}

std::vector<std::string> Remarks(const Comparison& c) {
  std::vector<std::string> remarks;
  const auto add = [&remarks](std::uint64_t count, const char* one, const char* several) {
    if (count > 0) remarks.push_back(CountedPackets(count) + " " + (count == 1 ? one : several));
  };
  if (c.missing > 0) {
    remarks.emplace_back(
        "Not seen is not proof of a loss on the way: Cloudflare may have dropped packets behind "
        "its "
        "point of capture (DDoS protection, TCP protection, firewall).");
  }
  if (c.missing > 0 && c.arrived > 0 && std::ranges::none_of(c.findings, &Finding::of_missing)) {
    remarks.emplace_back("What is missing has nothing in common that chance does not explain.");
  }
  if (const std::uint64_t outbound = MissingFromArrivals(c)) {
    remarks.push_back(Format(
        "%s of the missing come from addresses to which others arrive: if these are our own, they "
        "left through Cloudflare. Name our prefixes with --ours, or compare only what comes in "
        "with -f.",
        CountedPackets(outbound).c_str()));
  }
  if (c.cloud.sample_by_length()) {
    remarks.emplace_back(
        "Cloudflare's file is taken for a sample: its longer packets are cut at 160 bytes.");
  }
  if (!Trim(c.filter).empty()) {
    remarks.push_back("Only packets that match \"" + CleanLine(c.filter, 200) +
                      "\" were compared.");
  }
  for (const LocalResult& local : c.locals) {
    remarks.push_back(LocalRemark(local));
    if (local.side.dropped.value_or(0) > 0) {
      remarks.push_back(
          Format("The capture of %s itself dropped %s: some of the missing may be those.",
                 FileName(local.side).c_str(), CountedPackets(*local.side.dropped).c_str()));
    }
    if (!local.side.damage.empty()) {
      remarks.push_back(FileName(local.side) + ": " + local.side.damage + ".");
    }
    if (local.side.too_short > 0) {
      remarks.push_back(Format("%s of %s %s cut before the inner headers end, and not compared.",
                               CountedPackets(local.side.too_short).c_str(),
                               FileName(local.side).c_str(),
                               local.side.too_short == 1 ? "was" : "were"));
    }
    for (const LocalPoint& point : local.side.points) {
      if (local.side.points.size() < 2 || point.matched == 0) continue;
      remarks.push_back(Format(
          "%s of Cloudflare's %s seen on %s of %s.", CountedPackets(point.matched).c_str(),
          point.matched == 1 ? "was" : "were", point.name.c_str(), FileName(local.side).c_str()));
    }
  }
  if (!c.cloud.damage().empty()) remarks.push_back("Cloudflare's file: " + c.cloud.damage() + ".");
  // Where nothing can be compared, the headline says why, and time need not be the reason.
  if (c.not_comparable.empty())
    add(c.not_covered, "was not covered by the local capture's time, and not compared.",
        "were not covered by the local capture's time, and not compared.");
  add(c.egress, "came from our own addresses (egress), and was not compared.",
      "came from our own addresses (egress), and were not compared.");
  add(c.translated, "looks translated, and was not compared.",
      "look translated, and were not compared.");
  add(c.cloud.filtered_out, "of Cloudflare's did not match the filter.",
      "of Cloudflare's did not match the filter.");
  add(c.cloud.too_short, "of Cloudflare's was cut before the inner headers end, and not compared.",
      "of Cloudflare's were cut before the inner headers end, and not compared.");
  add(c.cloud.without_time, "of Cloudflare's has no time, and was not compared.",
      "of Cloudflare's have no time, and were not compared.");
  add(c.in_fragments, "travelled in fragments.", "travelled in fragments.");
  add(c.merged, "arrived merged into a longer record (receive offload).",
      "arrived merged into longer records (receive offload).");
  add(c.acknowledged, "was acknowledged, though the local capture lacks it: it arrived.",
      "were acknowledged, though the local capture lacks them: they arrived.");
  add(c.duplicates, "was a copy of another in one capture, and counted once.",
      "were copies of others in one capture, and counted once.");
  const auto doubts = [](const Finding& finding) { return finding.kind == "clock"; };
  if (std::ranges::none_of(c.findings, doubts)) {
    add(c.repeated, "that is missing was followed by an equal one: sent again, or held up.",
        "that are missing were followed by equal ones: sent again, or held up.");
  }
  return remarks;
}

std::string VerdictText(const Comparison& c) {
  std::string text = Headline(c) + "\n";
  for (const Finding& finding : c.findings) text += "- " + finding.text + "\n";
  if (c.missing > 0) {
    AppendTable(text, "Destination", c.by_destination);
    AppendTable(text, "Size", c.by_size);
    AppendTable(text, TimeTitle(c).c_str(), c.by_second);
  }
  text += "\n";
  for (const std::string& remark : Remarks(c)) text += remark + "\n";
  if (!c.fastest.empty() && c.arrived > 0) {
    std::vector<std::int64_t> delays;
    for (std::size_t i = 0; i < c.results.size(); ++i) {
      if (const auto delay = c.DelayOf(i)) delays.push_back(*delay);
    }
    if (!delays.empty()) {
      const auto at = [&](double part) {
        const auto nth = delays.begin() +
                         static_cast<std::ptrdiff_t>(part * static_cast<double>(delays.size() - 1));
        std::ranges::nth_element(delays, nth);
        return Milliseconds(*nth);
      };
      text += "Delay beyond the fastest packet: median " + at(0.5) + ", 95% within " + at(0.95) +
              ", 99% within " + at(0.99) + ".\n";
    }
  }
  return text;
}

}  // namespace cloudflaredump::compare
