// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/http/http.h"

#include <algorithm>

#include "extcap/http/url.h"

namespace cloudflaredump {

const std::string* HttpHead::Find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(headers, [name](const auto& header) { return header.first == name; });
  return found == headers.end() ? nullptr : &found->second;
}

bool IsTransientStatus(int status) {
  switch (status) {
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
      return true;
    default:
      return false;
  }
}

std::string HostOf(const std::string& url) {
  const std::optional<Url> parts = ParseUrl(url);
  if (!parts) return "the server";
  return parts->port.empty() ? parts->host : parts->host + ":" + parts->port;
}

bool IsLoopbackUrl(const std::string& url) {
  const std::optional<Url> parts = ParseUrl(url);
  return parts && (parts->scheme == "http" || parts->scheme == "https") &&
         IsLoopbackHost(parts->host);
}

}  // namespace cloudflaredump
