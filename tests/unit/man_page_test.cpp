// SPDX-License-Identifier: GPL-2.0-or-later
// The man page contains the options table. MAN_PAGE is the page as it is installed.
#include <fstream>
#include <sstream>
#include <string>

#include "common/text.h"
#include "extcap/config/options.h"
#include "packaging/man/option_sections.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump {
namespace {

std::string Page() {
  std::ifstream file(MAN_PAGE);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// What the page says between `from` and the next entry or heading; empty if it has no `from`.
std::string EntryOf(const std::string& page, const std::string& from) {
  const std::size_t begin = page.find(from);
  if (begin == std::string::npos) return "";
  return page.substr(begin, page.find("\n.", begin) - begin);
}

void EveryOptionIsInThePage(void**) {
  const std::string page = Page();
  for (const config::Option& option : config::AllOptions()) {
    if (option.type == config::OptionType::kPick) {
      assert_int_equal(page.find(Roff(option.name)), std::string::npos);
      continue;
    }
    const bool dialog = option.tab != nullptr;
    const std::string head = "\n\\fB" + Roff(std::string(dialog ? "--" : "") + option.name) +
                             "\\fR" + (dialog ? " " : "=");
    const std::string entry = EntryOf(page, head);
    AssertContains(entry, head + "\\fI" + Roff(option.value_name));
    AssertContains(entry, Roff(option.help));
    if (option.fallback != nullptr) AssertContains(entry, "Default: \\fB" + Roff(option.fallback));
    if (option.fallback_full != nullptr) AssertContains(entry, Roff(option.fallback_full));
    if (option.type == config::OptionType::kNumber)
      AssertContains(entry, WithThousands(option.maximum));
    if (option.choices == nullptr) continue;
    for (const auto choice : Split(option.choices, ',')) AssertContains(entry, Roff(choice));
  }
}

void EveryVariableIsInThePage(void**) {
  const std::string page = Page();
  const std::string environment = page.substr(page.find(".SH ENVIRONMENT"));
  for (const config::Option& option : config::AllOptions()) {
    if (option.environment == nullptr) continue;
    for (const auto name : Split(option.environment, ',')) {
      AssertContains(environment, "\\fB" + Roff(name) + "\\fR");
    }
  }
}

void NothingIsLeftOfTheTemplate(void**) {
  const std::string page = Page();
  assert_true(page.size() > 5000);
  assert_int_equal(page.find("Interfaces: ."), std::string::npos);
  assert_int_equal(page.find('@'), std::string::npos);
}

void RoffEscapes(void**) {
  assert_string_equal(Roff("a-b\\c…").c_str(), "a\\-b\\ec...");
  assert_string_equal(Roff(".x\n'y").c_str(), "\\&.x\n\\&'y");
}

}  // namespace
}  // namespace cloudflaredump

int main() {
  using namespace cloudflaredump;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EveryOptionIsInThePage),
      cmocka_unit_test(EveryVariableIsInThePage),
      cmocka_unit_test(NothingIsLeftOfTheTemplate),
      cmocka_unit_test(RoffEscapes),
  };
  return cmocka_run_group_tests_name("man page", tests, nullptr, nullptr);
}
