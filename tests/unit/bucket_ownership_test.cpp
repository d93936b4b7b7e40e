// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/bucket_ownership.h"

#include "tests/unit/results.h"

namespace cloudflaredump::capture {
namespace {

api::BucketOwnership Owned(const std::string& status, const std::string& destination_conf) {
  return {.id = "1", .status = status, .destination_conf = destination_conf, .filename = "x"};
}

constexpr const char* kS3 = "s3://pcaps/dir?region=us-east-1";

std::string Trouble(const std::vector<api::BucketOwnership>& registered,
                    const std::string& destination_conf = kS3) {
  return OwnershipTrouble(registered, destination_conf).value_or("none");
}

void AValidatedBucketIsNoTrouble(void**) {
  AssertText(Trouble({Owned("success", kS3)}), "none");
  AssertText(Trouble({Owned("success", "s3://other"), Owned("success", kS3)}), "none");
}

void WhatIsMissingComesWithTheCommand(void**) {
  AssertText(Trouble({}),
             "the bucket s3://pcaps/dir?region=us-east-1 is not registered in this account; run: "
             "cloudflaredump register-bucket 's3://pcaps/dir?region=us-east-1'");
  AssertText(Trouble({Owned("pending", kS3)}),
             "the bucket s3://pcaps/dir?region=us-east-1 is registered but not validated yet; run: "
             "cloudflaredump register-bucket 's3://pcaps/dir?region=us-east-1'");
  AssertContains(Trouble({Owned("fail\x01", kS3)}), "registered with the status \"fail");
}

void AnotherWayOfWritingIsAdvised(void**) {
  const auto said = [](const std::string& wanted) {
    return SpelledOtherwise({Owned("success", kS3)}, wanted).value_or("none");
  };
  AssertText(said(kS3), "none");
  AssertText(said("s3://other/dir?region=us-east-1"), "none");
  AssertText(said("s3://pcaps/dir/?region=us-east-1"),
             "the bucket is registered as s3://pcaps/dir?region=us-east-1; write destination-conf "
             "like that");
}

void TheCommandIsQuotedForAShell(void**) {
  AssertContains(Trouble({}, "s3://pcaps/it's?region=us-east-1"),
                 R"(register-bucket 's3://pcaps/it'\''s?region=us-east-1')");
}

void AFolderIsNamedAsItWasRegistered(void**) {
  AssertContains(Trouble({}, "file:///srv/pcaps"), "register-bucket 'file:///srv/pcaps'");
  AssertText(Trouble({Owned("success", "file:///srv/pcaps")}, "file:///srv/pcaps"), "none");
}

void AnotherDirectoryIsAnotherBucket(void**) {
  AssertContains(Trouble({Owned("success", "s3://pcaps/other?region=us-east-1")}),
                 "is not registered");
}

void TheOneThatWasValidatedLaterCounts(void**) {
  AssertText(Trouble({Owned("failed", kS3), Owned("success", kS3)}), "none");
  AssertText(Trouble({Owned("success", kS3), Owned("failed", kS3)}), "none");
}

/// Cloudflare may or may not repeat R2's keys; they are never said.
void KeysDoNotCount(void**) {
  const std::string bare = "r2://pcaps?account-id=0123abc";
  const std::string keyed = bare + "&access-key-id=planted1&secret-access-key=planted2";
  AssertText(Trouble({Owned("success", bare)}, keyed), "none");
  AssertText(Trouble({Owned("success", keyed)}, bare), "none");
  const std::string said = Trouble({Owned("pending", keyed)}, keyed);
  AssertContains(said, bare);
  assert_true(said.find("planted") == std::string::npos);
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AValidatedBucketIsNoTrouble),
      cmocka_unit_test(WhatIsMissingComesWithTheCommand),
      cmocka_unit_test(AnotherWayOfWritingIsAdvised),
      cmocka_unit_test(TheCommandIsQuotedForAShell),
      cmocka_unit_test(AFolderIsNamedAsItWasRegistered),
      cmocka_unit_test(AnotherDirectoryIsAnotherBucket),
      cmocka_unit_test(TheOneThatWasValidatedLaterCounts),
      cmocka_unit_test(KeysDoNotCount),
  };
  return cmocka_run_group_tests_name("bucket_ownership", tests, nullptr, nullptr);
}
