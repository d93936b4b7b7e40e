// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/store_error.h"

#include <glib.h>

#include <algorithm>
#include <optional>

#include "common/redact.h"
#include "common/text.h"
#include "extcap/bucket/store_address.h"
#include "extcap/bucket/xml_walk.h"

namespace cloudflaredump::bucket {
namespace {

/// The error document of S3, as far as it could be read; cleaned, and without secrets.
struct ErrorDocument {
  std::string code = {};
  std::string message = {};
  std::string region = {};
  std::string details = {};   ///< Google's addition.
  std::string endpoint = {};  ///< Of a redirect.
  std::string request_id = {};
};

/// A text of the server's: secrets go before anything is cut, or half a one would stay.
std::string Cleaned(const std::string& text, std::size_t max_bytes) {
  return CleanLine(RedactAddress(text), max_bytes);
}

ErrorDocument ParseErrorDocument(const http::HttpHead& head, std::string_view body) {
  ErrorDocument document;
  // A document that breaks off still has told its code.
  (void)WalkXml(body, [&](std::string_view path, const std::string& text) {
    if (path == "/Error/Code") document.code = Cleaned(text, 80);
    if (path == "/Error/Message") document.message = Cleaned(text, 500);
    if (path == "/Error/Region") document.region = Cleaned(text, 40);
    if (path == "/Error/Details") document.details = Cleaned(text, 500);
    if (path == "/Error/Endpoint") document.endpoint = Cleaned(text, 120);
    if (path == "/Error/RequestId") document.request_id = Cleaned(text, 80);
  });
  for (const char* const name : {"x-amz-request-id", "x-guploader-uploadid", "cf-ray"}) {
    const std::string* const header = head.Find(name);
    if (document.request_id.empty() && header != nullptr) {
      document.request_id = Cleaned(*header, 80);
    }
  }
  return document;
}

/// What the store says, with the id that its support asks for.
std::string Said(const ErrorDocument& document) {
  std::string said = document.message;
  while (said.ends_with('.')) said.pop_back();
  if (!document.details.empty()) {
    said = said.empty() ? document.details : said + " (" + document.details + ")";
  }
  if (document.request_id.empty()) return said;
  return said + (said.empty() ? "request ID " : ", request ID ") + document.request_id;
}

bool IsOneOf(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

std::string NamedBucket(const StoreContext& store) {
  return "the bucket " + store.bucket + " of " + NameOf(store);
}

/// The region that the bucket is in, as far as the answer says it.
std::string RightRegion(const http::HttpHead& head, const ErrorDocument& document) {
  if (const std::string* const header = head.Find("x-amz-bucket-region")) {
    return CleanLine(*header, 40);
  }
  if (!document.region.empty()) return document.region;
  // "the region 'us-east-1' is wrong; expecting 'eu-west-1'"
  constexpr std::string_view kExpecting = "expecting '";
  const std::size_t at = document.message.find(kExpecting);
  if (at == std::string::npos) return {};
  const std::string rest = document.message.substr(at + kExpecting.size());
  return rest.substr(0, rest.find('\''));
}

Error WrongRegion(const StoreContext& store, const std::string& right) {
  const std::string place =
      store.bucket + (store.directory.empty() ? "" : "/" + CleanLine(store.directory, 120));
  const std::string what = NamedBucket(store) + " is not in the region " + store.region;
  if (right.empty() || right == store.region) {
    return {.what = what, .remedy = "correct the region"};
  }
  return {.what = what + " but in " + right,
          .remedy = store.kind == StoreKind::kS3 ? "write s3://" + place + "?region=" + right
                                                 : "set AWS_REGION to " + right};
}

/// S3 sends requests elsewhere for some time after a bucket was made. Nothing is followed: a
/// signature is for one host, and no server of ours says which others are the store's.
Error Elsewhere(const StoreContext& store, const http::HttpHead& head,
                const ErrorDocument& document) {
  std::string host = document.endpoint;
  if (const std::string* const location = head.Find("location"); host.empty() && location) {
    host = Cleaned(http::HostOf(*location), 120);
  }
  return {.what = NameOf(store) + " wants requests for the bucket " + store.bucket +
                  " to go elsewhere for now" + (host.empty() ? std::string() : ", to " + host),
          .remedy =
              "a bucket that was just made answers by its own name within a day; try again "
              "later",
          .said = Said({.request_id = document.request_id})};
}

/// Whether the reason is not more than the code: the store's default words.
bool SaysNothing(const std::string& message) {
  std::string plain;
  for (const char c : message) {
    if (g_ascii_isalpha(c)) plain += g_ascii_tolower(c);
  }
  return plain.empty() || plain == "accessdenied" || plain == "forbidden" ||
         plain == "accessdeniedbybucketpolicy";
}

/// The action that "… is not authorized to perform: s3:ListBucket on resource …" names.
std::string DeniedAction(const std::string& reason) {
  constexpr std::string_view kWords = "not authorized to perform: ";
  const std::size_t at = reason.find(kWords);
  if (at == std::string::npos) return {};
  const std::string rest = reason.substr(at + kWords.size());
  const std::size_t end =
      rest.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-:");
  const std::string action = rest.substr(0, end);
  return action.find(':') == std::string::npos ? std::string() : action;
}

/// What would help against Amazon's reason; empty where only the reason itself does.
std::string AmazonsAdvice(const StoreContext& store, StoreAction action,
                          const std::string& reason) {
  const bool list = action == StoreAction::kList;
  const std::string wanted = list ? "s3:ListBucket" : "s3:GetObject";
  const std::string denied = SaysNothing(reason) ? wanted : DeniedAction(reason);
  if (denied.empty()) return {};
  if (reason.find("explicit deny") != std::string::npos) {
    return "a policy denies it, so adding a permission does not help: change that policy";
  }
  if (denied.starts_with("kms:")) {
    return "allow them " + denied + " on the key that the bucket is encrypted with";
  }
  // A boundary, an endpoint's or an organization's policy does not allow what theirs may.
  const std::size_t because = reason.find("because no ");
  if (because != std::string::npos && reason.find("identity-based", because) == std::string::npos &&
      reason.find("resource-based", because) == std::string::npos) {
    return {};
  }
  if (denied != wanted) return "add " + denied + " to their policy";
  const std::string arn =
      Format("arn:%s:s3:::%s", AmazonPartition(store.region), store.bucket.c_str());
  const std::string directory =
      store.directory.empty() ? "" : CleanLine(store.directory, 120) + "/";
  return "add " + wanted + " on " + arn + (list ? "" : "/" + directory + "*") + " to their policy";
}

std::string GooglesAdvice(StoreAction action, const ErrorDocument& document) {
  const std::string permission =
      action == StoreAction::kList ? "storage.objects.list" : "storage.objects.get";
  const std::string reason = document.message + " " + document.details;
  const bool fits = (SaysNothing(document.message) && SaysNothing(document.details)) ||
                    reason.find(permission) != std::string::npos;
  if (!fits) return {};
  return "give their account the permission " + permission + " on it (role Storage Object Viewer)";
}

Error NotAllowed(const StoreContext& store, StoreAction action, const std::string& key,
                 ErrorDocument document) {
  Error error{.what =
                  "the keys from " + store.key_source + " may not " +
                  (action == StoreAction::kList ? "list " : "read " + Cleaned(key, 120) + " in ") +
                  NamedBucket(store)};
  if (store.kind == StoreKind::kGcs) {
    error.remedy = GooglesAdvice(action, document);
  } else if (store.kind == StoreKind::kS3) {
    error.remedy = AmazonsAdvice(store, action, document.message);
  } else if (SaysNothing(document.message)) {
    error.remedy = "use an R2 API token with Object Read for this bucket";
  }
  // What the sentence says already is not said again.
  if (SaysNothing(document.message)) document.message.clear();
  if (SaysNothing(document.details)) document.details.clear();
  error.said = Said(document);
  return error;
}

Error WrongClock(const StoreContext& store, const http::HttpHead& head, WallTime now) {
  std::string text = "the clock of this machine is wrong";
  const std::string* const date = head.Find("date");
  const auto theirs = date == nullptr ? std::nullopt : http::ParseHttpDate(*date);
  if (theirs) {
    const Duration ahead = now - *theirs;
    text += " by " + FormatSpan(ahead < Duration(0) ? -ahead : ahead) +
            (ahead < Duration(0) ? " (behind " : " (ahead of ") + NameOf(store) + ")";
  }
  return {.what = text + ", so " + NameOf(store) + " does not accept its requests",
          .remedy = "set it (timedatectl set-ntp true)"};
}

Error ExpiredKeys(const StoreContext& store) {
  if (store.bearer) {
    return {.what = "the token from " + store.key_source + " is not valid (any more)",
            .remedy =
                "get a new one: export GOOGLE_OAUTH_ACCESS_TOKEN=$(gcloud auth "
                "print-access-token), or run gcloud auth login"};
  }
  return {.what = "the session token from " + store.key_source + " is not valid (any more)",
          .remedy = "get new keys (aws sso login, say)"};
}

Error NoSuchBucket(const StoreContext& store) {
  Error error{
      .what = "there is no bucket " + store.bucket + " at " + NameOf(store),
      .remedy = store.server.empty() ? "check its name" : "check its name and the endpoint"};
  if (store.kind != StoreKind::kR2) return error;
  // R2 keeps the buckets of each jurisdiction apart.
  error.what += store.jurisdiction.empty() ? " outside of jurisdictions"
                                           : " in the jurisdiction " + store.jurisdiction;
  error.remedy +=
      ", account-id and jurisdiction (&jurisdiction=eu in the address, or fedramp or us)";
  return error;
}

/// Whether the reason for an unknown key is that it is unknown.
bool IsAboutAccessKey(const std::string& message) {
  constexpr std::string_view kWords = "access key";
  return SaysNothing(message) || !std::ranges::search(message, kWords, {}, g_ascii_tolower).empty();
}

/// The Error for the codes that have one of their own.
std::optional<Error> KnownFault(const StoreContext& store, StoreAction action,
                                const std::string& key, const http::HttpHead& head,
                                const ErrorDocument& document, WallTime now) {
  const std::string& code = document.code;
  if (code == "SignatureDoesNotMatch") {
    return Error{.what = "the secret access key from " + store.key_source +
                         " is wrong: its signature does not match at " + NamedBucket(store),
                 .remedy = "correct it"};
  }
  if (IsOneOf(code, {"InvalidAccessKeyId", "InvalidAccessKey"})) {
    // Ceph has this code for keys of encryption that it does not get, too.
    if (!IsAboutAccessKey(document.message)) return NotAllowed(store, action, key, document);
    return Error{
        .what = NameOf(store) + " does not know the access key ID from " + store.key_source,
        .remedy = "correct it, or make a new key"};
  }
  if (IsOneOf(code, {"ExpiredToken", "InvalidToken", "TokenRefreshRequired"}) ||
      (store.bearer && head.status == 401)) {
    return ExpiredKeys(store);
  }
  if (IsOneOf(code, {"RequestTimeTooSkewed", "RequestExpired"})) {
    return WrongClock(store, head, now);
  }
  const std::string right = RightRegion(head, document);
  if (head.status == 307 && (right.empty() || right == store.region)) {
    return Elsewhere(store, head, document);
  }
  if (IsOneOf(code, {"AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect",
                     "IllegalLocationConstraintException", "InvalidRegionName"}) ||
      head.status == 301 || head.status == 307) {
    return WrongRegion(store, right);
  }
  if (code == "NoSuchBucket") return NoSuchBucket(store);
  if (head.status == 403 && IsOneOf(code, {"AccessDenied", "AllAccessDisabled"})) {
    return NotAllowed(store, action, key, document);
  }
  if (head.status == 404 && action == StoreAction::kRead) {
    return Error{.what = Cleaned(key, 120) + " is no longer in " + NamedBucket(store)};
  }
  return std::nullopt;
}

}  // namespace

std::string NameOf(const StoreContext& store) {
  return store.server.empty() ? StoreName(store.kind) : "the server " + store.server;
}

Error StoreError(const StoreContext& store, StoreAction action, const std::string& key,
                 const http::HttpHead& head, std::string_view body, WallTime now) {
  const ErrorDocument document = ParseErrorDocument(head, body);
  if (auto known = KnownFault(store, action, key, head, document, now)) return *std::move(known);
  // RequestTimeout is a 400: the connection was too slow for the store.
  const bool transient = http::IsTransientStatus(head.status) || document.code == "RequestTimeout";
  return {.what = NameOf(store) + " answered " + std::to_string(head.status) +
                  (document.code.empty() ? "" : " ") + document.code + " to " +
                  (action == StoreAction::kList ? "the listing of " + store.bucket
                                                : "reading " + Cleaned(key, 120)),
          .kind = transient ? Error::Kind::kPassing : Error::Kind::kFinal,
          .said = Said(document)};
}

}  // namespace cloudflaredump::bucket
