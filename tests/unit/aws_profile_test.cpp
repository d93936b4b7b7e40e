// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/aws_profile.h"

#include "tests/unit/environment_table.h"
#include "tests/unit/results.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::bucket {
namespace {

/// An environment whose AWS files hold these texts.
EnvironmentTable WithFiles(const TempFolder& home, const std::string& credentials,
                           const std::string& config) {
  home.Write(".aws/credentials", credentials);
  home.Write(".aws/config", config);
  return {{"HOME", home.path()}};
}

AwsSettings Read(const EnvironmentTable& environment, const std::string& given = "") {
  return ValueOf(ReadAwsSettings(given, environment.Get()));
}

void ProfilesAreNamedDifferentlyInEachFile(void**) {
  constexpr const char* kCredentials = "[work]\na = secret file\n[profile home]\na = x\n";
  constexpr const char* kConfig =
      "[profile work]\na = config\nb = 2\n[work]\nb = 3\n[default]\na = 4\n[profile default]\n"
      "a = 5\n";
  const AwsProfile work = ParseAwsProfile(kCredentials, kConfig, "work");
  assert_true(work.exists);
  AssertText(work.Get("a") + " " + work.Get("b") + work.Get("c"), "secret file 2");
  AssertText(ParseAwsProfile(kCredentials, kConfig, "default").Get("a"), "5");
  assert_false(ParseAwsProfile(kCredentials, kConfig, "home").exists);
  assert_false(ParseAwsProfile("", "", "default").exists);
}

void EndpointsStandInProfilesAndServices(void**) {
  const TempFolder home;
  EnvironmentTable environment = WithFiles(
      home, "",
      "[services \"on site\"]\nec2 =\n  endpoint_url = http://ec2.test\ns3 =\n"
      "  endpoint_url = http://s3.test\n"
      "[profile both]\nservices = on site\nendpoint_url = http://all.test\n"
      "[profile all]\nendpoint_url = http://all.test\n"
      "[profile deaf]\nendpoint_url = http://all.test\nignore_configured_endpoint_urls = True\n");
  AssertText(Read(environment, "both").endpoint, "http://s3.test");
  AssertText(Read(environment, "all").endpoint, "http://all.test");
  AssertText(Read(environment, "deaf").endpoint, "");
  AssertText(Read(environment).endpoint, "");
  environment.Set("AWS_ENDPOINT_URL", "http://variable.test");
  AssertText(Read(environment, "both").endpoint, "http://variable.test");
  environment.Set("AWS_ENDPOINT_URL_S3", "http://s3-variable.test");
  AssertText(Read(environment).endpoint, "http://s3-variable.test");
  environment.Set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
  AssertText(Read(environment, "both").endpoint, "");
}

void AProfileIsNamedByOptionThenVariables(void**) {
  EnvironmentTable environment{{"HOME", "/nonexistent"}};
  AssertText(Read(environment).profile.name, "default");
  assert_false(Read(environment).named);
  environment.Set("AWS_DEFAULT_PROFILE", "older");
  AssertText(Read(environment).profile.name, "older");
  environment.Set("AWS_PROFILE", "newer");
  AssertText(Read(environment).profile.name, "newer");
  assert_true(Read(environment).named && !Read(environment).given);
  AssertText(Read(environment, "typed").profile.name, "typed");
  assert_true(Read(environment, "typed").given);
}

void RegionAndAuthoritiesComeAlong(void**) {
  const TempFolder home;
  EnvironmentTable environment =
      WithFiles(home, "", "[default]\nregion = in-file\nca_bundle = /ca\n");
  AssertText(Read(environment).region + Read(environment).ca_file, "in-file/ca");
  environment.Set("AWS_DEFAULT_REGION", "older");
  environment.Set("AWS_CA_BUNDLE", "/other");
  AssertText(Read(environment).region + Read(environment).ca_file, "older/other");
  environment.Set("AWS_REGION", "newer");
  AssertText(Read(environment).region, "newer");
}

void FilesMayBeElsewhere(void**) {
  const TempFolder home;
  home.Write("c", "[default]\na = 1\n");
  EnvironmentTable environment{{"HOME", home.path()},
                               {"AWS_SHARED_CREDENTIALS_FILE", "~/c"},
                               {"AWS_CONFIG_FILE", home.Write("d", "[default]\nregion=r\n")}};
  AssertText(Read(environment).profile.Get("a") + Read(environment).region, "1r");
  AssertText(Read(environment).credentials_file, home / "c");
  environment.Set("AWS_CONFIG_FILE", home.path());
  AssertFails(ReadAwsSettings("", environment.Get()), Error::Kind::kFinal, "cannot be read");
}

/// The words for how profile p gets keys, or whose file its own stand in.
std::string Way(const std::string& credentials, const std::string& config,
                const EnvironmentTable& environment = {}, bool given = false) {
  const AwsSettings settings{.profile = ParseAwsProfile(credentials, config, "p"), .given = given};
  const KeyWay way = KeyWayOf(settings, environment.Get());
  if (way.words != nullptr) return way.words;
  if (way.keys == nullptr) return "nothing";
  return way.keys == &settings.profile.credentials ? "credentials" : "config";
}

/// The order of botocore's providers, looked up in its source and tried with it.
void WaysHaveAwsOwnOrder(void**) {
  const std::string keys = "aws_access_key_id = A\naws_secret_access_key = B\n";
  const std::string in_file = "[p]\n" + keys;
  const std::string head = "[profile p]\n";
  AssertText(Way(in_file, head + keys), "credentials");
  AssertText(Way("", head + keys), "config");
  AssertText(Way(in_file, head + "role_arn = arn:x\nsource_profile = p\n"), "by assuming a role");
  AssertText(Way(in_file, head + "role_arn = arn:x\nweb_identity_token_file = /t\n"),
             "with a web identity");
  AssertText(Way(in_file, head + "sso_session = s\nsso_account_id = 1\nsso_role_name = r\n"),
             "by single sign-on");
  AssertText(Way(in_file, head + "login_session = arn:x\n"), "credentials");
  AssertText(Way("", head + "login_session = arn:x\n" + keys), "by a console log-in");
  AssertText(Way(in_file, head + "credential_process = /bin/x\n"), "credentials");
  AssertText(Way("", head + "credential_process = /bin/x\n" + keys), "from a program");
  AssertText(Way("", head + "source_profile = q\nregion = r\n"), "nothing");
  const EnvironmentTable web{{"AWS_ROLE_ARN", "arn:x"}, {"AWS_WEB_IDENTITY_TOKEN_FILE", "/t"}};
  AssertText(Way(in_file, "", web), "with a web identity");
  AssertText(Way(in_file, "", web, true), "credentials");
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ProfilesAreNamedDifferentlyInEachFile),
      cmocka_unit_test(EndpointsStandInProfilesAndServices),
      cmocka_unit_test(AProfileIsNamedByOptionThenVariables),
      cmocka_unit_test(RegionAndAuthoritiesComeAlong),
      cmocka_unit_test(FilesMayBeElsewhere),
      cmocka_unit_test(WaysHaveAwsOwnOrder),
  };
  return cmocka_run_group_tests_name("AWS profiles", tests, nullptr, nullptr);
}
