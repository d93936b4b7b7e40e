// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/http/proxy.h"

#include <glib.h>

#include <string_view>

#include "common/redact.h"

namespace cloudflaredump::http {

void RegisterProxySecrets() {
  for (const char* const variable :
       {"https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"}) {
    const char* const value = g_getenv(variable);
    std::string_view address = value != nullptr ? value : "";
    // Not by a parser of URLs: what is not a valid address may hold a password, too.
    const auto scheme = address.find("://");
    if (scheme != std::string_view::npos) address.remove_prefix(scheme + 3);
    const auto at = address.rfind('@');
    if (at == std::string_view::npos) continue;
    const std::string_view user = address.substr(0, at);
    // A short password is a secret together with its user.
    RegisterSecret(user);
    const auto colon = user.find(':');
    if (colon != std::string_view::npos) RegisterSecret(user.substr(colon + 1));
  }
}

}  // namespace cloudflaredump::http
