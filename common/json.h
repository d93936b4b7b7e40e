// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

struct json_t;

namespace cloudflaredump {

/// Gives up a reference to a JSON value.
struct JsonUnref {
  void operator()(json_t* json) const;
};
using Json = std::unique_ptr<json_t, JsonUnref>;

/// The member `key` of `object`; nothing if it is missing, null or of another type.
std::optional<std::string> JsonText(const json_t* object, const char* key);

/// The same of a whole number that is not negative, also one sent as a text. 60.0 is 60.
std::optional<std::uint64_t> JsonNumber(const json_t* object, const char* key);

/// A new JSON string or number. What is not UTF-8 in `text` becomes U+FFFD.
json_t* MakeJson(std::string_view text);
json_t* MakeJson(std::uint64_t number);

/// `value` as text, with jansson's `flags` (JSON_COMPACT if none are given).
std::string DumpJson(const json_t* value);
std::string DumpJson(const json_t* value, std::size_t flags);

}  // namespace cloudflaredump
