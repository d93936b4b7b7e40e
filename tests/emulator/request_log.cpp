// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/request_log.h"

#include "tests/emulator/json.h"

namespace cloudflare_emulator {

Outcome<void> RequestLog::Open(const std::string& path) {
  if (path.empty()) return {};
  file_.open(path, std::ios::app);
  if (!file_) return std::unexpected("The log " + path + " cannot be written.");
  return {};
}

void RequestLog::Write(const Request& request, int status, Time time) {
  if (!file_.is_open()) return;
  Json body(json_null());
  if (!request.body.empty()) {
    body = ParseJson(request.body);
    if (!body) body = JsonText(request.body);
  }
  const Json line(json_object());
  Set(line.get(), "time", JsonText(FormatRfc3339(time)));
  Set(line.get(), "method", JsonText(request.method));
  Set(line.get(), "path", JsonText(request.path));
  Set(line.get(), "status", Json(json_integer(status)));
  Set(line.get(), "body", std::move(body));
  file_ << DumpJson(line.get()) << std::endl;
}

}  // namespace cloudflare_emulator
