// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/json.h"

#include <glib.h>
#include <jansson.h>

#include <cstdlib>

#include "common/text.h"

namespace cloudflaredump {

void JsonUnref::operator()(json_t* json) const {
  json_decref(json);
}

std::optional<std::string> JsonText(const json_t* object, const char* key) {
  const json_t* const value = json_object_get(object, key);
  if (!json_is_string(value)) return std::nullopt;
  return std::string(json_string_value(value), json_string_length(value));
}

std::optional<std::uint64_t> JsonNumber(const json_t* object, const char* key) {
  const json_t* const value = json_object_get(object, key);
  if (json_is_integer(value) && json_integer_value(value) >= 0) {
    return static_cast<std::uint64_t>(json_integer_value(value));
  }
  if (json_is_real(value)) {
    const double real = json_real_value(value);
    constexpr double kLargestExact = 9007199254740992;  // 2^53
    if (real >= 0 && real <= kLargestExact &&
        real == static_cast<double>(static_cast<std::uint64_t>(real))) {
      return static_cast<std::uint64_t>(real);
    }
  }
  if (json_is_string(value)) return ParseNumber(json_string_value(value));
  return std::nullopt;
}

json_t* MakeJson(std::string_view text) {
  char* const valid = g_utf8_make_valid(text.data(), static_cast<gssize>(text.size()));
  json_t* const json = json_string(valid);
  g_free(valid);
  return json;
}

json_t* MakeJson(std::uint64_t number) {
  return json_integer(static_cast<json_int_t>(number));
}

std::string DumpJson(const json_t* value) {
  return DumpJson(value, JSON_COMPACT);
}

std::string DumpJson(const json_t* value, std::size_t flags) {
  char* const raw = json_dumps(value, flags);
  std::string text = raw == nullptr ? "" : raw;
  free(raw);  // jansson's own allocator is malloc
  return text;
}

}  // namespace cloudflaredump
