// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/answer.h"

namespace cloudflare_emulator {
namespace {

std::string Envelope(bool success, Json errors, Json result) {
  const Json envelope(json_object());
  Set(envelope.get(), "result", std::move(result));
  Set(envelope.get(), "success", Json(json_boolean(success)));
  Set(envelope.get(), "errors", std::move(errors));
  Set(envelope.get(), "messages", Json(json_array()));
  return DumpJson(envelope.get());
}

}  // namespace

Answer Success(Json result) {
  return {.body = Envelope(true, Json(json_array()), std::move(result))};
}

Answer NoContent() {
  return {.status = 204, .content_type = ""};
}

Answer Failure(int status, const std::vector<ApiError>& errors) {
  Json list(json_array());
  for (const ApiError& error : errors) {
    const Json entry(json_object());
    Set(entry.get(), "code", Json(json_integer(error.code)));
    Set(entry.get(), "message", JsonText(error.message));
    json_array_append(list.get(), entry.get());
  }
  return {.status = status, .body = Envelope(false, std::move(list), Json(json_null()))};
}

}  // namespace cloudflare_emulator
