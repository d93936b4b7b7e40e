// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/redact.h"
#include "extcap/bucket/credentials.h"
#include "tests/unit/environment_table.h"
#include "tests/unit/temp_folder.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::bucket {
namespace {

const DestinationConf kS3{.kind = StoreKind::kS3, .bucket = "pcaps", .region = "us-east-1"};
const DestinationConf kGcs{.kind = StoreKind::kGcs, .bucket = "pcaps"};
const DestinationConf kR2{.kind = StoreKind::kR2, .bucket = "pcaps", .account_id = "abc"};

BucketKeys Found(const DestinationConf& conf, const EnvironmentTable& environment,
                 const BucketKeys& given = {}) {
  const Result<BucketKeys> keys = FindBucketKeys(conf, given, environment.Get());
  if (!keys) fail_msg("%s", SentenceOf(keys.error()).c_str());
  return *keys;
}

std::string Missing(const DestinationConf& conf, const EnvironmentTable& environment) {
  const Result<BucketKeys> keys = FindBucketKeys(conf, {}, environment.Get());
  if (keys) fail_msg("keys were found in %s", keys->source.c_str());
  assert_true(SentenceOf(keys.error()).find("planted") == std::string::npos);
  return SentenceOf(keys.error());
}

void EnvironmentIsRead(void**) {
  const BucketKeys keys = Found(kS3, {{"AWS_ACCESS_KEY_ID", "AKIA1"},
                                      {"AWS_SECRET_ACCESS_KEY", "planted-secret/1"},
                                      {"AWS_SESSION_TOKEN", "planted-token=="},
                                      {"AWS_DEFAULT_REGION", "eu-west-1"}});
  AssertText(keys.access_key_id, "AKIA1");
  AssertText(keys.secret_access_key, "planted-secret/1");
  AssertText(keys.session_token, "planted-token==");
  AssertText(keys.region, "eu-west-1");
  AssertContains(keys.source, "AWS_ACCESS_KEY_ID");
  AssertText(Redact("planted-secret/1 planted-token=="), "[secret] [secret]");
}

void GivenKeysComeBeforeTheEnvironment(void**) {
  const BucketKeys given{.access_key_id = "mine", .secret_access_key = "secret2", .source = "file"};
  const EnvironmentTable environment{{"AWS_ACCESS_KEY_ID", "AKIA1"},
                                     {"AWS_SECRET_ACCESS_KEY", "secret1"},
                                     {"AWS_SESSION_TOKEN", "of the others"},
                                     {"AWS_REGION", "eu-west-1"}};
  const BucketKeys keys = Found(kS3, environment, given);
  AssertText(keys.access_key_id, "mine");
  AssertText(keys.session_token, "");
  AssertText(keys.source, "file");
  AssertText(keys.region, "eu-west-1");
  const BucketKeys half{.access_key_id = "mine"};
  AssertText(Found(kS3, environment, half).access_key_id, "AKIA1");
}

void R2AddressBringsItsOwnKeys(void**) {
  DestinationConf conf = kR2;
  conf.access_key_id = "r2id";
  conf.secret_access_key = "r2secret";
  const EnvironmentTable environment{{"AWS_ACCESS_KEY_ID", "AKIA1"},
                                     {"AWS_SECRET_ACCESS_KEY", "secret1"}};
  AssertText(Found(conf, environment).secret_access_key, "r2secret");
  AssertText(Found(conf, environment).region, "");
  AssertText(Found(kR2, environment).access_key_id, "AKIA1");
}

/// It was passed over with keys in the address, though the error about another endpoint's region
/// names it as the remedy.
void AwsRegionHoldsForR2sOwnKeysToo(void**) {
  DestinationConf conf = kR2;
  conf.access_key_id = "r2id";
  conf.secret_access_key = "r2secret";
  AssertText(Found(conf, {{"AWS_REGION", "us-east-1"}}).region, "us-east-1");
  AssertText(Found(conf, {{"AWS_DEFAULT_REGION", "eu-west-1"}}).region, "eu-west-1");
}

void GoogleTakesATokenOrHmacKeys(void**) {
  EnvironmentTable environment{{"AWS_ACCESS_KEY_ID", "GOOG1"},
                               {"AWS_SECRET_ACCESS_KEY", "secret1"}};
  AssertText(Found(kGcs, environment).access_key_id, "GOOG1");
  environment.Set("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.planted\n");
  const BucketKeys keys = Found(kGcs, environment);
  AssertText(keys.bearer_token, "ya29.planted");
  AssertText(keys.access_key_id, "");
  AssertText(Found(kS3, environment).bearer_token, "");
}

void FolderNeedsNoKeys(void**) {
  assert_true(
      FindBucketKeys({.kind = StoreKind::kFolder}, {}, EnvironmentTable({}).Get()).has_value());
}

/// An environment whose AWS files hold these texts.
EnvironmentTable WithFiles(const TempFolder& home, const std::string& credentials,
                           const std::string& config) {
  home.Write(".aws/credentials", credentials);
  home.Write(".aws/config", config);
  return {{"HOME", home.path()}};
}

void DefaultProfileIsRead(void**) {
  const TempFolder home;
  const EnvironmentTable environment =
      WithFiles(home,
                "# mine\n; also mine\n[default]\naws_access_key_id = AKIA2\n"
                "aws_secret_access_key=pla\\nted/+=\n\nnonsense\n",
                "[default]\nregion = eu-north-1\ns3 =\n  addressing_style = path\n"
                "aws_secret_access_key = weaker\n");
  const BucketKeys keys = Found(kS3, environment);
  AssertText(keys.access_key_id, "AKIA2");
  AssertText(keys.secret_access_key, "pla\\nted/+=");
  AssertText(keys.region, "eu-north-1");
  AssertText(keys.source, "the AWS profile default");
}

void NamedProfileIsRead(void**) {
  const TempFolder home;
  EnvironmentTable environment = WithFiles(
      home, "[default]\naws_access_key_id=x\naws_secret_access_key=y\n[ work ]\nregion=in-file\n",
      "[profile work]\naws_access_key_id = AKIA3\naws_secret_access_key = s\n"
      "aws_session_token = t\n");
  environment.Set("AWS_PROFILE", "work");
  const BucketKeys keys = Found(kS3, environment);
  AssertText(keys.access_key_id, "AKIA3");
  AssertText(keys.session_token, "t");
  AssertText(keys.region, "in-file");
}

void FilesMayBeElsewhere(void**) {
  const TempFolder folder;
  const EnvironmentTable environment{
      {"HOME", "/nonexistent"},
      {"AWS_SHARED_CREDENTIALS_FILE",
       folder.Write("c", "[default]\naws_access_key_id=A\naws_secret_access_key=B\n")},
      {"AWS_CONFIG_FILE", folder.Write("d", "[default]\nregion=r\n")}};
  AssertText(Found(kS3, environment).access_key_id, "A");
  AssertText(Found(kS3, environment).region, "r");
}

void ProfilesWithoutKeysSayHowToExportThem(void**) {
  const TempFolder home;
  EnvironmentTable environment =
      WithFiles(home, "",
                "[profile sso]\nsso_session = corp\n[profile role]\nrole_arn = arn:x\n"
                "source_profile = sso\n[profile tool]\ncredential_process = /bin/planted\n"
                "[profile none]\nregion = a\n");
  const std::pair<const char*, const char*> cases[] = {
      {"sso", "single sign-on"}, {"role", "assuming a role"}, {"tool", "from a program"}};
  for (const auto& [name, how] : cases) {
    environment.Set("AWS_PROFILE", name);
    const std::string sentence = Missing(kS3, environment);
    AssertContains(sentence, how);
    AssertContains(sentence, "aws configure export-credentials --profile " + std::string(name) +
                                 " --format env");
  }
  environment.Set("AWS_PROFILE", "none");
  AssertContains(Missing(kS3, environment), "has no aws_access_key_id");
  environment.Set("AWS_PROFILE", "typo");
  AssertContains(Missing(kS3, environment), "there is no AWS profile typo");
}

void NoKeysAtAllLeadsOn(void**) {
  const EnvironmentTable environment{{"HOME", "/nonexistent"}};
  const std::string s3 = Missing(kS3, environment);
  AssertContains(s3, "no keys to read the bucket pcaps of Amazon S3");
  AssertContains(s3, "AWS_ACCESS_KEY_ID");
  AssertContains(s3, "/nonexistent/.aws/credentials");
  AssertContains(Missing(kGcs, environment), "GOOGLE_OAUTH_ACCESS_TOKEN");
  const EnvironmentTable half{{"HOME", "/nonexistent"}, {"AWS_SECRET_ACCESS_KEY", "planted"}};
  Missing(kS3, half);
}

void UnreadableFilesAreSaid(void**) {
  const TempFolder home;
  const EnvironmentTable folder{{"HOME", home.path()},
                                {"AWS_SHARED_CREDENTIALS_FILE", home.path()}};
  AssertContains(Missing(kS3, folder), "the AWS profiles cannot be read");
  const EnvironmentTable broken =
      WithFiles(home, "[default\naws_access_key_id = planted\n[x]\n=planted\n", "");
  AssertContains(Missing(kS3, broken), "cannot be read as AWS profiles");
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EnvironmentIsRead),
      cmocka_unit_test(GivenKeysComeBeforeTheEnvironment),
      cmocka_unit_test(R2AddressBringsItsOwnKeys),
      cmocka_unit_test(AwsRegionHoldsForR2sOwnKeysToo),
      cmocka_unit_test(GoogleTakesATokenOrHmacKeys),
      cmocka_unit_test(FolderNeedsNoKeys),
      cmocka_unit_test(DefaultProfileIsRead),
      cmocka_unit_test(NamedProfileIsRead),
      cmocka_unit_test(FilesMayBeElsewhere),
      cmocka_unit_test(ProfilesWithoutKeysSayHowToExportThem),
      cmocka_unit_test(NoKeysAtAllLeadsOn),
      cmocka_unit_test(UnreadableFilesAreSaid),
  };
  return cmocka_run_group_tests_name("bucket credentials", tests, nullptr, nullptr);
}
