// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/text.h"

#include "tests/unit/unit_test.h"

namespace cloudflaredump {
namespace {

void CleanLineKeepsOrdinaryText(void**) {
  AssertText(CleanLine("No packets matched the filter."), "No packets matched the filter.");
  AssertText(CleanLine("Zürich — ok"), "Zürich — ok");
}

void CleanLineIsOneLineWithoutControls(void**) {
  AssertText(CleanLine("a\r\n\tb\x1b[31mc"), "a b [31mc");
  AssertText(CleanLine("  padded \n"), "padded");
}

void CleanLineTakesTheBracesOfExtcapSentences(void**) {
  AssertText(CleanLine("x}{value=evil}"), "x)(value=evil)");
}

void CleanLineMendsInvalidUtf8(void**) {
  AssertText(CleanLine("a\xff"
                       "b"),
             "a\xef\xbf\xbd"
             "b");
}

void CleanLineCutsBetweenCharacters(void**) {
  const std::string cut = CleanLine(std::string(50, 'x') + "ééééééé", 54);
  assert_true(cut.size() <= 54);
  AssertText(cut.substr(cut.size() - 3), "…");
}

void CleanLineDropsNul(void**) {
  AssertText(CleanLine(std::string_view("a\0b", 3)),
             "a\xef\xbf\xbd"
             "b");
}

void TrimTakesBlanksOffBothEnds(void**) {
  AssertText(Trim(" \t x y\r\n"), "x y");
  AssertText(Trim(" \n"), "");
}

void SplitKeepsEmptyPieces(void**) {
  const auto pieces = Split("ORD,,FRA", ',');
  assert_int_equal(pieces.size(), 3);
  AssertText(pieces[1], "");
  assert_true(Split("", ',').empty());
}

void ParseNumberTakesWholeNumbersOnly(void**) {
  assert_int_equal(ParseNumber("300").value(), 300);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "1.5", "0x10", "18446744073709551616"}) {
    assert_false(ParseNumber(bad).has_value());
  }
}

void PercentRoundTripsEveryByte(void**) {
  std::string all;
  for (int c = 0; c < 256; ++c) all += static_cast<char>(c);
  assert_true(PercentDecode(PercentEncode(all)) == all);
  AssertText(PercentEncode("a/b c", "/"), "a/b%20c");
}

void PercentDecodeRefusesHalfEscapes(void**) {
  for (const char* bad : {"%", "%4", "%zz", "a%4g"}) assert_false(PercentDecode(bad).has_value());
}

void ThousandsAreGrouped(void**) {
  AssertText(WithThousands(0), "0");
  AssertText(WithThousands(999), "999");
  AssertText(WithThousands(1000), "1,000");
  AssertText(WithThousands(1234567), "1,234,567");
  AssertText(CountedPackets(0), "0 packets");
  AssertText(CountedPackets(1), "1 packet");
  AssertText(CountedPackets(1234), "1,234 packets");
}

void PrintableTextKeepsWhatCanBePrinted(void**) {
  AssertText(PrintableText("a  {b}\u00a0ä€𝄞"), "a  {b}\u00a0ä€𝄞");
  AssertText(PrintableText("a\nb\x1b[0m\x7f\u202e\xff"), "a\ufffdb\ufffd[0m\ufffd\ufffd\ufffd");
  AssertText(PrintableText(std::string_view("a\0b", 3)), "a\ufffdb");
}

}  // namespace
}  // namespace cloudflaredump

int main() {
  using namespace cloudflaredump;
  const CMUnitTest tests[] = {
      cmocka_unit_test(CleanLineKeepsOrdinaryText),
      cmocka_unit_test(CleanLineIsOneLineWithoutControls),
      cmocka_unit_test(CleanLineTakesTheBracesOfExtcapSentences),
      cmocka_unit_test(CleanLineMendsInvalidUtf8),
      cmocka_unit_test(CleanLineCutsBetweenCharacters),
      cmocka_unit_test(CleanLineDropsNul),
      cmocka_unit_test(TrimTakesBlanksOffBothEnds),
      cmocka_unit_test(SplitKeepsEmptyPieces),
      cmocka_unit_test(ParseNumberTakesWholeNumbersOnly),
      cmocka_unit_test(PercentRoundTripsEveryByte),
      cmocka_unit_test(PercentDecodeRefusesHalfEscapes),
      cmocka_unit_test(ThousandsAreGrouped),
      cmocka_unit_test(PrintableTextKeepsWhatCanBePrinted),
  };
  return cmocka_run_group_tests_name("text", tests, nullptr, nullptr);
}
