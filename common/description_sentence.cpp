// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/description_sentence.h"

#include <cstdint>
#include <string_view>

#include "common/colos.h"
#include "common/readable_line.h"

namespace cloudflaredump {
namespace {

/// "42 s", "5 min", "5 min 10 s", "2 h 5 min".
std::string Span(std::uint64_t seconds) {
  const auto two = [](std::uint64_t big, std::string_view big_unit, std::uint64_t small,
                      std::string_view small_unit) {
    std::string text = std::to_string(big).append(big_unit);
    if (small != 0) text.append(" ").append(std::to_string(small)).append(small_unit);
    return text;
  };
  if (seconds < 60) return std::to_string(seconds) + " s";
  if (seconds < 3600) return two(seconds / 60, " min", seconds % 60, " s");
  return two(seconds / 3600, " h", seconds % 3600 / 60, " min");
}

/// "2026-11-23 06:20:00 UTC" for RFC 3339 in UTC; other text as it is, cleaned.
std::string Moment(std::string_view time) {
  constexpr std::size_t kToTheSecond = std::string_view("2026-11-23T06:20:00").size();
  if (time.size() > kToTheSecond && time[10] == 'T' && time.back() == 'Z') {
    return ReadableLine(time.substr(0, 10), 10) + " " + ReadableLine(time.substr(11, 8), 8) +
           " UTC";
  }
  return ReadableLine(time, 35);
}

/// "Cloudflare ORD (Chicago), full capture", "Cloudflare sample, all data centers".
std::string Where(const CaptureDescription& description) {
  if (description.type == "simple") return "Cloudflare sample, all data centers";
  std::string text = "Cloudflare";
  if (description.colo) {
    text += " " + ReadableLine(*description.colo, 12);
    if (const Colo* colo = FindColo(*description.colo)) text.append(" (").append(colo->city) += ')';
  }
  return text + (description.type == "full" ? ", full capture" : " capture");
}

/// ", 5 min up to …" of a sample, ", at most 1 min from …" of a full capture.
std::string When(const CaptureDescription& description) {
  std::string text;
  const bool sample = description.type == "simple";
  if (description.time_limit) {
    text += (sample ? ", " : ", at most ") + Span(*description.time_limit);
  }
  const auto& moment =
      sample && description.offset_time ? description.offset_time : description.submitted;
  if (!moment) return text;
  return text + (text.empty() ? ", " : " ") + (sample ? "up to " : "from ") + Moment(*moment);
}

/// ", part 3 of 12" when there is more than one, or when it is not known how many.
std::string OneOf(std::string_view noun, const std::optional<std::uint64_t>& number,
                  const std::optional<std::uint64_t>& total) {
  if (!number || total == 1) return {};
  std::string text = std::string(", ").append(noun) + " " + std::to_string(*number);
  if (total) text += " of " + std::to_string(*total);
  return text;
}

std::string Which(const CaptureDescription& description) {
  return OneOf("request", description.request, description.requests) +
         OneOf("part", description.part, description.parts);
}

}  // namespace

std::string DescriptionTitle(const CaptureDescription& description) {
  return ReadableLine(Where(description) + Which(description), kLongestSentence);
}

std::string DescriptionSentence(const CaptureDescription& description) {
  const std::string parts = Where(description) + When(description) + Which(description);
  std::string text = ReadableLine(parts, kLongestSentence);
  if (!description.capture_filter) return text;
  if (description.capture_filter->empty()) {
    return ReadableLine(text + ", no filter", kLongestSentence);
  }
  constexpr std::string_view kBefore = ", filter \"";
  constexpr std::size_t kWorthShowing = 10;
  const std::size_t taken = CountCharacters(text) + kBefore.size() + 1;
  if (taken + kWorthShowing > kLongestSentence) return text;
  return text.append(kBefore) +
         ReadableLine(*description.capture_filter, kLongestSentence - taken) + "\"";
}

std::string MarkSentence(const PacketMark& mark) {
  std::string text;
  const auto add = [&text](std::string_view sentence) {
    if (!text.empty()) text += ' ';
    text += sentence;
  };
  if (mark.undecided) add("Kept undecided: cut before bytes that the filter needs.");
  if (mark.damaged) {
    const std::string words = ReadableLine(*mark.damaged, 200);
    add(words.empty() ? "Packets after this one are lost." : "Lost after this packet: " + words);
  }
  if (mark.limit_reached) add("Cloudflare's limit ended the capture here.");
  if (mark.coverage_first || mark.coverage_last) {
    std::string covered = "Packets";
    if (mark.coverage_first) covered += " from " + Moment(*mark.coverage_first);
    if (mark.coverage_last) covered += " to " + Moment(*mark.coverage_last);
    add(covered + ".");
  }
  return text.empty() ? "Cloudflare packet." : ReadableLine(text, text.size());
}

}  // namespace cloudflaredump
