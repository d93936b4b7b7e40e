// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/store_error.h"

#include "tests/unit/unit_test.h"

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
              "Amazon S3 does not know the access key id from the AWS profile work");
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
  AssertFinal(Listing(404, Xml("NoSuchBucket")), "there is no bucket pcaps at Amazon S3");
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
  AssertText(ClauseOf(clean),
             "Amazon S3 answered 418 Teapot to the listing of pcaps: short and (stout) (d)");
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
      cmocka_unit_test(WrongSecretIsSaid),           cmocka_unit_test(UnknownKeyIsSaid),
      cmocka_unit_test(RightRegionIsNamed),          cmocka_unit_test(MissingBucketIsSaid),
      cmocka_unit_test(MissingPermissionIsNamed),    cmocka_unit_test(ExpiredTokensAreSaid),
      cmocka_unit_test(WrongClockIsMeasured),        cmocka_unit_test(RemovedObjectIsSaid),
      cmocka_unit_test(OtherAnswersAreShownCleaned), cmocka_unit_test(PassingFaultsMayBeTriedAgain),
  };
  return cmocka_run_group_tests_name("store error", tests, nullptr, nullptr);
}
