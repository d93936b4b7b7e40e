// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/frontend/dialog.h"

#include <map>
#include <regex>
#include <set>

#include "tests/unit/fake_environment.h"
#include "tests/unit/option_values.h"
#include "tests/unit/stdout_text.h"

namespace cloudflaredump::frontend {
namespace {

using Keys = std::map<std::string, std::string>;

/// The dialog's sentences of one kind ("arg", "value"), read as extcap_parser.c does.
std::vector<Keys> SentencesOf(const std::string& printed, const std::string& kind) {
  std::vector<Keys> sentences;
  for (const std::string_view line : Split(printed, '\n')) {
    if (!line.starts_with(kind + " ")) continue;
    Keys keys;
    const std::string text(line);
    const std::regex pair(R"(\{([a-z]+)=([^}]*)\})");
    for (std::sregex_iterator at(text.begin(), text.end(), pair), end; at != end; ++at) {
      keys[(*at)[1]] = (*at)[2];
    }
    sentences.push_back(keys);
  }
  return sentences;
}

std::string Printed(config::InterfaceKind kind, const FakeEnvironment& environment = {}) {
  const config::CaptureInterface interface{
      .name = "cloudflare-x", .display = "x", .kind = kind, .colo = {}};
  const config::Settings settings = LoadSettings({}, kind, environment);
  return StdoutOf([&] { PrintDialog(interface, settings); });
}

/// The sentence of the option called `name`.
Keys ArgOf(const std::string& printed, const std::string& name) {
  for (const Keys& arg : SentencesOf(printed, "arg")) {
    if (arg.at("call") == "--" + name) return arg;
  }
  fail_msg("no --%s", name.c_str());
  return {};
}

void EachInterfaceHasItsOptionsInTheTablesOrder(void**) {
  for (const config::InterfaceKind kind : kKinds) {
    std::vector<std::string> due;
    for (const config::Option& option : config::AllOptions()) {
      if (config::AppliesTo(option, kind)) due.push_back("--" + std::string(option.name));
    }
    std::vector<std::string> shown;
    std::set<std::string> numbers;
    for (const Keys& arg : SentencesOf(Printed(kind), "arg")) {
      assert_true(numbers.insert(arg.at("number")).second);
      shown.push_back(arg.at("call"));
      assert_int_equal(std::stoul(arg.at("number")), shown.size() - 1);
      const config::Option& option = *config::FindOption(arg.at("call").substr(2));
      assert_int_equal(config::DialogNumber(option.id, kind), shown.size() - 1);
      // On 4.0 nothing but a selector can be reloaded.
      assert_true(arg.contains("reload") == (option.type == config::OptionType::kPick));
      if (arg.contains("reload")) AssertText(arg.at("type"), "selector");
    }
    assert_true(shown == due);
  }
}

void EveryOptionIsLabelledAndExplained(void**) {
  const std::set<std::string> known_to_4_0 = {
      "integer",  "unsigned",   "long",     "double",       "string", "password",   "boolean",
      "boolflag", "fileselect", "selector", "editselector", "radio",  "multicheck", "timestamp"};
  for (const config::InterfaceKind kind : kKinds) {
    for (const Keys& arg : SentencesOf(Printed(kind), "arg")) {
      assert_true(known_to_4_0.contains(arg.at("type")));
      for (const char* key : {"display", "tooltip", "group"}) assert_false(arg.at(key).empty());
      // Where nothing is typed, something stands.
      if (arg.at("type") != "selector") assert_false(arg.at("placeholder").empty());
    }
  }
}

/// tshark passes a default as if the user had typed it, over the configuration file.
void NoTextHasADefault(void**) {
  for (const config::InterfaceKind kind : kKinds) {
    for (const Keys& arg : SentencesOf(Printed(kind), "arg")) assert_false(arg.contains("default"));
  }
}

void EachChoiceIsListedAndTheEffectiveOneIsTheDefault(void**) {
  FakeEnvironment environment;
  environment.Set("CLOUDFLAREDUMP_LOG_LEVEL", "debug");
  const std::string printed = Printed(config::InterfaceKind::kSample, environment);
  const std::string number = ArgOf(printed, "log-level").at("number");
  std::string listed;
  std::string chosen;
  for (const Keys& value : SentencesOf(printed, "value")) {
    if (value.at("arg") != number) continue;
    listed += (listed.empty() ? "" : ",") + value.at("value");
    if (value.contains("default")) chosen += value.at("value");
  }
  AssertText(listed, config::OptionOf(config::Opt::kLogLevel).choices);
  AssertText(chosen, "debug");
}

void PlaceholdersSayWhatHoldsAndWhy(void**) {
  FakeEnvironment environment;
  environment.Set("CLOUDFLARE_ACCOUNT_ID", "abc123").Set("CLOUDFLARE_API_TOKEN", "planted-token");
  const std::string printed = Printed(config::InterfaceKind::kFull, environment);
  AssertText(ArgOf(printed, "time-limit").at("placeholder"), "60");
  AssertText(ArgOf(printed, "account-id").at("placeholder"), "abc123 (CLOUDFLARE_ACCOUNT_ID)");
  AssertText(ArgOf(printed, "api-token").at("placeholder"), "set by CLOUDFLARE_API_TOKEN");
  AssertText(ArgOf(printed, "byte-limit").at("placeholder"), "no limit");
  AssertLacks(printed, "planted-token");
  AssertText(ArgOf(Printed(config::InterfaceKind::kSample), "time-limit").at("placeholder"), "300");
}

void NumbersSayTheirRange(void**) {
  AssertContains(ArgOf(Printed(config::InterfaceKind::kSample), "time-limit").at("tooltip"),
                 " From 1 to 300.");
  AssertContains(ArgOf(Printed(config::InterfaceKind::kColo), "time-limit").at("tooltip"),
                 " From 1 to 86,400.");
}

void SecretsAreTypedBlind(void**) {
  const std::string printed = Printed(config::InterfaceKind::kSample);
  AssertText(ArgOf(printed, "api-token").at("type"), "password");
  AssertText(ArgOf(printed, "api-key").at("type"), "password");
}

}  // namespace
}  // namespace cloudflaredump::frontend

int main() {
  using namespace cloudflaredump::frontend;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EachInterfaceHasItsOptionsInTheTablesOrder),
      cmocka_unit_test(EveryOptionIsLabelledAndExplained),
      cmocka_unit_test(NoTextHasADefault),
      cmocka_unit_test(EachChoiceIsListedAndTheEffectiveOneIsTheDefault),
      cmocka_unit_test(PlaceholdersSayWhatHoldsAndWhy),
      cmocka_unit_test(NumbersSayTheirRange),
      cmocka_unit_test(SecretsAreTypedBlind),
  };
  return cmocka_run_group_tests_name("dialog", tests, nullptr, nullptr);
}
