// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/frontend/sentence.h"

#include "tests/unit/results.h"
#include "tests/unit/stdout_text.h"

namespace cloudflaredump::frontend {
namespace {

void ASentenceIsAKindAndItsKeys(void**) {
  Sentence sentence("arg");
  sentence.With("number", 0).With("call", "--time-limit").With("display", "Time limit (s)");
  AssertText(sentence.line(), "arg {number=0}{call=--time-limit}{display=Time limit (s)}");
}

void AKeyWithoutAValueCanBeLeftOut(void**) {
  AssertText(Sentence("arg").With("a", "").WithIfAny("b", "").WithIfAny("c", "x").line(),
             "arg {a=}{c=x}");
}

/// The grammar has no escaping: a value must not end its own braces or the line.
void AValueCannotBreakTheSentence(void**) {
  for (const char* value : {"x}{default=evil", "x} {y", "x}\narg {number=1}", "{{}}", "\r\n}"}) {
    const std::string line = Sentence("value").With("display", value).line();
    AssertText(line.substr(0, 15), "value {display=");
    assert_int_equal(line.back(), '}');
    const std::string inside = line.substr(15, line.size() - 16);
    assert_true(inside.find_first_of("{}\r\n") == std::string::npos);
  }
}

void AValueIsValidUtf8OfBoundedLength(void**) {
  const std::string line = Sentence("arg").With("tooltip", "\xff" + std::string(5000, 'x')).line();
  assert_true(line.size() < 1100);
  AssertContains(line, "\xef\xbf\xbd");
}

void ASentenceIsOneLineOfOutput(void**) {
  AssertText(StdoutOf([] { Sentence("dlt").With("number", 101).Print(); }), "dlt {number=101}\n");
}

}  // namespace
}  // namespace cloudflaredump::frontend

int main() {
  using namespace cloudflaredump::frontend;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ASentenceIsAKindAndItsKeys),
      cmocka_unit_test(AKeyWithoutAValueCanBeLeftOut),
      cmocka_unit_test(AValueCannotBreakTheSentence),
      cmocka_unit_test(AValueIsValidUtf8OfBoundedLength),
      cmocka_unit_test(ASentenceIsOneLineOfOutput),
  };
  return cmocka_run_group_tests_name("sentence", tests, nullptr, nullptr);
}
