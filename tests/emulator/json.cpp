// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/json.h"

#include <glib.h>

namespace cloudflare_emulator {

Json JsonText(std::string_view text) {
  const std::unique_ptr<char, decltype(&g_free)> valid(
      g_utf8_make_valid(text.data(), static_cast<gssize>(text.size())), g_free);
  return Json(json_string(valid.get()));
}

Json ParseJson(std::string_view text) {
  json_error_t error;
  return Json(
      json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error));
}

std::string DumpJson(const json_t* value) {
  const std::unique_ptr<char, decltype(&free)> text(
      json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_PRESERVE_ORDER), free);
  return text ? text.get() : "null";
}

void Set(json_t* object, const char* key, Json value) {
  json_object_set_new(object, key, value.release());
}

std::optional<std::string> TextOf(const json_t* value) {
  if (!json_is_string(value)) return std::nullopt;
  return std::string(json_string_value(value), json_string_length(value));
}

}  // namespace cloudflare_emulator
