// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/api/answer_log.h"

#include <jansson.h>

#include "common/redact.h"
#include "extcap/api/api_answer.h"
#include "extcap/system/log.h"

namespace cloudflaredump::api {
namespace {

/// So many items of a list are logged: Cloudflare answers with the newest first.
constexpr std::size_t kMostItems = 50;

/// Replaces what is secret in every address that `value` holds, at any depth that jansson reads.
void HideKeys(json_t* value) {
  if (json_is_string(value)) {
    const std::string_view text(json_string_value(value), json_string_length(value));
    if (text.find("://") == std::string_view::npos) return;
    const std::string shown = RedactAddress(text);
    json_string_setn(value, shown.data(), shown.size());
  } else if (json_is_object(value)) {
    const char* key = nullptr;
    json_t* member = nullptr;
    json_object_foreach(value, key, member) HideKeys(member);
  } else {
    for (std::size_t i = 0; i < json_array_size(value); ++i) HideKeys(json_array_get(value, i));
  }
}

}  // namespace

std::vector<std::string> LinesForLog(const std::string& body) {
  const Json json = ParseBody(body);
  if (json == nullptr) return {};
  HideKeys(json.get());
  json_t* const result = json_object_get(json.get(), "result");
  if (!json_is_array(result)) return {DumpJson(json.get())};
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < json_array_size(result) && i < kMostItems; ++i) {
    lines.push_back(DumpJson(json_array_get(result, i)));
  }
  json_object_del(json.get(), "result");
  lines.insert(lines.begin(), DumpJson(json.get()));
  return lines;
}

void LogBody(const char* prefix, const std::string& body) {
  if (!system::LogsAt(system::LogLevel::kDebug)) return;
  for (const std::string& line : LinesForLog(body)) {
    system::Log(system::LogLevel::kDebug, "%s %s", prefix, line.c_str());
  }
}

}  // namespace cloudflaredump::api
