// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "tests/emulator/filter_v1.h"
#include "tests/emulator/traffic.h"

namespace cloudflare_emulator {

/// Whether a packet at the very start or end of a window belongs to it; Cloudflare's meaning is
/// unpublished.
enum class WindowEnds { kClosed, kOpenStart, kOpenEnd };

/// "They only include the first 160 bytes of each packet."
inline constexpr std::uint32_t kSampleBytes = 160;

/// What a sample capture asks of the traffic: the time span [end - length, end].
struct SampleWindow {
  Time end;
  Span length{};
  FilterV1 filter;
  std::size_t packet_limit = 0;
  Time known_until = Time::max();  ///< Later packets are not in samples yet.
};

/// The file of a sample: the first `packet_limit` packets of the window that match, in time order,
/// converted to the form's link type (those that it cannot carry are left out), cut at 160 bytes.
std::string SampleFile(const SampleWindow& window, WindowEnds ends, const Traffic& traffic,
                       PcapForm form);

}  // namespace cloudflare_emulator
