// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>

#include "common/result.h"
#include "extcap/filter/compile_limits.h"
#include "extcap/filter/compile_text.h"

namespace cloudflaredump::filter {

/// Runs `compile` in a child process that looks no names up. Only if that finds a name, and
/// `lookup` is kResolve, again in one that does. Passing a bound is an Error with the reason. All
/// in this process if `bounds` has no limits.
Result<Compiled> CompileBounded(const std::function<Result<Compiled>()>& compile, NameLookup lookup,
                                const CompileBounds& bounds);

}  // namespace cloudflaredump::filter
