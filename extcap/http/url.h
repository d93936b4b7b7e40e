// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>

namespace cloudflaredump::http {

/// What libcurl will make of a URL: its own parser, so that what is checked is what is fetched.
struct Url {
  std::string scheme;  ///< Lower case.
  std::string host;    ///< As a Host header would have it: IPv6 in brackets, 127.1 as 127.0.0.1.
  std::string port;    ///< Empty unless the URL names one.
  std::string path;    ///< From the first slash, as written.
};

/// Nothing if libcurl would refuse `url` whatever its scheme.
std::optional<Url> ParseUrl(const std::string& url);

/// Whether `host` (as in Url) is localhost, ::1 or in 127.0.0.0/8.
bool IsLoopbackHost(const std::string& host);

/// Whether a segment of `path` is `.` or `..`, plain or percent-encoded.
bool HasDotSegment(const std::string& path);

}  // namespace cloudflaredump::http
