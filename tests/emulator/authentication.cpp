// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/authentication.h"

#include <glib.h>

#include <algorithm>

namespace cloudflare_emulator {
namespace {

Answer InvalidHeaders() {
  // Live answers put the particular error (6111) into an `error_chain` of 6003; clients that show
  // code and message of `errors` see both here.
  return Failure(400, {{kCodeInvalidHeaders, "Invalid request headers"},
                       {kCodeInvalidAuthorization, "Invalid format for Authorization header"}});
}

std::optional<Answer> CheckBearer(const Request& request, const AccessOptions& options) {
  constexpr std::string_view kScheme = "Bearer ";
  const std::string& header = *request.authorization;
  if (g_ascii_strncasecmp(header.c_str(), kScheme.data(), kScheme.size()) != 0) {
    return InvalidHeaders();
  }
  const std::string token = header.substr(kScheme.size());
  const bool printable =
      std::ranges::all_of(token, [](char c) { return g_ascii_isgraph(c) != FALSE; });
  if (token.empty() || !printable) return InvalidHeaders();
  if (token == options.token) return std::nullopt;
  const bool reader = !options.read_token.empty() && token == options.read_token;
  if (reader && request.method == "GET") return std::nullopt;
  if (reader) return Failure(403, {{kCodeAuthentication, "Authentication error"}});
  return Failure(401, {{kCodeAuthentication, "Authentication error"}});
}

}  // namespace

std::optional<Answer> CheckCredentials(const Request& request, const AccessOptions& options) {
  if (request.authorization) return CheckBearer(request, options);
  if (!request.email || !request.key) {
    return Failure(
        400, {{kCodeNoCredentials, "Missing X-Auth-Key, X-Auth-Email or Authorization headers"}});
  }
  if (*request.email == options.email && *request.key == options.key) return std::nullopt;
  return Failure(403, {{kCodeWrongKey, "Unauthorized to access requested resource"}});
}

}  // namespace cloudflare_emulator
