// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "common/result.h"
#include "extcap/api/api_answer.h"
#include "extcap/http/http.h"

namespace cloudflaredump::api {

/// Reads a GraphQL answer, {data, errors}, and returns the one account in `data.viewer.accounts`.
/// An Error, worded for the user, for everything else, also for a status of 200 with errors in it.
/// `host` is who answered. Source: the GraphQL Analytics API's page of error responses.
Result<Json> ReadGraphqlAccount(const http::HttpAnswer& answer, const std::string& host);

}  // namespace cloudflaredump::api
