// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

namespace cloudflaredump::api {

/// The lines in which the debug log shows a JSON text of the API: the text itself without the keys
/// and passwords of the addresses in it, and a list's items one a line. Nothing for what is no
/// JSON.
std::vector<std::string> LinesForLog(const std::string& body);

/// Writes these lines of a request or an answer to the debug log, each behind `prefix`.
void LogBody(const char* prefix, const std::string& body);

}  // namespace cloudflaredump::api
