// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "extcap/api/pcaps_api.h"

namespace cloudflaredump::capture {

/// Why Cloudflare does not write to a registered bucket, and the command that mends it; nothing if
/// the bucket is validated. Without keys.
std::optional<std::string> OwnershipTrouble(const api::BucketOwnership& ownership);

/// The same for the bucket that `destination_conf` means, which may be none of the `registered`
/// ones. Keys do not tell two addresses apart.
std::optional<std::string> OwnershipTrouble(const std::vector<api::BucketOwnership>& registered,
                                            const std::string& destination_conf);

/// Advises the way of writing in which the bucket of `destination_conf` is registered, if it is
/// only in another: Cloudflare compares addresses as they are written.
std::optional<std::string> SpelledOtherwise(const std::vector<api::BucketOwnership>& registered,
                                            const std::string& destination_conf);

}  // namespace cloudflaredump::capture
