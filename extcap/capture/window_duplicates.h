// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "common/time.h"
#include "extcap/filter/duplicate_filter.h"

namespace cloudflaredump::capture {

/// Tells which packets of a window were delivered already: by another request of the plan over the
/// same window, or in the window before, with which it shares some time. Packets are told apart by
/// their records, which are counted (filter/duplicate_filter.h). Remembers one window, and of the
/// one before only what lies in the shared time.
class WindowDuplicates {
 public:
  /// The next window, which shares the time from `shared_from` to its end, both included, with the
  /// one that will follow it. What the last window remembered is held against this one.
  void Begin(WallTime shared_from, WallTime end);

  /// Whether to deliver a packet of request number `request`; `nanoseconds` since 1970.
  bool Take(std::size_t request, std::uint64_t nanoseconds, std::uint32_t original_length,
            std::span<const std::byte> bytes);

 private:
  /// Time that two windows share, in nanoseconds since 1970.
  struct Shared {
    std::uint64_t from = 1;
    std::uint64_t to = 0;

    bool Has(std::uint64_t time) const { return time >= from && time <= to; }
  };

  std::unique_ptr<filter::DuplicateFilter> among_requests_;
  std::unique_ptr<filter::DuplicateFilter> before_;  ///< the last window's shared packets
  std::unique_ptr<filter::DuplicateFilter> next_;    ///< the same for the window to come
  Shared with_before_;
  Shared with_next_;
};

}  // namespace cloudflaredump::capture
