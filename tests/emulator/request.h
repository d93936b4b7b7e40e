// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "tests/emulator/clock.h"

namespace cloudflare_emulator {

/// One HTTP request, whole. A header that was not sent is none.
struct Request {
  std::string method;
  std::string path;  ///< Percent-decoded, without the query.
  std::optional<std::string> authorization;
  std::optional<std::string> email;  ///< X-Auth-Email
  std::optional<std::string> key;    ///< X-Auth-Key
  std::optional<std::string> content_type;
  std::string body;
};

}  // namespace cloudflare_emulator
