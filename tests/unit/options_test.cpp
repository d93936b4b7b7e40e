// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/options.h"

#include <glib.h>

#include <algorithm>
#include <set>

#include "common/text.h"
#include "tests/unit/option_values.h"
#include "tests/unit/results.h"

namespace cloudflaredump::config {
namespace {

void EveryRowIsFoundByIdAndName(void**) {
  for (const Option& option : AllOptions()) {
    assert_ptr_equal(&OptionOf(option.id), &option);
    assert_ptr_equal(FindOption(option.name), &option);
  }
  assert_int_equal(AllOptions().size(), static_cast<std::size_t>(Opt::kCount));
  for (const char* none : {"", "time", "time-limit ", "Time-Limit", "time_limit"}) {
    assert_null(FindOption(none));
  }
}

/// Names become words of argv, keys of a file and preferences of Wireshark, which writes them in
/// lower case.
void NamesAreFitForAllTheirUses(void**) {
  std::set<std::string> environment;
  for (const Option& option : AllOptions()) {
    for (const char* c = option.name; *c != '\0'; ++c) {
      assert_true(g_ascii_islower(*c) || g_ascii_isdigit(*c) || *c == '-');
    }
    AssertLacks(option.name, "extcap");
    if (option.environment == nullptr) continue;
    for (const std::string_view name : Split(option.environment, ',')) {
      assert_true(environment.emplace(name).second);
    }
  }
}

void EveryRowIsExplained(void**) {
  const std::set<std::string> tabs = {"Capture", "Filter", "Account", "Bucket", "Advanced"};
  for (const Option& option : AllOptions()) {
    assert_true(std::string_view(option.help).ends_with('.') ||
                std::string_view(option.help).ends_with("…"));
    assert_non_null(option.value_name);
    if (option.kinds == 0) continue;
    assert_non_null(option.label);
    assert_true(tabs.contains(option.tab));
  }
}

void EveryDefaultIsAllowed(void**) {
  for (const Option& option : AllOptions()) {
    for (const InterfaceKind kind : kKinds) {
      const char* const fallback = FallbackOf(option, kind);
      if (fallback == nullptr || (option.kinds != 0 && !AppliesTo(option, kind))) continue;
      AssertGood(CheckValue(option, kind, fallback, "built in"));
    }
    // tshark would pass a secret's default as if the user had typed it.
    if (option.type == OptionType::kSecret) assert_null(option.fallback);
  }
}

void NumbersKeepTheirBounds(void**) {
  for (const Option& option : AllOptions()) {
    if (option.type != OptionType::kNumber) continue;
    for (const InterfaceKind kind : kKinds) {
      const std::uint64_t maximum = MaximumOf(option, kind);
      assert_true(option.minimum < maximum);
      const auto check = [&](const std::string& value) {
        return CheckValue(option, kind, value, "--here").has_value();
      };
      assert_true(check(std::to_string(option.minimum)));
      assert_true(check(std::to_string(maximum)));
      assert_false(check(std::to_string(maximum + 1)));
      if (option.minimum > 0) assert_false(check(std::to_string(option.minimum - 1)));
      for (const char* bad :
           {"", " ", "x", "-1", "+1", "1.5", "1e2", "0x10", "1 2", "99999999999999999999999"}) {
        assert_false(check(bad));
      }
    }
  }
}

void ChoicesAreThoseListed(void**) {
  for (const Option& option : AllOptions()) {
    assert_true((option.type == OptionType::kChoice) == (option.choices != nullptr));
    if (option.choices == nullptr) continue;
    for (const std::string_view choice : Split(option.choices, ',')) {
      AssertGood(CheckValue(option, InterfaceKind::kSample, choice, "--here"));
    }
    for (const char* bad : {"", "On", "on,off", "maybe"}) {
      assert_false(CheckValue(option, InterfaceKind::kSample, bad, "--here").has_value());
    }
  }
}

void ARefusalSaysWhereAndWhat(void**) {
  AssertFails(CheckValue(OptionOf(Opt::kTimeLimit), InterfaceKind::kSample, "301", "--time-limit"),
              Error::Kind::kUsage,
              "time-limit is \"301\" (--time-limit), but it must be a whole number from 1 to 300.");
  AssertGood(CheckValue(OptionOf(Opt::kTimeLimit), InterfaceKind::kColo, "301", "--time-limit"));
  AssertFails(CheckValue(OptionOf(Opt::kTimeLimit), InterfaceKind::kFull, "0", "file"),
              Error::Kind::kUsage, "from 1 to 86,400.");
  AssertFails(CheckValue(OptionOf(Opt::kIfBusy), InterfaceKind::kFull, "re}{try\n", "file"),
              Error::Kind::kUsage,
              "if-busy is \"re)(try\" (file), but it must be fail, wait or attach.");
}

void OptionsStandWhereTheyMeanSomething(void**) {
  const auto on = [](Opt id) {
    std::string kinds;
    for (const InterfaceKind kind : kKinds) kinds += AppliesTo(OptionOf(id), kind) ? 'x' : '-';
    return kinds;
  };
  // sample, full, colo, download
  AssertText(on(Opt::kStartTime), "x---");
  AssertText(on(Opt::kRequestsPerWindow), "x---");
  AssertText(on(Opt::kTimeLimit), "xxx-");
  AssertText(on(Opt::kByteLimit), "-xx-");
  AssertText(on(Opt::kColo), "-x--");
  AssertText(on(Opt::kDestinationConf), "-xx-");
  AssertText(on(Opt::kReadFrom), "-xxx");
  AssertText(on(Opt::kPcapId), "---x");
  AssertText(on(Opt::kApiToken), "xxxx");
  AssertText(on(Opt::kAwsSecretAccessKey), "----");
}

void FullCapturesHaveDefaultsOfTheirOwn(void**) {
  const Option& time_limit = OptionOf(Opt::kTimeLimit);
  AssertText(FallbackOf(time_limit, InterfaceKind::kSample), "300");
  AssertText(FallbackOf(time_limit, InterfaceKind::kFull), "60");
  AssertText(FallbackOf(time_limit, InterfaceKind::kColo), "60");
  AssertText(FallbackOf(OptionOf(Opt::kMaxWait), InterfaceKind::kSample), "120");
  AssertText(FallbackOf(OptionOf(Opt::kMaxWait), InterfaceKind::kColo), "900");
  AssertText(FallbackOf(OptionOf(Opt::kPacketLimit), InterfaceKind::kFull), "10000");
  assert_null(FallbackOf(OptionOf(Opt::kByteLimit), InterfaceKind::kFull));
}

}  // namespace
}  // namespace cloudflaredump::config

int main() {
  using namespace cloudflaredump::config;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EveryRowIsFoundByIdAndName),
      cmocka_unit_test(NamesAreFitForAllTheirUses),
      cmocka_unit_test(EveryRowIsExplained),
      cmocka_unit_test(EveryDefaultIsAllowed),
      cmocka_unit_test(NumbersKeepTheirBounds),
      cmocka_unit_test(ChoicesAreThoseListed),
      cmocka_unit_test(ARefusalSaysWhereAndWhat),
      cmocka_unit_test(OptionsStandWhereTheyMeanSomething),
      cmocka_unit_test(FullCapturesHaveDefaultsOfTheirOwn),
  };
  return cmocka_run_group_tests_name("options", tests, nullptr, nullptr);
}
