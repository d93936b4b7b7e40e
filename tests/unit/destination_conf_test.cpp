// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/destination_conf.h"

#include <glib.h>

#include "common/redact.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::bucket {
namespace {

DestinationConf Parsed(const std::string& text) {
  const Result<DestinationConf> conf = ParseDestinationConf(text);
  if (!conf) fail_msg("%s: %s", text.c_str(), SentenceOf(conf.error()).c_str());
  return *conf;
}

DestinationConf ReadFrom(const std::string& text) {
  const Result<DestinationConf> conf = ParseReadFrom(text);
  if (!conf) fail_msg("%s: %s", text.c_str(), SentenceOf(conf.error()).c_str());
  return *conf;
}

/// The sentence for `text`, which names the mistake and shows no key.
std::string Mistake(const std::string& text) {
  const Result<DestinationConf> conf = ParseDestinationConf(text);
  if (conf) fail_msg("\"%s\" was taken", text.c_str());
  assert_true(conf.error().kind == Error::Kind::kUsage);
  assert_true(SentenceOf(conf.error()).find("planted") == std::string::npos);
  assert_true(SentenceOf(conf.error()).find('\n') == std::string::npos);
  return SentenceOf(conf.error());
}

void DocumentedFormsAreRead(void**) {
  const DestinationConf s3 = Parsed("s3://pcaps-bucket/captures/today?region=us-east-1");
  assert_true(s3.kind == StoreKind::kS3);
  AssertText(s3.bucket, "pcaps-bucket");
  AssertText(s3.directory, "captures/today");
  AssertText(s3.region, "us-east-1");
  AssertText(Parsed("s3://pcaps-bucket?region=us-east-1").directory, "");
  AssertText(Parsed("s3://my.bucket/?sse=AES256&region=eu-west-3").region, "eu-west-3");
  const DestinationConf gs = Parsed("gs://bucket_test/a b+c%20");
  assert_true(gs.kind == StoreKind::kGcs);
  AssertText(gs.bucket, "bucket_test");
  AssertText(gs.directory, "a b+c%20");
  const DestinationConf r2 = Parsed(
      "r2://pcaps?account-id=0123456789abcdef0123456789abcdef&access-key-id=id%3D&"
      "secret-access-key=plantedsecret%2B");
  assert_true(r2.kind == StoreKind::kR2);
  AssertText(r2.account_id, "0123456789abcdef0123456789abcdef");
  AssertText(r2.access_key_id, "id=");
  AssertText(r2.secret_access_key, "plantedsecret+");
  AssertText(Parsed("r2://pcaps/d?account-id=a").directory, "d");
  AssertText(r2.jurisdiction, "");
  AssertText(Parsed("r2://pcaps/d?account-id=a&jurisdiction=eu").jurisdiction, "eu");
  AssertContains(Mistake("r2://pcaps?account-id=a&jurisdiction=e.u"), "not a jurisdiction of R2");
  AssertContains(Mistake("s3://pcaps?region=a&jurisdiction=eu"), "which it cannot have");
  AssertText(Parsed(" gs://bucket-test/dir// \n").directory, "dir");
}

void FoldersAreRead(void**) {
  const DestinationConf url = Parsed("file:///tmp/a%20b/");
  assert_true(url.kind == StoreKind::kFolder);
  AssertText(url.directory, "/tmp/a b");
  AssertText(Parsed("file://localhost/srv").directory, "/srv");
  AssertText(Parsed("file:///").directory, "/");
  AssertText(ReadFrom("file:///tmp").directory, "/tmp");
  AssertText(ReadFrom("/mnt/pcaps//").directory, "/mnt/pcaps");
  AssertText(ReadFrom("relative/folder").directory, "relative/folder");
  AssertText(ReadFrom("/").directory, "/");
  AssertText(ReadFrom("~/pcaps").directory, std::string(g_get_home_dir()) + "/pcaps");
  AssertText(ReadFrom("/mnt/50%").directory, "/mnt/50%");
}

void ReadFromTakesS3WithoutRegion(void**) {
  const DestinationConf conf = ReadFrom("s3://pcaps-bucket/dir");
  assert_true(conf.kind == StoreKind::kS3);
  AssertText(conf.region, "");
  AssertText(ReadFrom("s3://pcaps-bucket?region=eu-west-1").region, "eu-west-1");
  AssertText(ReadFrom("gs://pcaps-bucket").bucket, "pcaps-bucket");
  assert_false(ParseReadFrom("").has_value());
  assert_false(ParseReadFrom("https://bucket.s3.amazonaws.com/").has_value());
  assert_false(ParseReadFrom("/tmp/a\nb").has_value());
}

void EachMistakeIsNamed(void**) {
  AssertContains(Mistake("pcaps-bucket"), "not the address of a bucket; it must be s3://");
  AssertContains(Mistake(""), "not the address of a bucket");
  AssertContains(Mistake("azure://pcaps"), "\"azure://\" is not a kind of bucket");
  AssertContains(Mistake("S3://pcaps?region=a"), "not a kind of bucket");
  AssertContains(Mistake("s3://pcaps/dir"), "needs the bucket's region: s3://pcaps/dir?region=");
  AssertContains(Mistake("s3://pcaps?region="), "\"region\" without a value");
  AssertContains(Mistake("s3://pcaps?region"), "\"region\" without a value");
  AssertContains(Mistake("s3://pcaps?region=a&region=b"), "says \"region\" twice");
  AssertContains(Mistake("s3://pcaps?region=us.east"), "not a region's name");
  AssertContains(Mistake("s3://pcaps?region=%zz"), "two hex digits");
  AssertContains(Mistake("s3://pcaps?region=a&sse=none"), "sse can only be AES256");
  AssertContains(Mistake("s3://pcaps?region=a&Region=b"), "\"Region\", which it cannot have");
  AssertContains(Mistake("gs://pcaps?region=a"), "\"region\", which it cannot have");
  AssertContains(Mistake("s3://?region=a"), "names no bucket");
  AssertContains(Mistake("s3:///dir?region=a"), "names no bucket");
  AssertContains(Mistake("r2://pcaps"), "needs account-id");
  AssertContains(Mistake("r2://pcaps?account-id=a.b"), "not an account ID");
  AssertContains(Mistake("r2://pcaps?account-id=a&access-key-id=planted"), "or neither");
  AssertContains(Mistake("r2://pcaps?account-id=a&secret-access-key=planted"), "or neither");
  AssertContains(Mistake("r2://pcaps?secret-access-key=planted&account-id=/"), "account ID");
  AssertContains(Mistake("file://folder"), "three slashes");
  AssertContains(Mistake("file:///a%0Ab"), "not a path");
  AssertContains(Mistake("s3://pcaps/a\nb?region=a"), "line break");
}

void BucketNamesAreThoseOfTheStore(void**) {
  for (const char* const name :
       {"Pcaps", "ab", "-abc", "abc-", "a..b", "a/../b", "a_b", "abc:80", "a%2fb", "[::1]"}) {
    const std::string mistake = Mistake("s3://" + std::string(name) + "?region=us-east-1");
    AssertContains(mistake, "is not a name that a bucket of Amazon S3 can have");
  }
  AssertContains(Mistake("s3://evil.test@x?region=us-east-1"), "nothing before an @");
  const std::string mistake = Mistake("s3://AKIA:planted/key@x?region=us-east-1");
  assert_true(mistake.find("planted") == std::string::npos);
  Mistake("r2://my.bucket?account-id=a");
  Mistake("gs://" + std::string(223, 'a'));
  Mistake("s3://" + std::string(64, 'a') + "?region=a");
  Parsed("gs://" + std::string(222, 'a'));
  Parsed("s3://" + std::string(63, 'a') + "?region=a");
}

void AddressesAreWrittenWithoutKeys(void**) {
  for (const char* const text :
       {"s3://pcaps-bucket/dir?region=us-east-1", "gs://bucket_test", "gs://bucket/a/b",
        "s3://tokens/a=b", "r2://pcaps/d?account-id=abc",
        "r2://pcaps/d?account-id=abc&jurisdiction=eu", "file:///tmp/x",
        "file:///tmp/100%25%20pure"}) {
    AssertText(WithoutKeys(text), text);
  }
  const std::string keys =
      "r2://pcaps?account-id=abc&access-key-id=plantedid&secret-access-key=plantedsecret";
  AssertText(WithoutKeys(keys), "r2://pcaps?account-id=abc");
  AssertText(WithoutKeys("s3://pcaps/dir/?sse=AES256&region=a"), "s3://pcaps/dir?region=a");
  AssertText(WithoutKeys("file://localhost/tmp/x/"), "file:///tmp/x");
  AssertText(WithoutKeys("r2://?secret-access-key=planted"), "r2://?secret-access-key=[secret]");
}

void KeysAreRegisteredAsSecrets(void**) {
  Parsed("r2://pcaps?account-id=abc&access-key-id=plantedid1&secret-access-key=plantedsecret1");
  AssertText(Redact("x plantedid1 y plantedsecret1 z"), "x [secret] y [secret] z");
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(DocumentedFormsAreRead),
      cmocka_unit_test(FoldersAreRead),
      cmocka_unit_test(ReadFromTakesS3WithoutRegion),
      cmocka_unit_test(EachMistakeIsNamed),
      cmocka_unit_test(BucketNamesAreThoseOfTheStore),
      cmocka_unit_test(AddressesAreWrittenWithoutKeys),
      cmocka_unit_test(KeysAreRegisteredAsSecrets),
  };
  return cmocka_run_group_tests_name("destination_conf", tests, nullptr, nullptr);
}
