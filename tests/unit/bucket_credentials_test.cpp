// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/redact.h"
#include "extcap/bucket/credentials.h"
#include "tests/unit/environment_table.h"
#include "tests/unit/fake_tool.h"
#include "tests/unit/results.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::bucket {
namespace {

using Variables = std::initializer_list<std::pair<const std::string, std::string>>;

const DestinationConf kS3{.kind = StoreKind::kS3, .bucket = "pcaps", .region = "us-east-1"};
const DestinationConf kGcs{.kind = StoreKind::kGcs, .bucket = "pcaps"};
const DestinationConf kR2{.kind = StoreKind::kR2, .bucket = "pcaps", .account_id = "abc"};
const WallTime kNow{std::chrono::seconds(1795414800)};
const std::string kR2Id = "0123456789abcdef0123456789abcdef";

/// A machine with AWS files, variables, settings and tools of the test's own; the API's token.
struct Machine {
  TempFolder home;
  EnvironmentTable environment{{"HOME", home.path()}};
  KeySettings settings;
  FakeTool tool;

  explicit Machine(Variables variables = {}) {
    for (const auto& [name, value] : variables) environment.Set(name, value);
    settings.tool = tool.Access();
  }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  void Files(const std::string& credentials, const std::string& config) const {
    home.Write(".aws/credentials", credentials);
    home.Write(".aws/config", config);
  }

  Result<StoreKeys> Find(const DestinationConf& conf) const {
    return FindStoreKeys(conf, settings, environment.Get(), kNow);
  }

  BucketKeys Found(const DestinationConf& conf) const {
    return ValueOf(ValueOf(Find(conf)).keys.At(kNow));
  }

  /// The sentence, which shows no secret.
  std::string Missing(const DestinationConf& conf) const {
    const Result<StoreKeys> keys = Find(conf);
    if (keys) fail_msg("keys were found in %s", keys->keys.name().c_str());
    AssertLacks(SentenceOf(keys.error()), "planted");
    return SentenceOf(keys.error());
  }
};

constexpr const char* kPair = "aws_access_key_id = AKIA2\naws_secret_access_key = planted-file\n";
const Variables kAwsVariables = {{"AWS_ACCESS_KEY_ID", "AKIA1"},
                                 {"AWS_SECRET_ACCESS_KEY", "planted-secret/1"}};

void EnvironmentIsRead(void**) {
  Machine machine(kAwsVariables);
  machine.environment.Set("AWS_SESSION_TOKEN", "planted-token==");
  machine.environment.Set("AWS_DEFAULT_REGION", "eu-west-1");
  const BucketKeys keys = machine.Found(kS3);
  AssertText(keys.access_key_id, "AKIA1");
  AssertText(keys.secret_access_key, "planted-secret/1");
  AssertText(keys.session_token, "planted-token==");
  AssertText(keys.source, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  AssertText(ValueOf(machine.Find(kS3)).region, "eu-west-1");
  AssertText(Redact("planted-secret/1 planted-token=="), "[secret] [secret]");
}

/// Options and configuration; --aws-profile; the environment's keys; AWS_PROFILE; the default.
void AmazonsKeysComeInAwsOwnOrder(void**) {
  Machine machine(kAwsVariables);
  machine.Files(std::string("[default]\n") + kPair +
                    "[typed]\naws_access_key_id=T\naws_secret_access_key=t\n"
                    "[work]\naws_access_key_id=W\naws_secret_access_key=w\n",
                "");
  machine.environment.Set("AWS_PROFILE", "work");
  machine.settings.aws_profile = "typed";
  machine.settings.s3 = {.access_key_id = "mine", .secret_access_key = "m", .source = "file"};
  AssertText(machine.Found(kS3).access_key_id, "mine");
  machine.settings.s3 = {};
  AssertText(machine.Found(kS3).access_key_id, "T");
  AssertText(machine.Found(kS3).source, "the AWS profile typed");
  machine.settings.aws_profile = "";
  AssertText(machine.Found(kS3).access_key_id, "AKIA1");
  machine.environment.Set("AWS_ACCESS_KEY_ID", "");
  AssertText(machine.Found(kS3).access_key_id, "W");
  machine.environment.Set("AWS_PROFILE", "");
  AssertText(machine.Found(kS3).access_key_id, "AKIA2");
  assert_true(machine.tool.calls.empty());
}

void HalfAPairIsNamed(void**) {
  const Machine id({{"AWS_ACCESS_KEY_ID", "AKIA1"}});
  AssertContains(id.Missing(kS3), "AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not");
  const Machine secret({{"AWS_SECRET_ACCESS_KEY", "planted"}});
  AssertContains(secret.Missing(kS3), "there are no keys");
  const Machine file;
  file.Files("[default]\naws_access_key_id = AKIA1\n", "");
  AssertContains(file.Missing(kS3), "default has no aws_access_key_id with aws_secret_access_key");
}

void TemporaryKeysNeedTheirToken(void**) {
  Machine machine({{"AWS_ACCESS_KEY_ID", "ASIA1"}, {"AWS_SECRET_ACCESS_KEY", "planted"}});
  AssertContains(machine.Missing(kS3),
                 "is one of temporary keys (ASIA…), but the session token that belongs to them is "
                 "missing; set it too: AWS_SESSION_TOKEN");
  machine.environment.Set("AWS_SESSION_TOKEN", "token1");
  AssertText(machine.Found(kS3).session_token, "token1");
}

void WhatDoesNotStandInFilesComesFromAws(void**) {
  Machine machine;
  machine.Files("", "[profile sso]\nsso_account_id = 1\nsso_role_name = r\nregion = eu-north-1\n");
  machine.settings.aws_profile = "sso";
  AssertContains(machine.Missing(kS3), "gets its keys by single sign-on, and there is no aws");
  machine.tool.Prints(ProcessKeys("ASIA3", "planted-sso", "planted-t", "2026-11-23T07:20:00Z"));
  machine.tool.Prints(ProcessKeys("ASIA4", "planted-sso2", "planted-t", "2026-11-23T08:20:00Z"));
  StoreKeys keys = ValueOf(machine.Find(kS3));
  AssertText(ValueOf(keys.keys.At(kNow)).access_key_id, "ASIA3");
  AssertText(ValueOf(keys.keys.At(kNow + std::chrono::minutes(56))).access_key_id, "ASIA4");
  AssertText(keys.keys.name(), "the AWS profile sso (by aws)");
  AssertText(keys.region, "eu-north-1");
}

/// An instance role, say, of which no file speaks.
void AMachineOfAmazonsIsAskedLast(void**) {
  Machine machine;
  machine.tool.Prints(ProcessKeys("ASIA5", "planted", "planted-t"));
  AssertText(machine.Found(kS3).access_key_id, "ASIA5");
  AssertText(machine.tool.Words(), "aws configure export-credentials --format process");
  Machine none;
  none.tool.Fails(255, "Unable to retrieve credentials: no credentials found");
  AssertContains(none.Missing(kS3), "no keys to read the S3 bucket pcaps: Unable to");
}

void MissingKeysLeadOn(void**) {
  Machine machine;
  const std::string s3 = machine.Missing(kS3);
  AssertContains(s3, "no keys to read the S3 bucket pcaps; set aws-access-key-id");
  AssertContains(s3, machine.home / ".aws/credentials");
  machine.settings.aws_profile = "typo";
  AssertContains(machine.Missing(kS3), "there is no AWS profile typo; look into");
  machine.Files("[typo]\nregion = r\n", "");
  AssertContains(machine.Missing(kS3), "has no aws_access_key_id and names no other way");
  AssertContains(machine.Missing(kGcs),
                 "no keys to read the bucket pcaps of Google Cloud Storage: "
                 "there is no gcloud in PATH; run gcloud auth login");
  AssertContains(machine.Missing(kR2), "set r2-access-key-id");
}

void GooglesKeysComeInTheirOrder(void**) {
  Machine machine({{"GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.planted\n"}});
  machine.tool.Prints("ya29.of-gcloud\n");
  machine.settings.gcs = {.access_key_id = "GOOG1", .secret_access_key = "g", .source = "GCS"};
  AssertText(machine.Found(kGcs).access_key_id, "GOOG1");
  machine.settings.gcs = {};
  AssertText(machine.Found(kGcs).bearer_token, "ya29.planted");
  AssertText(machine.Found(kGcs).source, "GOOGLE_OAUTH_ACCESS_TOKEN");
  machine.environment.Set("GOOGLE_OAUTH_ACCESS_TOKEN", "");
  AssertText(machine.Found(kGcs).bearer_token, "ya29.of-gcloud");
}

void R2sKeysComeInTheirOrder(void**) {
  Machine machine;
  machine.settings.api_token = "cfut_planted-token";
  machine.settings.token_id = [](const std::string& account) { return "id-in-" + account; };
  DestinationConf conf = kR2;
  conf.access_key_id = "r2id";
  conf.secret_access_key = "r2secret";
  machine.settings.r2 = {.access_key_id = "other", .secret_access_key = "o", .source = "R2"};
  AssertText(machine.Found(conf).secret_access_key, "r2secret");
  AssertText(machine.Found(kR2).access_key_id, "other");
  machine.settings.r2 = {};
  const BucketKeys of_token = machine.Found(kR2);
  AssertText(of_token.access_key_id, "id-in-abc");
  AssertText(of_token.source, "the API token");
  // printf cfut_planted-token | sha256sum
  AssertText(of_token.secret_access_key,
             "e4601e65f7b779a4bf912cb93dd1ac572bb389bd9a62f5d198703d0dbda5560c");
  machine.settings.token_id = [](const std::string&) -> Result<std::string> {
    return Fail("cannot ask");
  };
  AssertContains(machine.Missing(kR2), "of Cloudflare R2: cannot ask; set r2-access-key-id");
}

/// Many people keep R2's keys where tools for S3 look; the unnamed profile is Amazon's alone.
void R2sShapeIsTakenFromWhereS3sKeysStand(void**) {
  Machine machine({{"AWS_ACCESS_KEY_ID", kR2Id}, {"AWS_SECRET_ACCESS_KEY", "planted"}});
  AssertText(machine.Found(kR2).access_key_id, kR2Id);
  Machine named;
  named.Files("[default]\naws_access_key_id = " + kR2Id + "\naws_secret_access_key = planted\n" +
                  "[r2]\naws_access_key_id = " + kR2Id + "\naws_secret_access_key = planted-r2\n",
              "");
  named.Missing(kR2);
  named.settings.aws_profile = "r2";
  AssertText(named.Found(kR2).secret_access_key, "planted-r2");
  AssertText(named.Found(kR2).source, "the AWS profile r2");
}

/// Everything is set for Amazon, in every place, and nothing of it may reach the others.
void NoStoreGetsAnothersKeys(void**) {
  for (const char* const id :
       {"AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", "planted-anything"}) {
    Machine machine({{"AWS_ACCESS_KEY_ID", id},
                     {"AWS_SECRET_ACCESS_KEY", "planted"},
                     {"AWS_SESSION_TOKEN", "planted-t"},
                     {"AWS_PROFILE", "work"}});
    const std::string keys =
        std::string("aws_access_key_id = ") + id + "\naws_secret_access_key = planted\n";
    machine.Files("[default]\n" + keys + "[work]\n" + keys, "");
    machine.settings.s3 = {.access_key_id = id, .secret_access_key = "planted", .source = "file"};
    for (const DestinationConf& conf : {kR2, kGcs}) {
      AssertContains(machine.Missing(conf), "(those from file are for Amazon S3)");
    }
    for (const system::Program& call : machine.tool.calls) AssertText(call.argv[0], "gcloud");
  }
  Machine others({{"GOOGLE_OAUTH_ACCESS_TOKEN", "planted"}});
  others.settings.r2 = {.access_key_id = kR2Id, .secret_access_key = "planted", .source = "R2"};
  others.settings.gcs = {.access_key_id = "GOOG", .secret_access_key = "planted", .source = "G"};
  others.settings.api_token = "planted-api";
  AssertContains(others.Missing(kS3), "there are no keys");
}

void AmazonsIdsAreRefusedUnderOthersNames(void**) {
  for (const char* const id : {"AKIA1", "ASIA1"}) {
    Machine machine;
    machine.settings.r2 = {.access_key_id = id, .secret_access_key = "planted", .source = "R2"};
    machine.settings.gcs = {.access_key_id = id, .secret_access_key = "planted", .source = "G"};
    AssertContains(machine.Missing(kR2), "the access key ID from R2 is one of Amazon's");
    AssertContains(machine.Missing(kGcs), "the access key ID from G is one of Amazon's");
  }
}

void FilesThatCannotBeReadAreSaid(void**) {
  Machine machine;
  machine.environment.Set("AWS_CONFIG_FILE", "/dev/zero");
  AssertContains(machine.Missing(kS3), "/dev/zero cannot be read: it is not a regular file");
  // They are nothing to R2.
  machine.settings.r2 = {.access_key_id = "x", .secret_access_key = "y", .source = "R2"};
  AssertText(machine.Found(kR2).access_key_id, "x");
}

void AStopIsNotAMissingKey(void**) {
  for (const DestinationConf& conf : {kS3, kGcs}) {
    Machine machine;
    machine.tool.answers = {Stopped()};
    assert_true(ErrorOf(machine.Find(conf)).kind == Error::Kind::kInterrupted);
  }
}

void FolderNeedsNoKeys(void**) {
  AssertGood(Machine().Find({.kind = StoreKind::kFolder}));
}

/// The remedy that the error about another endpoint's region names.
void AwsRegionHoldsForOthersEndpointsToo(void**) {
  Machine machine({{"AWS_DEFAULT_REGION", "eu-west-1"}});
  machine.settings.r2 = {.access_key_id = "x", .secret_access_key = "y", .source = "R2"};
  AssertText(ValueOf(machine.Find(kR2)).region, "eu-west-1");
  machine.environment.Set("AWS_REGION", "us-east-1");
  AssertText(ValueOf(machine.Find(kR2)).region, "us-east-1");
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EnvironmentIsRead),
      cmocka_unit_test(AmazonsKeysComeInAwsOwnOrder),
      cmocka_unit_test(HalfAPairIsNamed),
      cmocka_unit_test(TemporaryKeysNeedTheirToken),
      cmocka_unit_test(WhatDoesNotStandInFilesComesFromAws),
      cmocka_unit_test(AMachineOfAmazonsIsAskedLast),
      cmocka_unit_test(MissingKeysLeadOn),
      cmocka_unit_test(GooglesKeysComeInTheirOrder),
      cmocka_unit_test(R2sKeysComeInTheirOrder),
      cmocka_unit_test(R2sShapeIsTakenFromWhereS3sKeysStand),
      cmocka_unit_test(NoStoreGetsAnothersKeys),
      cmocka_unit_test(AmazonsIdsAreRefusedUnderOthersNames),
      cmocka_unit_test(FilesThatCannotBeReadAreSaid),
      cmocka_unit_test(AStopIsNotAMissingKey),
      cmocka_unit_test(FolderNeedsNoKeys),
      cmocka_unit_test(AwsRegionHoldsForOthersEndpointsToo),
  };
  return cmocka_run_group_tests_name("bucket credentials", tests, nullptr, nullptr);
}
