// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/environment.h"

#include <pwd.h>
#include <unistd.h>

#include "tests/unit/unit_test.h"

namespace cloudflaredump::system {
namespace {

void HomeIsWhatTheVariableSays(void**) {
  AssertText(
      HomeFolder([](const char* name) { return name == std::string("HOME") ? "/h" : nullptr; }),
      "/h");
}

void WithoutTheVariableTheSystemIsAsked(void**) {
  unsetenv("HOME");  // of this process: GLib would believe it
  const passwd* const user = getpwuid(getuid());
  assert_non_null(user);
  AssertText(HomeFolder([](const char*) { return static_cast<const char*>(nullptr); }),
             user->pw_dir);
  AssertText(HomeFolder([](const char*) { return ""; }), user->pw_dir);
}

void ValueIsTrimmedAndEmptyIfThereIsNone(void**) {
  for (const auto& [set, read] : {std::pair(" here\n", "here"), std::pair("\t", ""),
                                  std::pair(static_cast<const char*>(nullptr), "")}) {
    AssertText(TrimmedValue([set](const char*) { return set; }, "NAME"), read);
  }
}

void ValuesAreTrimmed(void**) {
  constexpr const char* kName = "CLOUDFLAREDUMP_ENVIRONMENT_TEST";
  for (const auto& [set, read] :
       {std::pair("here", "here"), std::pair("here\n", "here"),
        std::pair(" \tin here\r\n", "in here"), std::pair(" \n", ""), std::pair("", "")}) {
    setenv(kName, set, 1);
    AssertText(ProcessEnvironment(kName), read);
  }
  unsetenv(kName);
  assert_null(ProcessEnvironment(kName));
}

}  // namespace
}  // namespace cloudflaredump::system

int main() {
  using namespace cloudflaredump::system;
  const CMUnitTest tests[] = {
      cmocka_unit_test(HomeIsWhatTheVariableSays),
      cmocka_unit_test(WithoutTheVariableTheSystemIsAsked),
      cmocka_unit_test(ValueIsTrimmedAndEmptyIfThereIsNone),
      cmocka_unit_test(ValuesAreTrimmed),
  };
  return cmocka_run_group_tests_name("environment", tests, nullptr, nullptr);
}
