// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

#include "tests/emulator/rfc3339.h"

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

/// A moment on both clocks: the wall clock dates things, the monotonic one measures waits.
struct Moment {
  Time wall;
  Span monotonic{};
};

}  // namespace cloudflare_emulator
