// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/api/api_answer.h"

#include <jansson.h>

#include "common/redact.h"
#include "common/text.h"

namespace cloudflaredump::api {
namespace {

/// Jansson's own limit on depth (2048) and http's limit on size bound what is parsed here.
Json Parse(const std::string& body) {
  return Json(json_loadb(body.data(), body.size(), JSON_ALLOW_NUL, nullptr));
}

std::string OneError(const json_t* error) {
  const json_t* const message = json_object_get(error, "message");
  const json_t* const code = json_object_get(error, "code");
  std::string text;
  if (json_is_integer(code)) {
    text = Format("code %lld", static_cast<long long>(json_integer_value(code)));
  }
  if (json_is_string(message) && json_string_length(message) > 0) {
    if (!text.empty()) text += ", ";
    // Redacted before it is cut: half a secret would not be recognized later.
    text += CleanLine(Redact({json_string_value(message), json_string_length(message)}));
  }
  return text;
}

/// What the envelope's errors say: "code 10000, Authentication error"; empty if nothing.
std::string ErrorsText(const json_t* envelope) {
  const json_t* const errors = json_object_get(envelope, "errors");
  std::string text;
  constexpr std::size_t kMost = 3;
  for (std::size_t i = 0; i < json_array_size(errors) && i < kMost; ++i) {
    const std::string one = OneError(json_array_get(errors, i));
    if (one.empty()) continue;
    if (!text.empty()) text += "; ";
    text += one;
  }
  return text;
}

std::string Remedy(int status) {
  switch (status) {
    case 401:
      return "check the API token (it may be mistyped, expired or revoked)";
    case 403:
      return "check that the account id is right and that the token has the permission \"Magic "
             "Firewall Packet Captures: Edit\" on it";
    case 404:
      return "check the account id, the capture's id and the address of the API";
    case 429:
      return "wait a few minutes and try again";
    default:
      return status >= 500 ? "try again later, or see www.cloudflarestatus.com" : "";
  }
}

const char* BodyKind(const std::string& body) {
  const std::string_view start = Trim(body);
  if (start.empty()) return "an empty answer";
  if (start.front() == '<') return "a web page instead of JSON";
  return "something that is not JSON";
}

}  // namespace

Error ErrorOfAnswer(const http::HttpAnswer& answer, const std::string& doing,
                    const std::string& host) {
  const int status = answer.head.status;
  const Json envelope = Parse(answer.body);
  std::string said = ErrorsText(envelope.get());
  if (said.empty() && !envelope) said = BodyKind(answer.body);
  return {.what = Format("cannot %s: %s answered HTTP %d", doing.c_str(), host.c_str(), status),
          .remedy = Remedy(status),
          .kind = http::IsTransientStatus(status) ? Error::Kind::kPassing : Error::Kind::kFinal,
          .said = std::move(said)};
}

Result<Json> ReadEnvelope(const http::HttpAnswer& answer, const std::string& doing,
                          const std::string& host) {
  const int status = answer.head.status;
  if (status < 200 || status > 299) return std::unexpected(ErrorOfAnswer(answer, doing, host));
  const Json envelope = Parse(answer.body);
  if (!json_is_object(envelope.get())) {
    // A proxy's page or half an answer: the next try may get through.
    return Fail(Format("cannot %s: %s answered with %s", doing.c_str(), host.c_str(),
                       BodyKind(answer.body)),
                "check the address of the API and any proxy", Error::Kind::kPassing);
  }
  if (json_is_false(json_object_get(envelope.get(), "success"))) {
    return std::unexpected(ErrorOfAnswer(answer, doing, host));
  }
  json_t* const result = json_object_get(envelope.get(), "result");
  if (result == nullptr) {
    return Fail(Format("cannot %s: %s answered JSON without a result", doing.c_str(), host.c_str()),
                "check the address of the API");
  }
  return Json(json_incref(result));
}

}  // namespace cloudflaredump::api
