// SPDX-License-Identifier: GPL-2.0-or-later
#include <glib.h>

#include <algorithm>

#include "common/text.h"
#include "extcap/http/http.h"

namespace cloudflaredump::http {
namespace {

constexpr Duration kFirstStep = std::chrono::milliseconds(500);
constexpr Duration kLongestStep = std::chrono::seconds(15);

/// A Retry-After (RFC 9110, 10.2.3) as a length of time from `now`; nothing if it is neither form.
std::optional<Duration> ReadRetryAfter(const std::string& text, WallTime now) {
  const std::string_view value = Trim(text);
  if (const auto count = ParseNumber(value)) {
    constexpr std::uint64_t kYear = 31536000;  // far beyond any budget, far below overflow
    return std::chrono::seconds(std::min(*count, kYear));
  }
  if (value.empty()) return std::nullopt;
  const auto date = ParseHttpDate(std::string(value));
  if (!date) return std::nullopt;
  return std::max(*date - now, Duration(0));
}

}  // namespace

Backoff::Backoff(system::EventLoop& loop, Duration budget)
    : loop_(loop), budget_(budget), step_(kFirstStep) {}

std::optional<Duration> Backoff::NextWait(const std::string& retry_after) {
  const system::SteadyTime now = loop_.Steady();
  if (!first_failure_) first_failure_ = now;
  // Up to half as long again, so that many clients that failed together do not come back together.
  const double jitter = g_random_double_range(1.0, 1.5);
  Duration wait = std::min(std::chrono::duration_cast<Duration>(step_ * jitter), kLongestStep);
  step_ = std::min(step_ * 2, kLongestStep);
  // A Retry-After of 0, or in the past, does not turn the retries into a flood.
  const std::optional<Duration> asked = ReadRetryAfter(retry_after, loop_.Now());
  Duration budget = budget_;
  if (asked && *asked > Duration(0)) {
    wait = *asked;
    budget = std::max(budget, kLongestAsked);
  }
  if (now + wait > *first_failure_ + budget) return std::nullopt;
  return wait;
}

bool Backoff::WaitForNextTry(const std::string& retry_after, const std::function<bool()>& stop,
                             const std::function<void(Duration)>& countdown) {
  const std::optional<Duration> wait = NextWait(retry_after);
  if (!wait) return false;
  const system::SteadyTime until = loop_.Steady() + *wait;
  constexpr Duration kTick = std::chrono::seconds(1);
  while (countdown && until - loop_.Steady() > kTick) {
    countdown(until - loop_.Steady());
    if (loop_.RunUntil(stop, loop_.Steady() + kTick)) return false;
  }
  return !loop_.RunUntil(stop, until);
}

void Backoff::Reset() {
  step_ = kFirstStep;
  first_failure_.reset();
}

}  // namespace cloudflaredump::http
