// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>

#include "common/result.h"
#include "common/time.h"

namespace cloudflaredump::filter {

/// Runs `work` in a child process and hands back what it returned: for library calls that may hang
/// or grow without a limit, or that change the process for good. Nothing that `work` does to memory
/// is seen here, and it gets no more than kCompileMemory. An Error if it takes longer than `limit`
/// (kPassing) or once `stop` says so (kInterrupted; if any, asked every few milliseconds), after
/// which the child is killed; or if it dies.
Result<std::string> CallInChild(const std::function<std::string()>& work, Duration limit,
                                const std::function<bool()>& stop = {});

}  // namespace cloudflaredump::filter
