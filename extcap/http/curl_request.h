// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <curl/curl.h>

#include <memory>

#include "extcap/http/http.h"

namespace cloudflaredump::http {

/// A list of headers, freed in the end.
struct SlistFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, SlistFree>;

/// Why `request` must not be sent, if so: keys over plain http to other machines, another scheme,
/// a line break in a header, a path that libcurl would change before signing it.
Result<void> CheckRequest(const HttpRequest& request);

/// Sets everything on `easy` that depends on `request` alone. `easy` keeps pointers into `request`
/// and into the returned list: both must outlive the transfer. `connect_limit` is in real time.
Result<HeaderList> SetRequest(CURL* easy, const HttpRequest& request, Duration connect_limit);

}  // namespace cloudflaredump::http
