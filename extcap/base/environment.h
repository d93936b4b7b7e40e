// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>

namespace cloudflaredump {

/// Looks up an environment variable; null if it is not set. Tests pass a table.
using Environment = std::function<const char*(const char*)>;

/// The environment of this process.
const char* ProcessEnvironment(const char* name);

}  // namespace cloudflaredump
