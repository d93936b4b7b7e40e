// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/store_address.h"

#include "common/text.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::bucket {
namespace {

/// "URL REGION" of the bucket that `destination` names.
std::string Address(const std::string& destination, const std::string& endpoint = "",
                    const std::string& region = "") {
  const Result<DestinationConf> conf = ParseReadFrom(destination);
  if (!conf) fail_msg("%s", SentenceOf(conf.error()).c_str());
  const Result<StoreAddress> address = FindStore(*conf, endpoint, region);
  return address ? address->url + " " + address->region : SentenceOf(address.error());
}

void AmazonsHostIsTheBucketsWhereTlsAllows(void**) {
  AssertText(Address("s3://pcaps/dir?region=eu-west-3"),
             "https://pcaps.s3.eu-west-3.amazonaws.com eu-west-3");
  AssertText(Address("s3://my.pcaps?region=eu-west-3"),
             "https://s3.eu-west-3.amazonaws.com/my.pcaps eu-west-3");
}

/// As botocore 1.43 makes them.
void RegionsApartHaveTheirOwnDomains(void**) {
  const std::pair<const char*, const char*> cases[] = {
      {"cn-north-1", "amazonaws.com.cn"},    {"us-gov-west-1", "amazonaws.com"},
      {"eusc-de-east-1", "amazonaws.eu"},    {"us-iso-east-1", "c2s.ic.gov"},
      {"us-isob-east-1", "sc2s.sgov.gov"},   {"eu-isoe-west-1", "cloud.adc-e.uk"},
      {"us-isof-south-1", "csp.hci.ic.gov"}, {"eu-west-3", "amazonaws.com"},
  };
  for (const auto& [region, domain] : cases) {
    AssertText(Address(std::string("s3://pcaps?region=") + region),
               Format("https://pcaps.s3.%s.%s %s", region, domain, region));
  }
  AssertText(AmazonPartition("cn-northwest-1"), "aws-cn");
  AssertText(AmazonPartition("us-gov-east-1"), "aws-us-gov");
  AssertText(AmazonPartition("eusc-de-east-1"), "aws-eusc");
  AssertText(AmazonPartition("us-isob-east-1"), "aws-iso-b");
  AssertText(AmazonPartition("us-east-1"), "aws");
}

void JurisdictionsOfR2HaveTheirOwnHosts(void**) {
  AssertText(Address("r2://pcaps?account-id=0123abc&jurisdiction=eu"),
             "https://0123abc.eu.r2.cloudflarestorage.com/pcaps auto");
  AssertText(Address("r2://pcaps?jurisdiction=fedramp&account-id=0123abc"),
             "https://0123abc.fedramp.r2.cloudflarestorage.com/pcaps auto");
}

void AmazonsRegionIsTheBucketsElseTheEnvironments(void**) {
  AssertText(Address("s3://pcaps?region=eu-west-3", "", "us-east-1"),
             "https://pcaps.s3.eu-west-3.amazonaws.com eu-west-3");
  AssertText(Address("s3://pcaps", "", "us-east-1"),
             "https://pcaps.s3.us-east-1.amazonaws.com us-east-1");
  AssertContains(Address("s3://pcaps"), "set AWS_REGION");
}

void GoogleAndR2HaveOneHostAndAuto(void**) {
  AssertText(Address("gs://my.pcaps/dir", "", "us-east-1"),
             "https://storage.googleapis.com/my.pcaps auto");
  AssertText(Address("r2://pcaps?account-id=0123abc", "", "us-east-1"),
             "https://0123abc.r2.cloudflarestorage.com/pcaps auto");
}

void EndpointIsUsedInPathStyle(void**) {
  AssertText(Address("s3://pcaps?region=a", "http://127.0.0.1:9/"), "http://127.0.0.1:9/pcaps a");
  AssertText(Address("gs://pcaps", "http://127.0.0.1:9"), "http://127.0.0.1:9/pcaps auto");
  AssertText(Address("gs://pcaps", "http://127.0.0.1:9", "b"), "http://127.0.0.1:9/pcaps b");
  AssertText(Address("r2://pcaps?account-id=a", "https://s3.test/base//", "b"),
             "https://s3.test/base/pcaps b");
  // A jurisdiction's endpoint of R2, with a region that was set for Amazon.
  AssertText(Address("r2://pcaps?account-id=a", "https://a.eu.r2.cloudflarestorage.com", "b"),
             "https://a.eu.r2.cloudflarestorage.com/pcaps auto");
}

void EndpointMustBeAUrl(void**) {
  for (const char* const endpoint :
       {"s3.test", "ftp://s3.test", "https://s3.test/?secret", "https://user:secret@s3.test"}) {
    const std::string sentence = Address("gs://pcaps", endpoint);
    AssertContains(sentence, "endpoint");
    assert_true(sentence.find("secret") == std::string::npos);
  }
}

void PathsAndQueriesAreAsSignaturesWantThem(void**) {
  AssertText(ObjectPath("a b/c+d=e&f%?#:@,!*'()$~._-\xc3\xa9//g"),
             "/a%20b/c%2Bd%3De%26f%25%3F%23%3A%40%2C%21%2A%27%28%29%24~._-%C3%A9//g");
  AssertText(CanonicalQuery({{"prefix", ""},
                             {"list-type", "2"},
                             {"encoding-type", "url"},
                             {"start-after", "a/b c~"}}),
             "encoding-type=url&list-type=2&prefix=&start-after=a%2Fb%20c~");
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AmazonsHostIsTheBucketsWhereTlsAllows),
      cmocka_unit_test(RegionsApartHaveTheirOwnDomains),
      cmocka_unit_test(JurisdictionsOfR2HaveTheirOwnHosts),
      cmocka_unit_test(AmazonsRegionIsTheBucketsElseTheEnvironments),
      cmocka_unit_test(GoogleAndR2HaveOneHostAndAuto),
      cmocka_unit_test(EndpointIsUsedInPathStyle),
      cmocka_unit_test(EndpointMustBeAUrl),
      cmocka_unit_test(PathsAndQueriesAreAsSignaturesWantThem),
  };
  return cmocka_run_group_tests_name("store address", tests, nullptr, nullptr);
}
