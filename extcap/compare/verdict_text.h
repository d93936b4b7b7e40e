// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "extcap/compare/comparison.h"

namespace cloudflaredump::compare {

/// The answer in one sentence: how many arrived, with the interval; or why nothing is known.
std::string Headline(const Comparison& comparison);

/// What a person needs to know beside it, a sentence each: clocks, coverage, what was put together
/// or left out, drops of the capture itself, damage.
std::vector<std::string> Remarks(const Comparison& comparison);

/// All of it for a terminal: headline, causes, tables, remarks.
std::string VerdictText(const Comparison& comparison);

/// One JSON object, without a newline at its end.
std::string ComparisonJson(const Comparison& comparison);

/// The title of the table by time: "Second", "Time (4 s each)".
std::string TimeTitle(const Comparison& comparison);

/// "3.2 s ahead", "1 h 0.012 s behind".
std::string ClockWords(const LocalResult& local);

/// "4.1%", with as many decimals as tell something.
std::string PercentWords(double share);

}  // namespace cloudflaredump::compare
