// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "common/result.h"
#include "common/time.h"

namespace cloudflaredump::filter {

/// Runs `work` in a child process and hands back what it returned: for library calls that may hang
/// (name look-up) or that change the process for good. Nothing that `work` does to memory is seen
/// here. An Error if it takes longer than `limit` (if any) or once `stop` (if any; asked every few
/// milliseconds) says so, kPassing and kInterrupted, after which the child is killed; or if it
/// dies.
Result<std::string> CallInChild(const std::function<std::string()>& work,
                                std::optional<Duration> limit,
                                const std::function<bool()>& stop = {});

}  // namespace cloudflaredump::filter
