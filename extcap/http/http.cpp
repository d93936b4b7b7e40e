// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/http/http.h"

#include <curl/curl.h>

#include <algorithm>

#include "common/redact.h"
#include "common/text.h"
#include "extcap/http/url.h"

namespace cloudflaredump::http {

const std::string* HttpHead::Find(std::string_view name) const {
  const auto found =
      std::ranges::find_if(headers, [name](const auto& header) { return header.first == name; });
  return found == headers.end() ? nullptr : &found->second;
}

bool IsTransientStatus(int status) {
  return status == 408 || status == 425 || status == 429 || status >= 500;
}

std::optional<WallTime> ParseHttpDate(const std::string& text) {
  const time_t date = curl_getdate(text.c_str(), nullptr);
  return date == -1 ? std::nullopt : MomentAt(date);
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

Result<void> CheckSpeed(double speed, const std::string& url) {
  if (speed == 1 || IsLoopbackUrl(url)) return {};
  return Fail(Format("CLOUDFLAREDUMP_SPEED is for tests against this machine, but %s is elsewhere",
                     CleanLine(RedactAddress(url.substr(0, url.find('?')))).c_str()),
              "unset it", Error::Kind::kUsage);
}

}  // namespace cloudflaredump::http
