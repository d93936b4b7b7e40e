// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/base/redact.h"

#include "extcap/base/text.h"
#include "tests/unit/results.h"

namespace cloudflaredump {
namespace {

// Secrets are registered for the whole process: each test has its own.

void EveryPlaceIsReplaced(void**) {
  RegisterSecret("cfut_first0123456789");
  AssertText(Redact("a cfut_first0123456789, again: cfut_first0123456789cfut_first0123456789"),
             "a [secret], again: [secret][secret]");
}

void OtherTextStaysAsItIs(void**) {
  RegisterSecret("cfut_other0123456789");
  AssertText(Redact("cfut_othe 0123456789, naïve\n"), "cfut_othe 0123456789, naïve\n");
  AssertText(Redact(""), "");
}

void EncodedFormsAreReplacedToo(void**) {
  const std::string secret = "wJalr/K7MD+ENG/bPx=RfiCY";
  RegisterSecret(secret);
  AssertText(Redact("?key=" + PercentEncode(secret)), "?key=[secret]");
  AssertText(Redact("/path/" + PercentEncode(secret, "/")), "/path/[secret]");
  AssertText(Redact("\"" + secret + "\""), "\"[secret]\"");
}

void SecretsInsideSecretsLeaveNoRest(void**) {
  RegisterSecret("inner0123");
  RegisterSecret("outer-inner0123-outer");
  AssertText(Redact("x outer-inner0123-outer y inner0123 z"), "x [secret] y [secret] z");
}

void ShortTextsAreNoSecrets(void**) {
  RegisterSecret("");
  RegisterSecret("abcde");
  AssertText(Redact("abcde"), "abcde");
  RegisterSecret("abcdeF");
  AssertText(Redact("abcdeF"), "[secret]");
}

void WipeLeavesNothingOfTheText(void**) {
  char text[] = "--api-token=cfut_wiped";
  Wipe(text + 12);
  AssertText(std::string(text, sizeof text), "--api-token=" + std::string(11, '\0'));
  for (std::size_t i = 12; i < sizeof text; ++i) assert_int_equal(text[i], 0);
}

}  // namespace
}  // namespace cloudflaredump

int main() {
  using namespace cloudflaredump;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EveryPlaceIsReplaced),
      cmocka_unit_test(OtherTextStaysAsItIs),
      cmocka_unit_test(EncodedFormsAreReplacedToo),
      cmocka_unit_test(SecretsInsideSecretsLeaveNoRest),
      cmocka_unit_test(ShortTextsAreNoSecrets),
      cmocka_unit_test(WipeLeavesNothingOfTheText),
  };
  return cmocka_run_group_tests_name("redact", tests, nullptr, nullptr);
}
