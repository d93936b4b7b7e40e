// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/analytics_memory.h"

#include "tests/unit/analytics_answers.h"
#include "tests/unit/fake_environment.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;

constexpr api::AnalyticsBounds kBounds{
    .enabled = true, .max_duration = 604800, .max_page_size = 10000};

struct MemoryFixture : AnalyticsFixture {
  TempFolder folder;
  FakeEnvironment environment = FakeEnvironment().Set("XDG_CACHE_HOME", folder.path());
  AnalyticsMemory memory{environment.Reader()};
  std::string file = folder / "cloudflaredump/analytics.json";

  Result<api::AnalyticsBounds> Find(WallTime now) {
    return FindBounds(analytics, TestAccess(), memory, now, ForSeconds(0));
  }
  void AnswerSettings() {
    http.Answer("POST", kGraphqlUrl,
                AccountAnswer(R"("settings":{"magicTransitNetworkAnalyticsAdaptiveGroups":)"
                              R"({"enabled":true,"maxDuration":604800,"maxPageSize":10000}})"));
  }
};

void TheSettingsNodeIsAskedOnceADay(void**) {
  MemoryFixture f;
  f.AnswerSettings();
  const WallTime now = f.loop.Now();
  for (const Duration later : {Duration(0), Duration(1h), Duration(24h - 1s)}) {
    assert_true(ValueOf(f.Find(now + later)) == kBounds);
    assert_int_equal(f.http.requests.size(), 1);
  }
  AssertGood(f.Find(now + 24h));
  assert_int_equal(f.http.requests.size(), 2);
  // A clock that was set back does not make it last for ever.
  AssertGood(f.Find(now));
  assert_int_equal(f.http.requests.size(), 3);
}

void AccountsAndApisAreApart(void**) {
  MemoryFixture f;
  const WallTime now = f.loop.Now();
  f.memory.Remember(TestAccess(), kBounds, now);
  api::ApiAccess other = TestAccess();
  other.account_id = "other";
  assert_false(f.memory.Find(other, now).has_value());
  other = TestAccess();
  other.base_url = "http://127.0.0.1:99/client/v4";
  assert_false(f.memory.Find(other, now).has_value());
  f.memory.Remember(other, {.enabled = false}, now);
  assert_true(f.memory.Find(TestAccess(), now) == kBounds);
  assert_true(f.memory.Find(other, now) == api::AnalyticsBounds{.enabled = false});
  f.memory.Forget(other);
  assert_false(f.memory.Find(other, now).has_value());
  assert_true(f.memory.Find(TestAccess(), now) == kBounds);
}

void TheFileIsPrivateAndHoldsNoSecret(void**) {
  MemoryFixture f;
  f.memory.Remember(TestAccess(), kBounds, f.loop.Now());
  assert_int_equal(ModeOf(f.file), 0600);
  AssertContains(ReadFile(f.file), "acc123");
  AssertLacks(ReadFile(f.file), kTestToken);
}

void AnErrorIsNotRemembered(void**) {
  MemoryFixture f;
  f.http.Answer("POST", kGraphqlUrl, GraphqlRefusal(403, "not authorized for that account"));
  AssertFails(f.Find(f.loop.Now()), Error::Kind::kFinal, "Account Analytics: Read");
  assert_int_equal(f.folder.Count(), 0);
}

void AFileThatIsNoneIsAskedAfresh(void**) {
  for (const char* content : {"", "[]", "{\"acc123 api.example\":7}", "{\"acc123 api.example\":{}}",
                              "{\"acc123 api.example\":{\"at\":\"soon\"}}", "{"}) {
    MemoryFixture f;
    f.AnswerSettings();
    f.folder.Write("cloudflaredump/analytics.json", content);
    assert_true(ValueOf(f.Find(f.loop.Now())) == kBounds);
    assert_true(f.memory.Find(TestAccess(), f.loop.Now()) == kBounds);
  }
}

void AHomeThatCannotBeWrittenStopsNothing(void**) {
  AnalyticsFixture f;
  f.http.Answer("POST", kGraphqlUrl, AccountAnswer(""));
  const FakeEnvironment environment = FakeEnvironment().Set("XDG_CACHE_HOME", "/dev/null");
  AnalyticsMemory memory(environment.Reader());
  AssertGood(FindBounds(f.analytics, TestAccess(), memory, f.loop.Now(), f.ForSeconds(0)));
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheSettingsNodeIsAskedOnceADay),
      cmocka_unit_test(AccountsAndApisAreApart),
      cmocka_unit_test(TheFileIsPrivateAndHoldsNoSecret),
      cmocka_unit_test(AnErrorIsNotRemembered),
      cmocka_unit_test(AFileThatIsNoneIsAskedAfresh),
      cmocka_unit_test(AHomeThatCannotBeWrittenStopsNothing),
  };
  return cmocka_run_group_tests_name("analytics_memory", tests, nullptr, nullptr);
}
