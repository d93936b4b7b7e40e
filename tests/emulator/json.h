// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <jansson.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace cloudflare_emulator {

struct JsonRelease {
  void operator()(json_t* value) const { json_decref(value); }
};

/// Owns one reference to a jansson value.
using Json = std::unique_ptr<json_t, JsonRelease>;

/// Another reference to `value`, which may be null.
inline Json Share(json_t* value) {
  return Json(json_incref(value));
}

/// A JSON string of `text`; what is not UTF-8 in it is replaced.
Json JsonText(std::string_view text);

/// `text` as one JSON value of any kind; nothing if it is not JSON, or names a key twice.
Json ParseJson(std::string_view text);

/// `value` on one line.
std::string DumpJson(const json_t* value);

/// Sets `key` of `object` and takes `value` over.
void Set(json_t* object, const char* key, Json value);

/// The text of a JSON string; nothing for any other value or none.
std::optional<std::string> TextOf(const json_t* value);

}  // namespace cloudflare_emulator
