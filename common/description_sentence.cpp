// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/description_sentence.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string_view>

#include "common/colos.h"
#include "common/text.h"
#include "common/time.h"

namespace cloudflaredump {
namespace {

constexpr std::size_t kLongestSentence = 120;
constexpr std::size_t kLongestColo = 12;

/// "2026-11-23 06:20:00 UTC"; text that is not a time as it is, cleaned.
std::string Moment(std::string_view text) {
  const auto time = ParseRfc3339(text);
  if (!time) return CleanLine(text, 35);
  const std::string utc = FormatRfc3339(std::chrono::floor<std::chrono::seconds>(*time));
  return utc.substr(0, 10) + " " + utc.substr(11, 8) + " UTC";
}

/// "Cloudflare ORD (Chicago), full capture", "Cloudflare sample, all data centers".
std::string Where(const CaptureDescription& description) {
  if (description.type == "simple") {
    return description.window ? "Cloudflare live sample, all data centers"
                              : "Cloudflare sample, all data centers";
  }
  std::string text = "Cloudflare";
  if (description.colo) {
    text += " " + CleanLine(*description.colo, kLongestColo);
    if (const Colo* colo = FindColo(*description.colo)) text.append(" (").append(colo->city) += ')';
  }
  return text + (description.type == "full" ? ", full capture" : " capture");
}

/// ", 5 min up to …" of a sample, ", at most 1 min from …" of a full capture.
std::string When(const CaptureDescription& description) {
  std::string text;
  const bool sample = description.type == "simple";
  if (description.time_limit) {
    const auto bounded = std::min(*description.time_limit, LargestNumber(FieldKind::kSeconds));
    text += (sample ? ", " : ", at most ") + FormatSpan(std::chrono::seconds(bounded));
  }
  const auto& moment =
      sample && description.offset_time ? description.offset_time : description.submitted;
  if (moment) {
    text +=
        (text.empty() ? ", " : " ") + std::string(sample ? "up to " : "from ") + Moment(*moment);
  }
  if (description.coverage_share)
    text += Format(" (%d%% covered)",
                   static_cast<int>(std::min<std::uint64_t>(*description.coverage_share, 100)));
  return text;
}

/// ", file 3 of 12" when there is more than one, or when it is not known how many.
std::string OneOf(std::string_view noun, const std::optional<std::uint64_t>& number,
                  const std::optional<std::uint64_t>& total = {}) {
  if (!number || total == 1) return {};
  std::string text = std::string(", ").append(noun) + " " + std::to_string(*number);
  if (total) text += " of " + std::to_string(*total);
  return text;
}

std::string Which(const CaptureDescription& description) {
  return OneOf("request", description.request, description.requests) +
         OneOf("file", description.file, description.files);
}

}  // namespace

std::string DescriptionTitle(const CaptureDescription& description) {
  return CleanLine(Where(description) + OneOf("window", description.window) + Which(description),
                   kLongestSentence);
}

std::string DescriptionSentence(const CaptureDescription& description) {
  std::string text =
      CleanLine(Where(description) + When(description) + Which(description), kLongestSentence);
  if (!description.capture_filter) return text;
  if (description.capture_filter->empty()) {
    return CleanLine(text + ", no filter", kLongestSentence);
  }
  constexpr std::string_view kBefore = ", filter \"";
  constexpr std::size_t kWorthShowing = 10;
  const std::size_t taken = text.size() + kBefore.size() + 1;
  if (taken + kWorthShowing > kLongestSentence) return text;
  return std::string(text).append(kBefore) +
         CleanLine(*description.capture_filter, kLongestSentence - taken) + "\"";
}

std::string MarkSentence(const PacketMark& mark) {
  std::string text;
  const auto add = [&text](std::string_view sentence) {
    text.append(text.empty() ? "" : " ").append(sentence);
  };
  if (mark.undecided)
    add("Kept undecided: cut too short, or of a kind that the filter cannot be tested on.");
  if (mark.damaged) {
    const std::string words = CleanLine(*mark.damaged, 200);
    add(words.empty() ? "Packets after this one are lost." : "Lost after this packet: " + words);
  }
  if (mark.limit_reached) add("Cloudflare's limit ended the capture here.");
  if (mark.coverage_first || mark.coverage_last) {
    std::string covered = "Packets";
    if (mark.coverage_first) covered += " from " + Moment(*mark.coverage_first);
    if (mark.coverage_last) covered += " to " + Moment(*mark.coverage_last);
    add(covered + ".");
  }
  if (mark.arrived) add(*mark.arrived ? "Seen at the routers." : "Not seen at the routers.");
  return text.empty() ? "Cloudflare packet." : CleanLine(text, text.size());
}

}  // namespace cloudflaredump
