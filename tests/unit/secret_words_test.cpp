// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/secret_words.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>

#include "common/redact.h"
#include "extcap/config/arguments.h"
#include "tests/unit/results.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::config {
namespace {

/// A command line whose memory is ours to change.
struct CommandLine {
  explicit CommandLine(std::vector<std::string> given) : words(std::move(given)) {
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
  }
  int count() const { return static_cast<int>(words.size()); }
  std::string Joined() const {
    std::string text;
    for (const std::string& word : words) text += word.c_str() + std::string(" ");
    return text;
  }

  std::vector<std::string> words;
  std::vector<char*> pointers;
};

std::string ValueOf(const OptionValues& values, Opt id) {
  return values[static_cast<std::size_t>(id)].value_or("(none)");
}

void SecretsGoRoundArgv(void**) {
  CommandLine line({"cloudflaredump", "--capture", "--account-id", "abc", "--api-token",
                    "planted-token", "--api-key=planted-key", "--fifo", "x"});
  CommandLine next(SetSecretsAside(line.count(), line.pointers.data()));
  // Neither this process's argv nor that of the next shows them; all else is there.
  for (const CommandLine* const shown : {&line, &next}) AssertLacks(shown->Joined(), "planted");
  AssertContains(next.Joined(), "--account-id abc --api-token  --api-key= --fifo x --secrets-fd=");

  std::string fifo;
  bool capture = false;
  const ExtraArgument extra[] = {{.name = "capture", .flag = &capture},
                                 {.name = "fifo", .text = &fifo}};
  const auto arguments = ParseExtcapArguments(next.count(), next.pointers.data(), extra);
  assert_true(arguments.has_value());
  AssertText(ValueOf(arguments->values, Opt::kApiToken), "planted-token");
  AssertText(ValueOf(arguments->values, Opt::kApiKey), "planted-key");
  AssertText(ValueOf(arguments->values, Opt::kAccountId), "abc");
  AssertText(fifo, "x");
  AssertText(Redact("a planted-token"), "a [secret]");
  const int fd = std::stoi(next.words.back().substr(next.words.back().find('=') + 1));
  assert_int_equal(fcntl(fd, F_GETFD), -1);  // closed, so that no child inherits it
}

void AnAddressWithKeysGoesRoundArgvToo(void**) {
  const std::string with_keys =
      "r2://b?account-id=1&access-key-id=planted1&secret-access-key=planted2";
  CommandLine line({"cloudflaredump", "--destination-conf", with_keys, "--read-from=" + with_keys,
                    "--destination-conf-pick", "s3://b?region=us-east-1"});
  CommandLine next(SetSecretsAside(line.count(), line.pointers.data()));
  for (const CommandLine* const shown : {&line, &next}) AssertLacks(shown->Joined(), "planted");
  AssertContains(next.Joined(), "--destination-conf-pick s3://b?region=us-east-1 ");

  const auto arguments = ParseExtcapArguments(next.count(), next.pointers.data(), {});
  assert_true(arguments.has_value());
  AssertText(ValueOf(arguments->values, Opt::kDestinationConf), with_keys);
  AssertText(ValueOf(arguments->values, Opt::kReadFrom), with_keys);
  AssertText(Redact("planted1 planted2"), "[secret] [secret]");
}

void NothingIsSetAsideWhereThereIsNothing(void**) {
  CommandLine line({"cloudflaredump", "--capture", "--api-token", "", "--api-key"});
  assert_true(SetSecretsAside(line.count(), line.pointers.data()) == line.words);
}

/// Where no pipe can be had the next program wipes its own argv, as it does for the tool's users.
void WithoutAPipeAllStaysAsItIs(void**) {
  CommandLine line({"cloudflaredump", "--api-token", "planted-other"});
  const std::vector<std::string> before = line.words;
  std::vector<int> all;
  for (int fd = dup(0); fd >= 0; fd = dup(0)) all.push_back(fd);
  const std::vector<std::string> words = SetSecretsAside(line.count(), line.pointers.data());
  for (const int fd : all) close(fd);
  assert_true(words == before && line.words == before);
}

void MoreThanAPipeHoldsStaysAsItIs(void**) {
  CommandLine line({"cloudflaredump", "--api-token", std::string(100'000, 'x')});
  const std::vector<std::string> before = line.words;
  assert_true(SetSecretsAside(line.count(), line.pointers.data()) == before);
  assert_true(line.words == before);
}

void WhatIsNoSuchPipeIsRefused(void**) {
  OptionValues values;
  FILE* const file = tmpfile();
  assert_non_null(file);
  assert_false(TakeSecrets(std::to_string(fileno(file)), values).has_value());
  fclose(file);
  for (const char* const fd : {"", "x", "-1", "99999", "18446744073709551616"}) {
    assert_false(TakeSecrets(fd, values).has_value());
  }
  int ends[2];
  assert_int_equal(pipe(ends), 0);
  assert_false(TakeSecrets(std::to_string(ends[0]), values).has_value());
  close(ends[0]);
  close(ends[1]);
  for (const auto& value : values) assert_false(value.has_value());
}

}  // namespace
}  // namespace cloudflaredump::config

int main() {
  using namespace cloudflaredump::config;
  const CMUnitTest tests[] = {
      cmocka_unit_test(SecretsGoRoundArgv),
      cmocka_unit_test(AnAddressWithKeysGoesRoundArgvToo),
      cmocka_unit_test(NothingIsSetAsideWhereThereIsNothing),
      cmocka_unit_test(WithoutAPipeAllStaysAsItIs),
      cmocka_unit_test(MoreThanAPipeHoldsStaysAsItIs),
      cmocka_unit_test(WhatIsNoSuchPipeIsRefused),
  };
  return cmocka_run_group_tests_name("secret_words", tests, nullptr, nullptr);
}
