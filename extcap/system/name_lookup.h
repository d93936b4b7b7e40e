// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace cloudflaredump::system {

/// From here on this process, and what it forks, looks up no name of a host or network but in files
/// of this machine (/etc/networks): every host name is unknown, at once. Addresses and names of
/// services are as ever.
void ForbidNameLookup();

}  // namespace cloudflaredump::system
