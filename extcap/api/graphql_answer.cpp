// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/api/graphql_answer.h"

#include <jansson.h>

#include <algorithm>

#include "common/text.h"

namespace cloudflaredump::api {
namespace {

constexpr const char* kDoing = "ask Cloudflare's analytics";

constexpr const char* kNeedsPermission =
    "give the token the permission \"Account Analytics: Read\" on this account; captures do not "
    "need it";
constexpr const char* kNoDataset =
    "Cloudflare keeps them for Enterprise accounts with Magic Transit";
constexpr const char* kChanged =
    "Cloudflare's analytics seem to have changed: look for a newer version of this program";
constexpr const char* kLater = "try again later, or see www.cloudflarestatus.com";

/// What Cloudflare publishes of its errors: the words that mark one, and what to do.
struct KnownError {
  const char* words;
  const char* remedy;
  Error::Kind kind = Error::Kind::kFinal;
};
constexpr KnownError kKnownErrors[] = {
    {"rate limiter budget depleted", "wait 5 minutes and try again", Error::Kind::kPassing},
    {"please try again later", kLater, Error::Kind::kPassing},
    {"cannot request data older than", "give a later start time"},
    {"time range is too large", "give a shorter window"},
    {"limit must be positive", "try again: the account's bounds are asked for anew"},
    {"unknown field", kChanged},
    {"error parsing args", kChanged},
    {"does not have access to the path", kNoDataset},
    {"not authorized for that account", kNeedsPermission},
};

const char* RemedyFor(int status) {
  switch (status) {
    case 401:
      return "check the API token (it may be mistyped, expired or revoked)";
    case 403:
      return kNeedsPermission;
    case 429:
      return "wait 5 minutes and try again";
    default:
      return status >= 500 ? kLater : "";
  }
}

/// Whether an error says by its code that the budget of queries is spent.
bool SaysBudget(const json_t* errors) {
  for (std::size_t i = 0; i < json_array_size(errors); ++i) {
    const json_t* const extensions = json_object_get(json_array_get(errors, i), "extensions");
    if (JsonText(extensions, "code") == "budget") return true;
  }
  return false;
}

const KnownError* FindKnown(const std::string& said, const json_t* errors) {
  if (SaysBudget(errors)) return &kKnownErrors[0];
  const auto known = std::ranges::find_if(kKnownErrors, [&](const KnownError& one) {
    return said.find(one.words) != std::string::npos;
  });
  return known == std::end(kKnownErrors) ? nullptr : known;
}

Error ErrorOf(const http::HttpAnswer& answer, const json_t* errors, const std::string& host) {
  const int status = answer.head.status;
  std::string said = ErrorsText(errors);
  const KnownError* const known = FindKnown(said, errors);
  const bool passing =
      http::IsTransientStatus(status) || (known != nullptr && known->kind == Error::Kind::kPassing);
  const std::string how = status == 200 ? "with an error" : Format("HTTP %d", status);
  return {.what = Format("cannot %s: %s answered %s", kDoing, host.c_str(), how.c_str()),
          .remedy = known != nullptr ? known->remedy : RemedyFor(status),
          .kind = passing ? Error::Kind::kPassing : Error::Kind::kFinal,
          .said = std::move(said)};
}

}  // namespace

Result<Json> ReadGraphqlAccount(const http::HttpAnswer& answer, const std::string& host) {
  const Json body = ParseBody(answer.body);
  const json_t* const errors = json_object_get(body.get(), "errors");
  if (answer.head.status != 200 || json_array_size(errors) > 0) {
    return std::unexpected(ErrorOf(answer, errors, host));
  }
  const json_t* const data = json_object_get(body.get(), "data");
  if (!json_is_object(data)) {
    // A proxy's page or half an answer: the next try may get through.
    return Fail(Format("cannot %s: %s answered without data", kDoing, host.c_str()),
                "check the address of the API and any proxy", Error::Kind::kPassing);
  }
  const json_t* const accounts = json_object_get(json_object_get(data, "viewer"), "accounts");
  json_t* const account = json_array_get(accounts, 0);
  if (!json_is_object(account)) {
    return Fail(Format("cannot %s: %s answered without this account", kDoing, host.c_str()),
                "check the account ID, and that the token has \"Account Analytics: Read\" on it");
  }
  return Json(json_incref(account));
}

}  // namespace cloudflaredump::api
