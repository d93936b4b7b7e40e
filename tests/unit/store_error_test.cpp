// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/store_error.h"

#include "common/redact.h"
#include "tests/unit/results.h"

namespace cloudflaredump::bucket {
namespace {

using Kind = Error::Kind;

const StoreContext kS3{.kind = StoreKind::kS3,
                       .bucket = "pcaps",
                       .directory = "dir",
                       .region = "us-east-1",
                       .key_source = "the AWS profile work"};
const WallTime kNow{std::chrono::seconds(1795414800)};  // 2026-11-23T06:20:00Z

std::string Xml(const std::string& code, const std::string& more = "") {
  return "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code>" + more +
         "<RequestId>1"
         "</RequestId></Error>";
}

Error Listing(int status, const std::string& body, const StoreContext& store = kS3,
              std::vector<std::pair<std::string, std::string>> headers = {}) {
  const Error error = StoreError(store, StoreAction::kList, "",
                                 {.status = status, .headers = std::move(headers)}, body, kNow);
  assert_true(SentenceOf(error).find('\n') == std::string::npos);
  return error;
}

void AssertFinal(const Error& error, const std::string& piece) {
  assert_true(error.kind == Kind::kFinal);
  AssertContains(SentenceOf(error), piece);
}

void WrongSecretIsSaid(void**) {
  const Error error = Listing(403, Xml("SignatureDoesNotMatch", "<StringToSign>x</StringToSign>"));
  AssertFinal(error, "the secret access key from the AWS profile work is wrong");
}

void UnknownKeyIsSaid(void**) {
  AssertFinal(Listing(403, Xml("InvalidAccessKeyId")),
              "Amazon S3 does not know the access key ID from the AWS profile work");
  const char* const kUnknown =
      "<Message>The AWS Access Key Id you provided does not exist in our records.</Message>";
  AssertFinal(Listing(403, Xml("InvalidAccessKeyId", kUnknown)), "correct it, or make a new key");
  // As Ceph 16 answers where its key management does not give a key.
  AssertFinal(Listing(403, Xml("InvalidAccessKeyId",
                               "<Message>Failed to retrieve the actual key, "
                               "kms-keyid: k1</Message>")),
              "may not list the bucket pcaps of Amazon S3: Failed to retrieve the actual key, "
              "kms-keyid: k1, request ID 1.");
}

void RightRegionIsNamed(void**) {
  const std::string want =
      "is not in the region us-east-1 but in eu-west-1; write "
      "s3://pcaps/dir?region=eu-west-1";
  AssertFinal(Listing(400, Xml("AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>")),
              want);
  AssertFinal(Listing(400, Xml("AuthorizationHeaderMalformed",
                               "<Message>the region 'us-east-1' is wrong; expecting 'eu-west-1'"
                               "</Message>")),
              want);
  AssertFinal(Listing(301, Xml("PermanentRedirect"), kS3, {{"x-amz-bucket-region", "eu-west-1"}}),
              want);
  AssertFinal(Listing(301, ""), "is not in the region us-east-1; correct the region");
  StoreContext r2 = kS3;
  r2.kind = StoreKind::kR2;
  AssertFinal(Listing(400, Xml("InvalidRegionName", "<Region>auto</Region>"), r2),
              "set AWS_REGION to auto");
}

void MissingBucketIsSaid(void**) {
  AssertFinal(Listing(404, Xml("NoSuchBucket")),
              "there is no bucket pcaps at Amazon S3; check its name.");
}

/// On an endpoint of the user's own, nothing is Amazon's.
void AnotherServerIsNamed(void**) {
  StoreContext own = kS3;
  own.server = "minio.example:9000";
  AssertFinal(Listing(404, Xml("NoSuchBucket"), own),
              "there is no bucket pcaps at the server minio.example:9000; check its name and the "
              "endpoint.");
  AssertFinal(Listing(403, Xml("InvalidAccessKeyId"), own),
              "the server minio.example:9000 does not");
  AssertFinal(Listing(403, Xml("SignatureDoesNotMatch"), own),
              "at the bucket pcaps of the server minio.example:9000");
  AssertLacks(SentenceOf(Listing(418, "", own)), "Amazon");
}

void MissingPermissionIsNamed(void**) {
  AssertFinal(Listing(403, Xml("AccessDenied")), "add s3:ListBucket on arn:aws:s3:::pcaps to");
  const http::HttpHead denied{.status = 403, .headers = {}};
  AssertFinal(StoreError(kS3, StoreAction::kRead, "dir/k", denied, Xml("AccessDenied"), kNow),
              "add s3:GetObject on arn:aws:s3:::pcaps/dir/* to");
  StoreContext other = kS3;
  other.kind = StoreKind::kGcs;
  AssertFinal(Listing(403, Xml("AccessDenied"), other), "storage.objects.list");
  AssertFinal(StoreError(other, StoreAction::kRead, "k", denied, Xml("AccessDenied"), kNow),
              "storage.objects.get");
  other.kind = StoreKind::kR2;
  AssertFinal(Listing(403, Xml("AccessDenied"), other), "an R2 API token with Object Read");
}

std::string Denied(const std::string& message, StoreAction action = StoreAction::kList,
                   StoreContext store = kS3) {
  const http::HttpHead head{.status = 403, .headers = {}};
  return SentenceOf(StoreError(store, action, action == StoreAction::kList ? "" : "dir/k", head,
                               Xml("AccessDenied", message), kNow));
}

std::string Message(const std::string& text) {
  return "<Message>" + text + "</Message>";
}

constexpr const char* kUser =
    "User: arn:aws:iam::111122223333:user/netops is not authorized to "
    "perform: ";

void PlainDenialGetsOurAdviceAndTheRequestsId(void**) {
  for (const char* const words : {"Access Denied", "Access Denied.", "Forbidden", ""}) {
    AssertText(Denied(Message(words)),
               "the keys from the AWS profile work may not list the bucket pcaps of Amazon S3: "
               "request ID 1; add s3:ListBucket on arn:aws:s3:::pcaps to their policy.");
  }
  StoreContext china = kS3;
  china.region = "cn-north-1";
  AssertContains(Denied("", StoreAction::kRead, china),
                 "add s3:GetObject on arn:aws-cn:s3:::pcaps/dir/* to");
}

/// What Amazon writes; its own reason is shown, and our advice only where it fits.
void ReasonOfADenialIsShownAndAdviceFitsIt(void**) {
  const std::string kms = Denied(
      Message(std::string(kUser) + "kms:Decrypt on the resource associated with this ciphertext"),
      StoreAction::kRead);
  AssertContains(kms, "kms:Decrypt on the resource associated with this ciphertext, request ID 1");
  AssertContains(kms, "; allow them kms:Decrypt on the key that the bucket is encrypted with.");
  const std::string missing =
      Denied(Message(std::string(kUser) + "s3:ListBucket on resource: \"arn:aws:s3:::pcaps\" "
                                          "because no identity-based policy allows the "
                                          "s3:ListBucket action"));
  AssertContains(missing, "; add s3:ListBucket on arn:aws:s3:::pcaps to their policy.");
  const std::string forbidden =
      Denied(Message(std::string(kUser) + "s3:ListBucket on resource: \"arn:aws:s3:::pcaps\" with "
                                          "an explicit deny in a resource-based policy"));
  AssertContains(forbidden, "explicit deny in a resource-based policy");
  AssertContains(forbidden, "; a policy denies it, so adding a permission does not help");
  for (const char* const where : {"service control", "VPC endpoint", "session",
                                  "permissions "
                                  "boundary"}) {
    const std::string other = Denied(
        Message(std::string(kUser) + "s3:ListBucket because no " + where + " policy allows it"));
    AssertContains(other, where);
    assert_true(other.find("; add") == std::string::npos);
  }
  const std::string unheard = Denied(Message("Request must be signed by the moon"));
  AssertContains(unheard, "Request must be signed by the moon, request ID 1.");
  assert_true(unheard.find("; add") == std::string::npos);
}

void GooglesDetailsAreShown(void**) {
  StoreContext store = kS3;
  store.kind = StoreKind::kGcs;
  const std::string permission = Denied(
      "<Message>Access denied.</Message><Details>me@p.iam.gserviceaccount.com does not have "
      "storage.objects.list access to the Google Cloud Storage bucket.</Details>",
      StoreAction::kList, store);
  AssertContains(permission, "me@p.iam.gserviceaccount.com does not have storage.objects.list");
  AssertContains(permission, "; give their account the permission storage.objects.list");
  const std::string perimeter = Denied(
      "<Message>Access denied.</Message><Details>Request is prohibited by organization's "
      "policy.</Details>",
      StoreAction::kList, store);
  AssertContains(perimeter, "prohibited by organization's policy");
  assert_true(perimeter.find("give their account") == std::string::npos);
}

/// Whatever a server repeats, wherever its text is cut.
void SecretsThatAServerRepeatsAreNotShown(void**) {
  RegisterSecret("planted-secret-of-a-store");
  for (std::size_t n = 470; n < 505; ++n) {
    const std::string text = std::string(n, 'x') + "planted-secret-of-a-store";
    for (const std::string& answer :
         {Message(text), "<Details>" + text + "</Details>", "<Endpoint>" + text + "</Endpoint>"}) {
      for (const char* const code : {"AccessDenied", "Teapot", "TemporaryRedirect"}) {
        const int status = std::string(code) == "TemporaryRedirect" ? 307 : 403;
        AssertLacks(SentenceOf(Listing(status, Xml(code, answer))), "plante");
      }
    }
  }
  AssertLacks(Denied(Message("https://x.test/?X-Amz-Signature=planted0")), "planted0");
  AssertLacks(SentenceOf(Listing(403, Xml("planted-secret-of-a-store"))), "planted");
}

void RequestsIdMayStandInAHeader(void**) {
  for (const char* const name : {"x-amz-request-id", "x-guploader-uploadid", "cf-ray"}) {
    AssertFinal(Listing(403, "<Error><Code>AccessDenied</Code></Error>", kS3, {{name, "4442587F"}}),
                ": request ID 4442587F; add");
  }
}

void TemporaryRedirectIsNamed(void**) {
  const std::string endpoint = "<Endpoint>pcaps.s3-us-west-2.amazonaws.com</Endpoint>";
  AssertFinal(Listing(307, Xml("TemporaryRedirect", endpoint)),
              "Amazon S3 wants requests for the bucket pcaps to go elsewhere for now, to "
              "pcaps.s3-us-west-2.amazonaws.com");
  AssertFinal(Listing(307, "", kS3, {{"location", "https://other.test/path?secret"}}),
              "for now, to other.test; a bucket that was just made");
  AssertFinal(Listing(307, Xml("TemporaryRedirect"), kS3, {{"x-amz-bucket-region", "us-west-2"}}),
              "is not in the region us-east-1 but in us-west-2");
}

void JurisdictionsAreNamedWhereABucketIsMissing(void**) {
  StoreContext r2 = kS3;
  r2.kind = StoreKind::kR2;
  AssertFinal(Listing(404, Xml("NoSuchBucket"), r2),
              "there is no bucket pcaps at Cloudflare R2 outside of jurisdictions; check its name, "
              "account-id and jurisdiction (&jurisdiction=eu");
  r2.jurisdiction = "eu";
  AssertFinal(Listing(404, Xml("NoSuchBucket"), r2), "in the jurisdiction eu; check");
}

void ExpiredTokensAreSaid(void**) {
  for (const char* const code : {"ExpiredToken", "InvalidToken", "TokenRefreshRequired"}) {
    AssertFinal(Listing(400, Xml(code)),
                "the session token from the AWS profile work is not valid");
  }
  StoreContext google = kS3;
  google.kind = StoreKind::kGcs;
  google.bearer = true;
  AssertFinal(Listing(401, Xml("AuthenticationRequired"), google),
              "GOOGLE_OAUTH_ACCESS_TOKEN=$(gcloud auth print-access-token)");
}

void WrongClockIsMeasured(void**) {
  AssertFinal(
      Listing(403, Xml("RequestTimeTooSkewed"), kS3, {{"date", "Mon, 23 Nov 2026 06:00:00 GMT"}}),
      "wrong by 20 min (ahead of Amazon S3)");
  AssertFinal(
      Listing(403, Xml("RequestTimeTooSkewed"), kS3, {{"date", "Mon, 23 Nov 2026 08:20:00 GMT"}}),
      "wrong by 2 h (behind Amazon S3)");
  AssertFinal(Listing(403, Xml("RequestTimeTooSkewed")), "the clock of this machine is wrong, so");
}

void RemovedObjectIsSaid(void**) {
  AssertFinal(StoreError(kS3, StoreAction::kRead, "dir/k", {.status = 404, .headers = {}},
                         Xml("NoSuchKey"), kNow),
              "dir/k is no longer in the bucket pcaps of Amazon S3");
}

void OtherAnswersAreShownCleaned(void**) {
  const Error error =
      Listing(418, Xml("Teapot\x1b", "<Message>short and\n{stout}</Message><Details>d</Details>"));
  assert_true(error.kind == Kind::kFinal);
  const Error clean = Listing(418, Xml("Teapot",
                                       "<Message>short and\n{stout}</Message>"
                                       "<Details>d</Details>"));
  AssertText(
      ClauseOf(clean),
      "Amazon S3 answered 418 Teapot to the listing of pcaps: short and (stout) (d), request ID 1");
  AssertText(ClauseOf(Listing(403, "<html><body>Blocked by the proxy")),
             "Amazon S3 answered 403 to the listing of pcaps");
}

void PassingFaultsMayBeTriedAgain(void**) {
  assert_true(Listing(503, Xml("SlowDown")).kind == Kind::kPassing);
  assert_true(Listing(500, "").kind == Kind::kPassing);
  assert_true(Listing(429, "").kind == Kind::kPassing);
  assert_true(Listing(400, Xml("RequestTimeout")).kind == Kind::kPassing);
  assert_true(Listing(400, Xml("InvalidArgument")).kind == Kind::kFinal);
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WrongSecretIsSaid),
      cmocka_unit_test(UnknownKeyIsSaid),
      cmocka_unit_test(RightRegionIsNamed),
      cmocka_unit_test(MissingBucketIsSaid),
      cmocka_unit_test(AnotherServerIsNamed),
      cmocka_unit_test(MissingPermissionIsNamed),
      cmocka_unit_test(PlainDenialGetsOurAdviceAndTheRequestsId),
      cmocka_unit_test(ReasonOfADenialIsShownAndAdviceFitsIt),
      cmocka_unit_test(GooglesDetailsAreShown),
      cmocka_unit_test(SecretsThatAServerRepeatsAreNotShown),
      cmocka_unit_test(RequestsIdMayStandInAHeader),
      cmocka_unit_test(TemporaryRedirectIsNamed),
      cmocka_unit_test(JurisdictionsAreNamedWhereABucketIsMissing),
      cmocka_unit_test(ExpiredTokensAreSaid),
      cmocka_unit_test(WrongClockIsMeasured),
      cmocka_unit_test(RemovedObjectIsSaid),
      cmocka_unit_test(OtherAnswersAreShownCleaned),
      cmocka_unit_test(PassingFaultsMayBeTriedAgain),
  };
  return cmocka_run_group_tests_name("store error", tests, nullptr, nullptr);
}
