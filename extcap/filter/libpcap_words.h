// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace cloudflaredump::filter {

/// What libpcap's words about a filter it refuses come down to. It has no error codes, so its
/// wordings are compared, those of 1.10 and 1.11. No other place reads them.
struct LibpcapWords {
  enum class Meaning : std::uint8_t {
    kMistake,      ///< Something else that is wrong with the filter, for the user to read.
    kRejectsAll,   ///< No packet at all can match.
    kUnknownHost,  ///< A name of a host that is unknown, or that nobody looked up.
    kLiveOnly,     ///< It asks for what only a live capture knows.
    kNoMemory,     ///< Memory ran out.
  };
  Meaning meaning = Meaning::kMistake;
  std::string host = {};  ///< The name, if kUnknownHost.
};

/// What to do about a kUnknownHost.
inline constexpr const char* kUnknownHostRemedy =
    "check the spelling (a mistyped keyword is taken for a name), or use an address";

/// Judges what pcap_geterr returned after pcap_compile.
LibpcapWords JudgeLibpcapWords(std::string_view words);

}  // namespace cloudflaredump::filter
