// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/tool/capture_report.h"

#include "common/text.h"
#include "common/version.h"
#include "extcap/tool/report_text.h"

namespace cloudflaredump::tool {

std::string CaptureReport(const capture::Outcome& outcome, const std::string& interface,
                          const std::string& filter, const std::string& file, WallTime from,
                          WallTime to, const std::function<bool()>& stopped) {
  const std::string said = capture::Complaint(outcome);
  std::string text = "# Capture at Cloudflare\n\n";
  if (!outcome.verdict.empty()) text += "**" + MarkdownText(outcome.verdict) + "**\n\n";
  if (!said.empty()) text += MarkdownText(said) + "\n\n";
  text += "- Interface: " + MarkdownText(interface) + "\n";
  text += "- Filter: " + (filter.empty() ? "none" : CodeText(filter)) + "\n";
  for (const std::string& id : outcome.pcap_ids) text += "- Capture: " + MarkdownText(id) + "\n";
  text += "- Command ran from " + BothTimes(from) + " to " + BothTimes(to) + "\n";
  text += "- File: " + CodeText(file) + ", SHA-256 " +
          (file == "-" ? "not known: standard output" : DigestText(file, stopped)) + "\n";
  const capture::PacketCounts& counts = outcome.counts;
  text += "- Packets: " + WithThousands(counts.received) + " received, " +
          WithThousands(counts.delivered) + " delivered, " + WithThousands(counts.filtered_out) +
          " filtered out, " + WithThousands(counts.undecided) + " undecided, " +
          WithThousands(counts.duplicates) + " duplicates\n";
  for (const std::string& loss : outcome.losses)
    text += "- Incomplete: " + MarkdownText(loss) + "\n";
  return text + "- Captured by " + kApplication + "\n";
}

}  // namespace cloudflaredump::tool
