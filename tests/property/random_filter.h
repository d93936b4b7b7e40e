// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "tests/property/built_packet.h"

namespace cloudflaredump {

/// A capture filter from a grammar of hosts, nets, ports, protocols, byte tests, arithmetic, and,
/// or, not. Most of them compile for raw IP; no name in them needs a look-up.
std::string RandomFilter(Random& random);

}  // namespace cloudflaredump
