// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/engine.h"

#include "common/redact.h"
#include "tests/unit/fake_environment.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::capture {
namespace {

constexpr const char* kLocal = "http://127.0.0.1:8080/client/v4";

/// ReadSpeed with the API at `base` and these variables set.
Result<double> Speed(const std::string& speed, const std::string& base = kLocal,
                     const std::string& name = "X", const std::string& value = "") {
  FakeEnvironment environment;
  environment.Set("CLOUDFLAREDUMP_SPEED", speed).Set(name, value);
  return ReadSpeed(LoadSettings(Given({{config::Opt::kApiBaseUrl, base}}),
                                config::InterfaceKind::kSample, environment),
                   environment.Reader());
}

void WithoutTheVariableTimeIsReal(void**) {
  const FakeEnvironment environment;
  assert_true(ValueOf(ReadSpeed(LoadSettings({}), environment.Reader())) == 1);
  assert_true(ValueOf(Speed("")) == 1);
}

void ASpeedIsANumberFromOne(void**) {
  assert_true(ValueOf(Speed("1")) == 1);
  assert_true(ValueOf(Speed("60")) == 60);
  assert_true(ValueOf(Speed("2.5")) == 2.5);
  assert_true(ValueOf(Speed("1000000")) == 1000000);
  for (const char* bad :
       {"0", "0.5", "-1", "fast", "10x", "1000001", "inf", "nan", " ", "1,5", "1e99"}) {
    AssertFails(Speed(bad), Error::Kind::kUsage, "but it must be a number from 1 to 1000000.");
  }
}

/// A fast clock shortens waits that protect Cloudflare's service.
void OtherMachinesAreServedInRealTimeOnly(void**) {
  constexpr const char* kApi = "https://api.cloudflare.com/client/v4";
  AssertFails(Speed("60", kApi), Error::Kind::kUsage,
              "CLOUDFLAREDUMP_SPEED is for tests against this machine, but " + std::string(kApi) +
                  " is elsewhere; unset it.");
  assert_true(ValueOf(Speed("1", kApi)) == 1);
  for (const char* name : {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"}) {
    AssertFails(Speed("60", kLocal, name, "https://s3.example/?key=v"), Error::Kind::kUsage,
                "but https://s3.example/ is elsewhere");
    assert_true(ValueOf(Speed("60", kLocal, name, "http://localhost:9000")) == 60);
  }
  FakeEnvironment environment;
  environment.Set("CLOUDFLAREDUMP_SPEED", "60");
  const auto speed_with_bucket_at = [&](const std::string& endpoint) {
    return ReadSpeed(LoadSettings(Given({{config::Opt::kApiBaseUrl, kLocal},
                                         {config::Opt::kBucketEndpoint, endpoint}}),
                                  config::InterfaceKind::kFull, environment),
                     environment.Reader());
  };
  AssertFails(speed_with_bucket_at("https://s3.example"), Error::Kind::kUsage,
              "but https://s3.example is elsewhere");
  assert_true(ValueOf(speed_with_bucket_at("http://127.0.0.1:9000")) == 60);
}

void AccessIsWhoAndWhere(void**) {
  const api::ApiAccess access =
      ValueOf(FindAccess(LoadSettings(Given({{config::Opt::kApiBaseUrl, std::string(kLocal) + "//"},
                                             {config::Opt::kApiToken, "token-of-test"},
                                             {config::Opt::kAccountId, "acc123"}}))));
  AssertText(access.base_url, kLocal);
  AssertText(access.account_id, "acc123");
  AssertText(access.token, "token-of-test");
  AssertText(access.email + access.key, "");
  const api::ApiAccess older =
      ValueOf(FindAccess(LoadSettings(Given({{config::Opt::kApiEmail, "me@x"},
                                             {config::Opt::kApiKey, "key-of-test"},
                                             {config::Opt::kAccountId, "acc123"}}))));
  AssertText(older.base_url, "https://api.cloudflare.com/client/v4");
  AssertText(older.email + " " + older.key + older.token, "me@x key-of-test");
}

void WithoutAccessTheUserIsLed(void**) {
  AssertFails(FindAccess(LoadSettings({})), Error::Kind::kFinal, "no Cloudflare API token");
  AssertFails(FindAccess(LoadSettings(Given({{config::Opt::kApiToken, "token-of-test"}}))),
              Error::Kind::kFinal, "no Cloudflare account");
}

/// The log of an engine's start names every value and its source, and no secret.
void TheLogNamesValuesAndSourcesButNoSecret(void**) {
  const TempFolder folder;
  FakeEnvironment environment;
  environment.Set("CLOUDFLARE_API_TOKEN", "planted-token-of-env");
  const config::Settings settings = LoadSettings(Given({{config::Opt::kLogFile, folder / "log"},
                                                        {config::Opt::kLogLevel, "debug"},
                                                        {config::Opt::kTimeLimit, "42"}}),
                                                 config::InterfaceKind::kSample, environment);
  AssertGood(Engine::Make(settings, environment.Reader()));
  const std::string log = ReadFile(folder / "log");
  AssertContains(log, " time-limit = 42 (given as an option)\n");
  AssertContains(log, " api-token = [secret] (CLOUDFLARE_API_TOKEN)\n");
  AssertContains(log, " packet-limit = 10000 (built in)\n");
  AssertLacks(log, "planted-");
}

void AnEngineIsNotMadeWithWrongSettings(void**) {
  FakeEnvironment environment;
  environment.Set("CLOUDFLAREDUMP_SPEED", "60");
  AssertFails(Engine::Make(LoadSettings({}), environment.Reader()), Error::Kind::kUsage,
              "CLOUDFLAREDUMP_SPEED");
  AssertFails(Engine::Make(LoadSettings(Given({{config::Opt::kLogFile, "/nonexistent/log"}})),
                           FakeEnvironment().Reader()),
              Error::Kind::kFinal, "cannot open the log file");
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(WithoutTheVariableTimeIsReal),
      cmocka_unit_test(ASpeedIsANumberFromOne),
      cmocka_unit_test(OtherMachinesAreServedInRealTimeOnly),
      cmocka_unit_test(AccessIsWhoAndWhere),
      cmocka_unit_test(WithoutAccessTheUserIsLed),
      cmocka_unit_test(TheLogNamesValuesAndSourcesButNoSecret),
      cmocka_unit_test(AnEngineIsNotMadeWithWrongSettings),
  };
  return cmocka_run_group_tests_name("engine", tests, nullptr, nullptr);
}
