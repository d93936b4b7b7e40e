// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <curl/curl.h>

#include <string>

#include "common/result.h"

namespace cloudflaredump::http {

/// What libcurl says of a transfer that failed.
struct CurlFault {
  CURLcode code = CURLE_OK;
  std::string detail = {};  ///< The error buffer; may be empty.
  long os_error = 0;        ///< CURLINFO_OS_ERRNO, 0 if none.
  bool began = false;       ///< Whether an answer had begun.
  long proxy_status = 0;    ///< CURLINFO_HTTP_CONNECTCODE: a proxy's answer to CONNECT, 0 if none.
};

/// `fault` as a sentence about `host`, and whether a later try may help. The one place that decides
/// this for faults of network, TLS and framing.
Error DescribeFault(const CurlFault& fault, const std::string& host);

}  // namespace cloudflaredump::http
