// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "common/result.h"
#include "extcap/compare/comparison.h"

namespace cloudflaredump::compare {

/// Takes the next bytes of a file; its Error ends the writing.
using WriteBytes = std::function<Result<void>(std::string_view)>;

/// Writes Cloudflare's file again as pcapng: the same packets in the same order and interfaces,
/// each that was compared with a comment that says what became of it
/// (common/capture_description.h). Reads `path` a second time, so it must be a file. Comments of an
/// earlier comparison are replaced, others kept.
Result<void> WriteMarkedCopy(const Comparison& comparison, const std::string& path,
                             const WriteBytes& write);

}  // namespace cloudflaredump::compare
