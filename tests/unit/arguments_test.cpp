// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/arguments.h"

#include <algorithm>
#include <deque>

#include "common/redact.h"
#include "tests/unit/option_values.h"
#include "tests/unit/results.h"

namespace cloudflaredump::config {
namespace {

/// A command line in memory that can be written to, as main gets it.
class CommandLine {
 public:
  CommandLine(std::initializer_list<std::string> words) : words_(words) {
    words_.emplace_front("cloudflaredump");
    for (std::string& word : words_) argv_.push_back(word.data());
    argv_.push_back(nullptr);
  }

  Result<Arguments> Parse(std::span<const ExtraArgument> extra = {},
                          UnknownOptions unknown = UnknownOptions::kRefuse) {
    return ParseArguments(static_cast<int>(words_.size()), argv_.data(), extra, {}, unknown);
  }

  /// Word `i` (0: the program) as the process list would show it.
  std::string Shown(std::size_t i) const { return argv_[i]; }
  /// All memory of argv.
  std::string Memory() const {
    std::string all;
    for (const std::string& word : words_) all.append(word).append("\n");
    return all;
  }

 private:
  std::deque<std::string> words_;
  std::vector<char*> argv_;
};

std::string Joined(const std::string& name, const std::string& value) {
  return name + "=" + value;
}

std::string ValueIn(const Arguments& arguments, Opt id) {
  return arguments.values[static_cast<std::size_t>(id)].value_or("(none)");
}

void EveryOptionIsTakenInBothForms(void**) {
  for (const Option& option : AllOptions()) {
    const std::string name = "--" + std::string(option.name);
    const std::string value = SomeValue(option, 0);
    const Arguments apart = ValueOf(CommandLine({name, value}).Parse());
    const Arguments joined = ValueOf(CommandLine({Joined(name, value)}).Parse());
    AssertText(ValueIn(apart, option.id), value);
    AssertText(ValueIn(joined, option.id), value);
    assert_true(apart.words.empty() && joined.words.empty());
    const auto given = [](const auto& v) { return v.has_value(); };
    assert_int_equal(std::ranges::count_if(apart.values, given), 1);
  }
}

void WhatIsNotGivenHasNoValue(void**) {
  const Arguments arguments = ValueOf(CommandLine({}).Parse());
  for (const auto& value : arguments.values) assert_false(value.has_value());
}

void AnEmptyValueAndOneWithEqualsSignsAreValues(void**) {
  const Arguments arguments =
      ValueOf(CommandLine({"--colo=", "--destination-conf=s3://b?region=x=y"}).Parse());
  AssertText(ValueIn(arguments, Opt::kColo), "");
  AssertText(ValueIn(arguments, Opt::kDestinationConf), "s3://b?region=x=y");
}

void TheLastOfTwoCounts(void**) {
  AssertText(ValueIn(ValueOf(CommandLine({"--colo", "ORD", "--colo=FRA"}).Parse()), Opt::kColo),
             "FRA");
}

void BytesOfAnyKindAreTaken(void**) {
  const Arguments arguments = ValueOf(CommandLine({"--log-file", "/tmp/\xff\xc3\xbc"}).Parse());
  AssertText(ValueIn(arguments, Opt::kLogFile), "/tmp/\xff\xc3\xbc");
}

void SecretsAreWipedFromArgv(void**) {
  for (const Option& option : AllOptions()) {
    const std::string name = "--" + std::string(option.name);
    const std::string value = "planted-" + std::string(option.name) + "-0123456789";
    CommandLine apart({"--colo", "ORD", name, value, "word"});
    CommandLine joined({Joined(name, value), "word"});
    AssertText(ValueIn(ValueOf(apart.Parse()), option.id), value);
    AssertText(ValueIn(ValueOf(joined.Parse()), option.id), value);
    if (option.type == OptionType::kSecret) {
      for (const std::string& memory : {apart.Memory(), joined.Memory()}) {
        AssertLacks(memory, "planted-");
        AssertLacks(memory, "0123456789");
      }
      AssertText(joined.Shown(1), name + "=");
      AssertText(Redact(value), "[secret]");
    } else {
      AssertText(apart.Shown(4), value);
      AssertText(joined.Shown(1), Joined(name, value));
    }
    AssertText(apart.Shown(3), name);
    AssertText(apart.Shown(5), "word");
  }
}

void SecretsAreWipedEvenIfTheLineIsWrong(void**) {
  CommandLine line({"--no-such-option", "--api-token", "planted-in-a-wrong-line"});
  AssertFails(line.Parse(), Error::Kind::kUsage, "no-such-option");
  AssertLacks(line.Memory(), "planted-");
}

void EverySecretOfALineIsWiped(void**) {
  CommandLine line(
      {"--api-token", "planted-one", "--api-key=planted-two", "--api-token=planted-3"});
  const Arguments arguments = ValueOf(line.Parse());
  AssertText(ValueIn(arguments, Opt::kApiToken), "planted-3");
  AssertText(ValueIn(arguments, Opt::kApiKey), "planted-two");
  AssertLacks(line.Memory(), "planted-");
}

void WordsAreWhatIsLeft(void**) {
  const Arguments arguments =
      ValueOf(CommandLine({"show", "--colo", "ORD", "id", "--", "--not-an-option"}).Parse());
  assert_int_equal(arguments.words.size(), 3);
  AssertText(arguments.words[0], "show");
  AssertText(arguments.words[1], "id");
  AssertText(arguments.words[2], "--not-an-option");
}

void ExtraArgumentsGoWhereTheCallerSays(void**) {
  std::string file = "(none)";
  std::string other = "(none)";
  bool json = false;
  bool quiet = false;
  const ExtraArgument extra[] = {
      {.name = "write", .letter = 'w', .text = &file, .help = "Write here.", .value_name = "FILE"},
      {.name = "fifo", .text = &other},
      {.name = "json", .flag = &json, .help = "Print JSON."},
      {.name = "quiet", .letter = 'q', .flag = &quiet, .help = "Say less."},
  };
  const Arguments arguments =
      ValueOf(CommandLine({"-w", "out.pcapng", "--json", "--colo=ORD"}).Parse(extra));
  AssertText(file, "out.pcapng");
  AssertText(other, "(none)");
  assert_true(json);
  assert_false(quiet);
  AssertText(ValueIn(arguments, Opt::kColo), "ORD");
}

void AnExtraArgumentTakesTheOptionsPlace(void**) {
  std::string start;
  const ExtraArgument extra[] = {{.name = "start-time", .text = &start}};
  const Arguments arguments =
      ValueOf(CommandLine({"--start-time", "-1h", "--end-time", "-2m"}).Parse(extra));
  AssertText(start, "-1h");
  AssertText(ValueIn(arguments, Opt::kStartTime), "(none)");
  AssertText(ValueIn(arguments, Opt::kEndTime), "-2m");
}

void AMistypedOptionIsRefusedWithoutItsValue(void**) {
  AssertFails(CommandLine({"--tme-limit", "5"}).Parse(), Error::Kind::kUsage,
              "Unknown option --tme-limit; see --help.");
  const auto typed = CommandLine({"--api_token=planted-behind-a-typo"}).Parse();
  AssertFails(typed, Error::Kind::kUsage, "Unknown option --api_token; see --help.");
  AssertLacks(SentenceOf(typed.error()), "planted-");
}

void AMissingValueIsRefused(void**) {
  AssertFails(CommandLine({"--time-limit"}).Parse(), Error::Kind::kUsage, "--time-limit");
}

/// A later Wireshark may pass options that we do not know.
void UnknownOptionsCanBeIgnored(void**) {
  std::string fifo;
  const ExtraArgument extra[] = {{.name = "fifo", .text = &fifo}};
  const Arguments arguments = ValueOf(
      CommandLine({"--extcap-new", "x", "--extcap-other=1", "--fifo", "/p", "--colo", "ORD"})
          .Parse(extra, UnknownOptions::kIgnore));
  AssertText(fifo, "/p");
  AssertText(ValueIn(arguments, Opt::kColo), "ORD");
}

}  // namespace
}  // namespace cloudflaredump::config

int main() {
  using namespace cloudflaredump::config;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EveryOptionIsTakenInBothForms),
      cmocka_unit_test(WhatIsNotGivenHasNoValue),
      cmocka_unit_test(AnEmptyValueAndOneWithEqualsSignsAreValues),
      cmocka_unit_test(TheLastOfTwoCounts),
      cmocka_unit_test(BytesOfAnyKindAreTaken),
      cmocka_unit_test(SecretsAreWipedFromArgv),
      cmocka_unit_test(SecretsAreWipedEvenIfTheLineIsWrong),
      cmocka_unit_test(EverySecretOfALineIsWiped),
      cmocka_unit_test(WordsAreWhatIsLeft),
      cmocka_unit_test(ExtraArgumentsGoWhereTheCallerSays),
      cmocka_unit_test(AnExtraArgumentTakesTheOptionsPlace),
      cmocka_unit_test(AMistypedOptionIsRefusedWithoutItsValue),
      cmocka_unit_test(AMissingValueIsRefused),
      cmocka_unit_test(UnknownOptionsCanBeIgnored),
  };
  return cmocka_run_group_tests_name("arguments", tests, nullptr, nullptr);
}
