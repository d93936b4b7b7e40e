// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "extcap/compare/local_side.h"

namespace cloudflaredump::compare {

/// The times that the clock of `local` was set, in order. Believed only where the file's own times
/// jump between two records, packets that nothing can be mistaken for come as much later from there
/// on, or earlier, for as long as a queue of that length would last, and all others agree: packets
/// that are held up, sent again or take another way do not. Empty if it was not set, or if that
/// cannot be told.
std::vector<ClockSetting> FindClockSettings(const CloudSide& cloud, const LocalSide& local);

/// "set forward by 0.500 s at 2026-11-23T06:20:00Z", each time that it was set.
std::string SettingsOfClock(const std::vector<ClockSetting>& settings);

}  // namespace cloudflaredump::compare
