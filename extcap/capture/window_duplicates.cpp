// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/window_duplicates.h"

#include <algorithm>
#include <utility>

namespace cloudflaredump::capture {

void WindowDuplicates::Begin(WallTime shared_from, WallTime end) {
  const auto nanoseconds = [](WallTime time) {
    return static_cast<std::uint64_t>(std::max<std::int64_t>(time.time_since_epoch().count(), 0));
  };
  among_requests_ = std::make_unique<filter::DuplicateFilter>();
  before_ = std::exchange(next_, std::make_unique<filter::DuplicateFilter>());
  with_before_ =
      std::exchange(with_next_, {.from = nanoseconds(shared_from), .to = nanoseconds(end)});
}

bool WindowDuplicates::Take(std::size_t request, std::uint64_t nanoseconds,
                            std::uint32_t original_length, std::span<const std::byte> bytes) {
  if (!among_requests_->Take(request, nanoseconds, original_length, bytes)) return false;
  // The window before counts as request 0 of the shared time, this one as request 1.
  if (before_ != nullptr && with_before_.Has(nanoseconds) &&
      !before_->Take(1, nanoseconds, original_length, bytes)) {
    return false;
  }
  if (with_next_.Has(nanoseconds)) next_->Take(0, nanoseconds, original_length, bytes);
  return true;
}

}  // namespace cloudflaredump::capture
