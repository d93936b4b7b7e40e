// SPDX-License-Identifier: GPL-2.0-or-later
#include "dissector/printed_fields.h"

#include "tests/unit/unit_test.h"

namespace cloudflaredump::dissector {
namespace {

bool Prints(std::vector<std::string> words) {
  return PrintsOtherFieldsOnly(words, [](const std::string& name) {
    return name == "cloudflare" || name == "cloudflare.colo";
  });
}

void TsharkWithFieldsOfOthers(void**) {
  assert_true(Prints({"tshark", "-r", "x.pcapng", "-T", "fields", "-e", "frame.number"}));
  assert_true(
      Prints({"/usr/bin/tshark", "-Tfields", "-e", "ip.src", "-r", "/tmp/cloudflaredump/x"}));
  assert_true(Prints({"tshark", "-T", "fields", "-T", "fields", "-eframe.number"}));
}

void AFieldOfOursAnywhere(void**) {
  assert_false(Prints({"tshark", "-T", "fields", "-e", "cloudflare.colo"}));
  assert_false(Prints({"tshark", "-T", "fields", "-ecloudflare"}));
  assert_false(Prints({"tshark", "-T", "fields", "-ne", "cloudflare"}));
  assert_false(Prints({"tshark", "-T", "fields", "-e", "cloudflare.colo#1"}));
}

void FilesMayBeCalledSo(void**) {
  for (const char* const file :
       {"cloudflare.pcapng", "cloudflare-ORD.pcapng", "/cloudflare/colo", "/tmp/cloudflare.colo"}) {
    assert_true(Prints({"tshark", "-r", file, "-T", "fields", "-e", "frame.number"}));
  }
}

void OtherFormats(void**) {
  assert_false(Prints({"tshark", "-T", "json", "-e", "frame.number"}));
  assert_false(Prints({"tshark", "-V"}));
  assert_false(Prints({"tshark", "-T"}));
  assert_false(Prints({"tshark", "-T", "fields", "-T", "json"}));
  assert_false(Prints({"tshark", "-T", "fields", "-nTjson"}));
  assert_false(Prints({"tshark", "-nT", "fields"}));  // right, but not worth a parser of options
}

void OtherPrograms(void**) {
  assert_false(Prints({"wireshark", "-T", "fields"}));
  assert_false(Prints({"/opt/tshark/sharkd", "-T", "fields"}));
  assert_false(Prints({}));
}

void TheCommandLineIsThisProcess(void**) {
  const std::vector<std::string> words = CommandLine();
  assert_false(words.empty());
  assert_true(words.front().ends_with("printed_fields_test"));
}

}  // namespace
}  // namespace cloudflaredump::dissector

int main() {
  using namespace cloudflaredump::dissector;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TsharkWithFieldsOfOthers),
      cmocka_unit_test(AFieldOfOursAnywhere),
      cmocka_unit_test(FilesMayBeCalledSo),
      cmocka_unit_test(OtherFormats),
      cmocka_unit_test(OtherPrograms),
      cmocka_unit_test(TheCommandLineIsThisProcess),
  };
  return cmocka_run_group_tests_name("printed_fields", tests, nullptr, nullptr);
}
