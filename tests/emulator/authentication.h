// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>

#include "tests/emulator/answer.h"
#include "tests/emulator/options.h"
#include "tests/emulator/request.h"

namespace cloudflare_emulator {

/// The refusal of a request without valid credentials, or of a change by a token that may only
/// read; none if the request may go on. Both published forms are known: `Authorization: Bearer`,
/// which wins, and X-Auth-Email with X-Auth-Key.
std::optional<Answer> CheckCredentials(const Request& request, const AccessOptions& options);

}  // namespace cloudflare_emulator
