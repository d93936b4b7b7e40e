// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>

#include "common/time.h"

namespace cloudflaredump::filter {

/// How long libpcap may take for one filter, which depends on who waits: it has no limits itself,
/// and its time grows with the square of the number of alternatives.
struct CompileLimits {
  Duration compile;  ///< For all it does.
  Duration look_up;  ///< For the name service to answer about the first name of a host.
};
inline constexpr CompileLimits kLimitsAtKeyPress{.compile = std::chrono::seconds(2), .look_up = {}};
inline constexpr CompileLimits kLimitsAtCapture{.compile = std::chrono::seconds(20),
                                                .look_up = std::chrono::seconds(5)};

/// How much memory, in bytes, libpcap may take for one filter. No limit under sanitizers.
inline constexpr std::size_t kCompileMemory = std::size_t{512} << 20;

/// What ends a compilation.
struct CompileBounds {
  /// Nothing: libpcap runs in this process, as long as it takes; for fuzzing, where a child would
  /// hide its faults.
  std::optional<CompileLimits> limits = kLimitsAtCapture;
  /// Asked every few milliseconds; true ends it with Error::kInterrupted. May be empty.
  std::function<bool()> stop = {};
};

}  // namespace cloudflaredump::filter
