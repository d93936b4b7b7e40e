// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/store_error.h"

#include <algorithm>

#include "common/text.h"
#include "extcap/bucket/xml_walk.h"

namespace cloudflaredump::bucket {
namespace {

/// The error document of S3, as far as it could be read.
struct ErrorDocument {
  std::string code;
  std::string message;
  std::string region;
  std::string details;  ///< Google's addition.
};

ErrorDocument ParseErrorDocument(std::string_view body) {
  ErrorDocument document;
  // A document that breaks off still has told its code.
  (void)WalkXml(body, [&](std::string_view path, const std::string& text) {
    if (path == "/Error/Code") document.code = CleanLine(text, 80);
    if (path == "/Error/Message") document.message = CleanLine(text, 200);
    if (path == "/Error/Region") document.region = CleanLine(text, 40);
    if (path == "/Error/Details") document.details = CleanLine(text, 200);
  });
  return document;
}

bool IsOneOf(std::string_view code, std::initializer_list<std::string_view> codes) {
  return std::ranges::find(codes, code) != codes.end();
}

std::string Bucket(const StoreContext& store) {
  return "the bucket " + store.bucket + " of " + StoreName(store.kind);
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

std::string WrongRegion(const StoreContext& store, const std::string& right) {
  const std::string place =
      store.bucket + (store.directory.empty() ? "" : "/" + CleanLine(store.directory, 120));
  std::string text = Bucket(store) + " is not in the region " + store.region;
  if (right.empty() || right == store.region) return text + "; correct the region";
  text += " but in " + right;
  if (store.kind == StoreKind::kS3) return text + "; write s3://" + place + "?region=" + right;
  return text + "; set AWS_REGION to " + right;
}

std::string NotAllowed(const StoreContext& store, StoreAction action, const std::string& key) {
  const bool list = action == StoreAction::kList;
  std::string text = "the keys from " + store.key_source + " may not " +
                     (list ? "list " : "read " + CleanLine(key, 120) + " in ") + Bucket(store);
  switch (store.kind) {
    case StoreKind::kGcs:
      return text + "; give their account the permission " +
             (list ? "storage.objects.list" : "storage.objects.get") +
             " on it (role Storage Object Viewer)";
    case StoreKind::kR2:
      return text + "; use an R2 API token with Object Read for this bucket";
    default:
      break;
  }
  const std::string directory =
      store.directory.empty() ? "" : CleanLine(store.directory, 120) + "/";
  return text + "; add " +
         (list ? "s3:ListBucket on arn:aws:s3:::" + store.bucket
               : "s3:GetObject on arn:aws:s3:::" + store.bucket + "/" + directory + "*") +
         " to their policy";
}

std::string WrongClock(const StoreContext& store, const http::HttpHead& head, WallTime now) {
  std::string text = "the clock of this machine is wrong";
  const std::string* const date = head.Find("date");
  const auto theirs = date == nullptr ? std::nullopt : http::ParseHttpDate(*date);
  if (theirs) {
    const Duration ahead = now - *theirs;
    text += " by " + FormatSpan(ahead < Duration(0) ? -ahead : ahead) +
            (ahead < Duration(0) ? " (behind " : " (ahead of ") + StoreName(store.kind) + ")";
  }
  return text + ", so " + StoreName(store.kind) +
         " does not accept its requests; set it (timedatectl set-ntp true)";
}

std::string ExpiredKeys(const StoreContext& store) {
  if (store.bearer) {
    return "the token in GOOGLE_OAUTH_ACCESS_TOKEN is not valid (any more); get a new one: export "
           "GOOGLE_OAUTH_ACCESS_TOKEN=$(gcloud auth print-access-token)";
  }
  return "the session token from " + store.key_source +
         " is not valid (any more); get new keys (aws sso login, say) and export them again";
}

/// The sentence for the codes that have one of their own; empty for the others.
std::string KnownFault(const StoreContext& store, StoreAction action, const std::string& key,
                       const http::HttpHead& head, const ErrorDocument& document, WallTime now) {
  const std::string& code = document.code;
  if (code == "SignatureDoesNotMatch") {
    return "the secret access key from " + store.key_source +
           " is wrong: its signature does not match at " + Bucket(store) + "; correct it";
  }
  if (IsOneOf(code, {"InvalidAccessKeyId", "InvalidAccessKey"})) {
    return std::string(StoreName(store.kind)) + " does not know the access key id from " +
           store.key_source + "; correct it, or make a new key";
  }
  if (IsOneOf(code, {"ExpiredToken", "InvalidToken", "TokenRefreshRequired"}) ||
      (store.bearer && head.status == 401)) {
    return ExpiredKeys(store);
  }
  if (IsOneOf(code, {"RequestTimeTooSkewed", "RequestExpired"})) {
    return WrongClock(store, head, now);
  }
  if (IsOneOf(code, {"AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect",
                     "IllegalLocationConstraintException", "InvalidRegionName"}) ||
      head.status == 301 || head.status == 307) {
    return WrongRegion(store, RightRegion(head, document));
  }
  if (code == "NoSuchBucket") {
    return "there is no bucket " + store.bucket + " at " + StoreName(store.kind) +
           "; check its name";
  }
  if (head.status == 403 && IsOneOf(code, {"AccessDenied", "AllAccessDisabled"})) {
    return NotAllowed(store, action, key);
  }
  if (head.status == 404 && action == StoreAction::kRead) {
    return CleanLine(key, 120) + " is no longer in " + Bucket(store);
  }
  return {};
}

}  // namespace

Error StoreError(const StoreContext& store, StoreAction action, const std::string& key,
                 const http::HttpHead& head, std::string_view body, WallTime now) {
  const ErrorDocument document = ParseErrorDocument(body);
  std::string known = KnownFault(store, action, key, head, document, now);
  if (!known.empty()) return {.what = std::move(known)};
  std::string text = std::string(StoreName(store.kind)) + " answered " +
                     std::to_string(head.status) + (document.code.empty() ? "" : " ") +
                     document.code + " to " +
                     (action == StoreAction::kList ? "the listing of " + store.bucket
                                                   : "reading " + CleanLine(key, 120));
  if (!document.message.empty()) text += ": " + document.message;
  if (!document.details.empty()) text += " (" + document.details + ")";
  // RequestTimeout is a 400: the connection was too slow for the store.
  const bool transient = http::IsTransientStatus(head.status) || document.code == "RequestTimeout";
  return {.what = std::move(text), .kind = transient ? Error::Kind::kPassing : Error::Kind::kFinal};
}

}  // namespace cloudflaredump::bucket
