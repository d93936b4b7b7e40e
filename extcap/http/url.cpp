// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/http/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <glib.h>

#include <memory>

#include "common/text.h"

namespace cloudflaredump::http {
namespace {

struct UrlCleanup {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string Part(CURLU* url, CURLUPart part) {
  char* raw = nullptr;
  if (curl_url_get(url, part, &raw, 0) != CURLUE_OK) return {};
  std::string text = raw;
  curl_free(raw);
  return text;
}

}  // namespace

std::optional<Url> ParseUrl(const std::string& url) {
  const std::unique_ptr<CURLU, UrlCleanup> parsed(curl_url());
  // The path is looked at as written: whether dots may be in it is the caller's question.
  constexpr unsigned kFlags = CURLU_NON_SUPPORT_SCHEME | CURLU_PATH_AS_IS;
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), kFlags) != CURLUE_OK) {
    return std::nullopt;
  }
  Url parts;
  parts.scheme = Part(parsed.get(), CURLUPART_SCHEME);
  parts.host = Part(parsed.get(), CURLUPART_HOST);
  parts.port = Part(parsed.get(), CURLUPART_PORT);
  parts.path = Part(parsed.get(), CURLUPART_PATH);
  return parts;
}

bool IsLoopbackHost(const std::string& host) {
  if (g_ascii_strcasecmp(host.c_str(), "localhost") == 0) return true;
  in6_addr v6;
  if (host.starts_with('[') && host.ends_with(']')) {
    return inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), &v6) == 1 &&
           IN6_IS_ADDR_LOOPBACK(&v6);
  }
  in_addr v4;
  return inet_pton(AF_INET, host.c_str(), &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

bool HasDotSegment(const std::string& path) {
  for (const std::string_view segment : Split(path, '/')) {
    const std::optional<std::string> plain = PercentDecode(segment);
    if (plain == "." || plain == "..") return true;
  }
  return false;
}

}  // namespace cloudflaredump::http
