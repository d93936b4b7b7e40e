// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/redact.h"
#include "extcap/bucket/aws_cli.h"
#include "extcap/bucket/gcloud.h"
#include "tests/unit/fake_tool.h"
#include "tests/unit/results.h"

namespace cloudflaredump::bucket {
namespace {

using namespace std::chrono_literals;

const WallTime kNow{std::chrono::seconds(1795414800)};  // 2026-11-23T06:20:00Z

AwsSettings Profile(const std::string& name, const std::string& config = "", bool given = false) {
  return {.profile = ParseAwsProfile("", "[profile " + name + "]\n" + config, name),
          .given = given,
          .named = name != "default"};
}

void KeysOfAProcessAreRead(void**) {
  const BucketKeys keys = ValueOf(ParseProcessKeys(
      ProcessKeys("ASIA1", "planted-1", "planted-2", "2026-11-23T07:20:00+00:00")));
  AssertText(keys.access_key_id + keys.secret_access_key + keys.session_token,
             "ASIA1planted-1planted-2");
  assert_true(keys.ends_at == kNow + 1h && keys.renew_at == kNow + 55min);
  assert_false(ValueOf(ParseProcessKeys(ProcessKeys("A", "example"))).ends_at.has_value());
}

void WhatIsNotKeysIsRefusedWithoutShowingIt(void**) {
  const std::string texts[] = {"",
                               "planted",
                               "[]",
                               "{}",
                               "null",
                               R"({"AccessKeyId":"planted"})",
                               R"({"AccessKeyId":1,"SecretAccessKey":"planted"})",
                               ProcessKeys("planted", ""),
                               std::string(100000, '['),
                               ProcessKeys("planted", "planted", "", "tomorrow")};
  for (const std::string& text : texts) {
    AssertLacks(SentenceOf(ErrorOf(ParseProcessKeys(text))), "planted");
  }
}

void AwsIsToldTheProfileThatCounts(void**) {
  FakeTool tool;
  tool.Prints(ProcessKeys("ASIA1", "planted-1", "planted-2"));
  const BucketKeys typed =
      ValueOf(KeysOfAwsTool(Profile("work", "", true), "by single sign-on", tool.Access()));
  AssertText(tool.Words(), "aws configure export-credentials --format process --profile work");
  AssertText(typed.source, "the AWS profile work (by aws)");
  AssertText(Redact("planted-1 planted-2"), "[secret] [secret]");
  // Beside AWS_PROFILE other variables count, too.
  AssertGood(KeysOfAwsTool(Profile("work"), nullptr, tool.Access()));
  AssertText(tool.Words(1), "aws configure export-credentials --format process");
  AssertText(tool.calls[1].variables.at("AWS_PROFILE"), "work");
  const BucketKeys machine = ValueOf(KeysOfAwsTool(Profile("default"), nullptr, tool.Access()));
  assert_false(tool.calls[2].variables.contains("AWS_PROFILE"));
  AssertText(machine.source, "aws configure export-credentials");
}

void WithoutAwsTheRemedyIsNamed(void**) {
  FakeTool tool;
  const Error error = ErrorOf(KeysOfAwsTool(Profile("work"), "by single sign-on", tool.Access()));
  AssertText(SentenceOf(error),
             "AWS's own tool is needed for the AWS profile work, which gets its keys by single "
             "sign-on, and there is no aws in PATH; install the AWS CLI (version 2.9 or later; "
             "Debian: awscli), or set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
             "AWS_SESSION_TOKEN.");
  for (const int status : {2, 252}) {
    tool.answers.clear();
    tool.Fails(status, "usage: aws [options]\naws: error: Invalid choice");
    AssertContains(SentenceOf(ErrorOf(KeysOfAwsTool(Profile("work"), nullptr, tool.Access()))),
                   "cannot export keys for the AWS profile work; install the AWS CLI in version");
  }
}

std::string Refused(const AwsSettings& settings, const std::string& words) {
  FakeTool tool;
  tool.Fails(255, words);
  return SentenceOf(ErrorOf(KeysOfAwsTool(settings, "somehow", tool.Access())));
}

void WordsOfAwsArePassedOnWithTheCommandThatHelps(void**) {
  AssertText(Refused(Profile("work", "sso_account_id = 1\n"),
                     "\nError loading SSO Token: Token for corp does not exist\n"),
             "aws has no keys for the AWS profile work, which gets its keys somehow: Error loading "
             "SSO Token: Token for corp does not exist; run: aws sso login --profile work.");
  AssertContains(Refused(Profile("default", "login_session = x\n"), "no"), "; run: aws login.");
  AssertContains(Refused(Profile("role", "role_arn = x\nmfa_serial = y\n"), "EOF"),
                 "needs a terminal, run: eval \"$(aws configure export-credentials --profile role "
                 "--format env)\"");
  AssertContains(Refused(Profile("tool", "credential_process = x\n"), "no"),
                 "aws sts get-caller-identity --profile tool");
}

/// A profile's name stands in a command that a person pastes.
void NamesAreQuotedForTheShell(void**) {
  AwsSettings settings{.named = true};
  settings.profile.name = "a';touch x;'";
  settings.profile.config = {{"sso_role_name", "r"}};
  AssertContains(Refused(settings, "no"), R"(--profile 'a'\'';touch x;'\''')");
}

void WordsAreCleanedRedactedAndBounded(void**) {
  RegisterSecret("planted-in-the-words");
  const system::ProgramEnd end{.err = "one\x1b[0m\n\n two planted-in-the-words\n"};
  AssertText(WordsOf(end), "one [0m two [secret]");
  // A secret at the place of the cut is gone, too.
  for (std::size_t n = 370; n < 401; ++n) {
    const std::string words = WordsOf({.err = std::string(n, 'x') + "planted-in-the-words"});
    AssertLacks(words, "plan");
    assert_true(words.size() <= 410);
  }
  AssertText(WordsOf({.err = "Traceback (most recent call last):\n  File x\nOSError: no disk\n"}),
             "OSError: no disk");
  AssertText(WordsOf({}), "");
}

/// Whether the tool of `kind` gets a variable.
bool Gets(StoreKind kind, const std::string& name, const std::string& value = "x") {
  return !VendorTool(kind, {"tool"}).hides(name, value);
}

void ToolsGetNoSecretOfOthers(void**) {
  for (const StoreKind kind : {StoreKind::kS3, StoreKind::kGcs}) {
    for (const char* const name :
         {"CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY", "CLOUDFLAREDUMP_CONFIG",
          "R2_SECRET_ACCESS_KEY", "GCS_SECRET_ACCESS_KEY"}) {
      assert_false(Gets(kind, name));
    }
    for (const char* const name : {"PATH", "HOME", "LANG", "AWS_PROFILE", "AWS_CONFIG_FILE"}) {
      assert_true(Gets(kind, name));
    }
  }
  assert_true(Gets(StoreKind::kS3, "AWS_SECRET_ACCESS_KEY"));
  assert_false(Gets(StoreKind::kGcs, "AWS_SECRET_ACCESS_KEY"));
  assert_false(Gets(StoreKind::kGcs, "AWS_SESSION_TOKEN"));
  assert_false(Gets(StoreKind::kS3, "GOOGLE_OAUTH_ACCESS_TOKEN"));
  assert_true(Gets(StoreKind::kGcs, "GOOGLE_APPLICATION_CREDENTIALS"));
  RegisterSecret("planted-under-another-name");
  assert_false(Gets(StoreKind::kS3, "MY_TOKEN", "Bearer planted-under-another-name"));
  assert_true(Gets(StoreKind::kS3, "https_proxy", "http://u:planted-under-another-name@p"));
}

void GcloudsTokenIsABearerForFourMinutes(void**) {
  FakeTool tool;
  tool.Prints("ya29.planted-token\n");
  const BucketKeys keys = ValueOf(TokenOfGcloud(false, kNow, tool.Access()));
  AssertText(keys.bearer_token, "ya29.planted-token");
  AssertText(keys.source, "gcloud auth print-access-token");
  assert_true(keys.renew_at == kNow + 4min && !keys.ends_at);
  AssertText(tool.Words(), "gcloud auth print-access-token --quiet");
  AssertText(Redact("ya29.planted-token"), "[secret]");
}

void ApplicationDefaultsAreTheOtherWay(void**) {
  FakeTool tool;
  tool.Fails(1, "ERROR: (gcloud.auth.print-access-token) You do not have an active account.");
  tool.Prints("ya29.of-the-application");
  AssertText(ValueOf(TokenOfGcloud(false, kNow, tool.Access())).source,
             "gcloud auth application-default print-access-token");
  tool.calls.clear();
  AssertGood(TokenOfGcloud(true, kNow, tool.Access()));
  AssertText(tool.Words(), "gcloud auth application-default print-access-token --quiet");
}

void GcloudsFaultsAreSentences(void**) {
  FakeTool none;
  AssertContains(SentenceOf(ErrorOf(TokenOfGcloud(false, kNow, none.Access()))),
                 "there is no gcloud in PATH");
  assert_int_equal(none.calls.size(), 1);
  FakeTool failing;
  failing.Fails(1, "ERROR: first\n");
  failing.Fails(1, "ERROR: second\n");
  AssertContains(SentenceOf(ErrorOf(TokenOfGcloud(false, kNow, failing.Access()))),
                 "gcloud has no access token: ERROR: first; run: gcloud auth login");
  for (const char* const text : {"", "\n", "planted two words", "planted\nlines"}) {
    FakeTool odd;
    odd.Prints(text);
    const std::string sentence = SentenceOf(ErrorOf(TokenOfGcloud(false, kNow, odd.Access())));
    AssertContains(sentence, "is not an access token");
    AssertLacks(sentence, "planted");
  }
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(KeysOfAProcessAreRead),
      cmocka_unit_test(WhatIsNotKeysIsRefusedWithoutShowingIt),
      cmocka_unit_test(AwsIsToldTheProfileThatCounts),
      cmocka_unit_test(WithoutAwsTheRemedyIsNamed),
      cmocka_unit_test(WordsOfAwsArePassedOnWithTheCommandThatHelps),
      cmocka_unit_test(NamesAreQuotedForTheShell),
      cmocka_unit_test(WordsAreCleanedRedactedAndBounded),
      cmocka_unit_test(ToolsGetNoSecretOfOthers),
      cmocka_unit_test(GcloudsTokenIsABearerForFourMinutes),
      cmocka_unit_test(ApplicationDefaultsAreTheOtherWay),
      cmocka_unit_test(GcloudsFaultsAreSentences),
  };
  return cmocka_run_group_tests_name("vendors' tools", tests, nullptr, nullptr);
}
