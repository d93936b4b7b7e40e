// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/api/api_answer.h"

#include <jansson.h>

#include <algorithm>
#include <span>

#include "common/redact.h"
#include "common/text.h"

namespace cloudflaredump::api {
namespace {

/// So many errors or messages of an answer are shown.
constexpr std::size_t kMost = 3;

/// ErrorsText, without the chains of errors that are in a chain.
std::string ErrorsAt(int depth, const json_t* errors);

/// "code 6003, Invalid request headers (code 6111, Invalid format for Authorization header)"; the
/// chain is what tells the cause.
std::string OneError(const json_t* error, int depth) {
  // A bare text in the place of an object is its message.
  const json_t* const message = json_is_string(error) ? error : json_object_get(error, "message");
  const json_t* const code = json_object_get(error, "code");
  std::string text;
  if (json_is_integer(code)) {
    text = Format("code %lld", static_cast<long long>(json_integer_value(code)));
  }
  if (json_is_string(message) && json_string_length(message) > 0) {
    if (!text.empty()) text += ", ";
    text += CleanLine(std::string_view(json_string_value(message), json_string_length(message)));
  }
  const std::string chain = depth > 0 ? "" : ErrorsAt(1, json_object_get(error, "error_chain"));
  return chain.empty() ? text : text + " (" + chain + ")";
}

std::string ErrorsAt(int depth, const json_t* errors) {
  std::string text;
  for (std::size_t i = 0; i < json_array_size(errors) && i < kMost; ++i) {
    const std::string one = OneError(json_array_get(errors, i), depth);
    if (one.empty()) continue;
    if (!text.empty()) text += "; ";
    text += one;
  }
  return text;
}

/// Cloudflare's codes for a header that is not formed as it should be, and for a path that is not.
constexpr json_int_t kMalformedHeader[] = {6003, 6103, 6111};
constexpr json_int_t kMalformedPath[] = {7003};

/// Whether one of the errors, or one of its chain, has one of the codes.
bool HasCode(const json_t* errors, std::span<const json_int_t> codes) {
  for (std::size_t i = 0; i < json_array_size(errors); ++i) {
    const json_t* const error = json_array_get(errors, i);
    const json_int_t code = json_integer_value(json_object_get(error, "code"));
    if (std::ranges::find(codes, code) != codes.end()) return true;
    if (HasCode(json_object_get(error, "error_chain"), codes)) return true;
  }
  return false;
}

std::string Remedy(int status, const json_t* errors) {
  if (HasCode(errors, kMalformedHeader)) {
    return "check the API token: it is not whole, or has characters that are not its own";
  }
  if (HasCode(errors, kMalformedPath)) {
    return "check the account ID, the capture's ID if you named one (32 hexadecimal digits each), "
           "and the address of the API";
  }
  switch (status) {
    case 401:
      return "check the API token (it may be mistyped, expired or revoked)";
    case 403:
      return "check that the account ID is right and that the token has the permission \"Magic "
             "Firewall Packet Captures: Edit\" on it";
    case 404:
      return "check the account ID, the capture's ID if you named one, and the address of the API";
    case 429:
      return "wait a few minutes and try again";
    default:
      return status >= 500 ? "try again later, or see www.cloudflarestatus.com" : "";
  }
}

bool IsWebPage(const std::string& body) {
  return Trim(body).starts_with('<');
}

/// No answer of Cloudflare's comes near; jansson takes a hundred bytes for each value.
constexpr std::int64_t kMostValues = 500000;

/// Whether there may be more values than are taken, by what stands before or between values.
bool HasTooManyValues(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return c == ',' || c == '[' || c == '{'; }) >
         kMostValues;
}

std::string_view WithoutByteOrderMark(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  return text;
}

const char* BodyKind(const std::string& body) {
  if (Trim(body).empty()) return "an empty answer";
  if (HasTooManyValues(body)) return "more JSON values than make sense";
  if (IsWebPage(body)) return "a web page instead of JSON";
  return "something that is not JSON";
}

}  // namespace

Json ParseBody(const std::string& body) {
  const std::string_view text = WithoutByteOrderMark(body);
  if (HasTooManyValues(text)) return nullptr;
  return Json(json_loadb(text.data(), text.size(), JSON_ALLOW_NUL, nullptr));
}

std::string ErrorsText(const json_t* errors) {
  return ErrorsAt(0, errors);
}

bool IsRefusal(const http::HttpAnswer& answer) {
  if (!Trim(WithoutByteOrderMark(answer.body)).starts_with('{')) return false;
  return json_is_false(json_object_get(ParseBody(answer.body).get(), "success"));
}

Error ErrorOfAnswer(const http::HttpAnswer& answer, const std::string& doing,
                    const std::string& host) {
  const int status = answer.head.status;
  const Json envelope = ParseBody(answer.body);
  const json_t* const errors = json_object_get(envelope.get(), "errors");
  Error error{.what = Format("cannot %s: %s answered HTTP %d", doing.c_str(), host.c_str(), status),
              .remedy = Remedy(status, errors),
              .kind = http::IsTransientStatus(status) ? Error::Kind::kPassing : Error::Kind::kFinal,
              .said = ErrorsText(errors)};
  const std::string* const target = answer.head.Find("location");
  if (status >= 300 && status <= 399 && target != nullptr) {
    error.said = "a redirect to " + CleanLine(RedactAddress(*target), 120);
    error.remedy = "check the address of the API, or which proxy answers in its place";
  } else if (error.said.empty() && envelope && status < 300) {
    error.said = "success is false, without a reason";
  } else if (error.said.empty() && !envelope) {
    error.said = BodyKind(answer.body);
    if (IsWebPage(answer.body) && status < 500) {
      error.remedy =
          "something between here and Cloudflare answered in place of the API: a proxy, a "
          "firewall, "
          "a captive portal or a challenge";
    }
  }
  return error;
}

Result<Json> ReadEnvelope(const http::HttpAnswer& answer, const std::string& doing,
                          const std::string& host, std::vector<std::string>* messages) {
  const int status = answer.head.status;
  if (status < 200 || status > 299) return std::unexpected(ErrorOfAnswer(answer, doing, host));
  const Json envelope = ParseBody(answer.body);
  if (!json_is_object(envelope.get())) {
    // A proxy's page or half an answer: the next try may get through.
    return Fail(Format("cannot %s: %s answered with %s", doing.c_str(), host.c_str(),
                       BodyKind(answer.body)),
                "check the address of the API and any proxy",
                HasTooManyValues(answer.body) ? Error::Kind::kFinal : Error::Kind::kPassing);
  }
  if (json_is_false(json_object_get(envelope.get(), "success"))) {
    return std::unexpected(ErrorOfAnswer(answer, doing, host));
  }
  const json_t* const told = json_object_get(envelope.get(), "messages");
  for (std::size_t i = 0; messages != nullptr && i < std::min(json_array_size(told), kMost); ++i) {
    const std::string one = OneError(json_array_get(told, i), 0);
    if (!one.empty()) messages->push_back(one);
  }
  json_t* const result = json_object_get(envelope.get(), "result");
  if (result == nullptr) {
    return Fail(Format("cannot %s: %s answered JSON without a result", doing.c_str(), host.c_str()),
                "check the address of the API");
  }
  return Json(json_incref(result));
}

}  // namespace cloudflaredump::api
