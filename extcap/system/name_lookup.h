// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace cloudflaredump::system {

/// Makes every host name unknown to this process and to those that it forks, at once and without
/// asking anyone. Addresses, services and the networks in /etc/networks stay known.
void ForbidNameLookup();

}  // namespace cloudflaredump::system
