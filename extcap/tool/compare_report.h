// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "extcap/compare/comparison.h"
#include "extcap/compare/options.h"

namespace cloudflaredump::tool {

/// A comparison as a ticket wants it, in Markdown: what was compared, the verdict, tables.
std::string CompareReport(const compare::Options& options, const compare::Comparison& comparison);

}  // namespace cloudflaredump::tool
