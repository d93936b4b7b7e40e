// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "common/json.h"
#include "common/result.h"
#include "extcap/http/http.h"

namespace cloudflaredump::api {

/// An answer's body; null if it is no JSON. Jansson's own limit on depth (2048) and http's limit on
/// size bound what is parsed.
Json ParseBody(const std::string& body);

/// What a list of errors or messages says, cleaned and redacted: "code 10000, Authentication
/// error". At most three; empty if there is nothing.
std::string ErrorsText(const json_t* errors);

/// Reads an API answer's envelope {success, errors, messages, result} and returns `result` (null
/// if it is JSON null). An Error for everything that is not a success, worded for the user: `doing`
/// says what was tried ("start the capture"), `host` who answered. Source: the published schema,
/// and cloudflare-docs for codes seen in the wild. Warnings of `messages` are added to the list.
Result<Json> ReadEnvelope(const http::HttpAnswer& answer, const std::string& doing,
                          const std::string& host, std::vector<std::string>* messages = nullptr);

/// Whether the body is an envelope that says success: false, whatever the status.
bool IsRefusal(const http::HttpAnswer& answer);

/// The sentence for an answer with an error status, whether or not its body is an envelope.
Error ErrorOfAnswer(const http::HttpAnswer& answer, const std::string& doing,
                    const std::string& host);

}  // namespace cloudflaredump::api
