// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/window_duplicates.h"

#include <algorithm>
#include <utility>

namespace cloudflaredump::capture {

void WindowDuplicates::Begin(WallTime shared_from) {
  among_requests_ = std::make_unique<filter::DuplicateFilter>();
  before_ = std::exchange(next_, std::make_unique<filter::DuplicateFilter>());
  const auto from = std::max<std::int64_t>(shared_from.time_since_epoch().count(), 0);
  before_from_ = std::exchange(next_from_, static_cast<std::uint64_t>(from));
}

bool WindowDuplicates::Take(std::size_t request, std::uint64_t nanoseconds,
                            std::uint32_t original_length, std::span<const std::byte> bytes) {
  if (!among_requests_->Take(request, nanoseconds, original_length, bytes)) return false;
  const bool shared = before_ != nullptr && nanoseconds >= before_from_;
  if (shared && !before_->Take(1, nanoseconds, original_length, bytes)) return false;
  if (nanoseconds >= next_from_) next_->Take(0, nanoseconds, original_length, bytes);
  return true;
}

}  // namespace cloudflaredump::capture
