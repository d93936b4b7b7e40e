// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/libpcap_words.h"

#include <algorithm>

namespace cloudflaredump::filter {
namespace {

using Meaning = LibpcapWords::Meaning;

struct Beginning {
  std::string_view words;
  Meaning meaning;
};

constexpr Beginning kBeginnings[] = {
    {"expression rejects all packets", Meaning::kRejectsAll},
    // 1.10 compiles these for a file on Linux; elsewhere, and from 1.11 on, it does not.
    {"not a live capture, ", Meaning::kLiveOnly},
    {"inbound/outbound not supported on ", Meaning::kLiveOnly},
    {"ifindex not supported on ", Meaning::kLiveOnly},
    {"'inbound' not supported on ", Meaning::kLiveOnly},
    {"'outbound' not supported on ", Meaning::kLiveOnly},
    {"'ifindex' not supported on ", Meaning::kLiveOnly},
    {"malloc", Meaning::kNoMemory},
    {"out of memory", Meaning::kNoMemory},
    {"not enough core", Meaning::kNoMemory},
};

/// What 1.11 says behind the name of a function.
constexpr std::string_view kAllocationFailed = "alloc() failed";

std::string HostIn(std::string_view words) {
  constexpr std::string_view kStart = "unknown host '";
  if (!words.starts_with(kStart)) return {};
  const std::size_t end = words.rfind('\'');
  if (end < kStart.size()) return {};
  return std::string(words.substr(kStart.size(), end - kStart.size()));
}

}  // namespace

LibpcapWords JudgeLibpcapWords(std::string_view words) {
  if (std::string host = HostIn(words); !host.empty()) {
    return {.meaning = Meaning::kUnknownHost, .host = std::move(host)};
  }
  if (words.ends_with(kAllocationFailed)) return {.meaning = Meaning::kNoMemory};
  const auto* const found = std::ranges::find_if(
      kBeginnings, [&](const Beginning& one) { return words.starts_with(one.words); });
  return {.meaning = found == std::end(kBeginnings) ? Meaning::kMistake : found->meaning};
}

}  // namespace cloudflaredump::filter
