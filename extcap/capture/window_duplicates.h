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
  /// The next window, of which the next but one will share the time from `shared_from` on. What the
  /// last window remembered is held against this one.
  void Begin(WallTime shared_from);

  /// Whether to deliver a packet of request number `request`; `nanoseconds` since 1970.
  bool Take(std::size_t request, std::uint64_t nanoseconds, std::uint32_t original_length,
            std::span<const std::byte> bytes);

 private:
  std::unique_ptr<filter::DuplicateFilter> among_requests_;
  std::unique_ptr<filter::DuplicateFilter>
      before_;                                     ///< the last window's shared time, as request 0
  std::unique_ptr<filter::DuplicateFilter> next_;  ///< the same for the window to come
  std::uint64_t before_from_ = 0;                  ///< where the time shared with it begins
  std::uint64_t next_from_ = 0;
};

}  // namespace cloudflaredump::capture
