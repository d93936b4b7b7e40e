// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/capture_context.h"

#include "common/redact.h"
#include "tests/unit/capture_fixture.h"

namespace cloudflaredump::capture {
namespace {

constexpr const char* kSecret = "cfut_told0123456789";

/// Whatever text of a server's becomes a state or a warning.
void NobodyIsToldASecret(void**) {
  RegisterSecret(kSecret);
  CaptureFixture f;
  f.With("cloudflare-sample", {}, "", [](const CaptureContext& context) {
    context.Tell(std::string("waiting for ") + kSecret);
    context.Warn(std::string("Beware of ") + kSecret + ".");
  });
  AssertText(f.reporter.states.at(0), "waiting for [secret]");
  AssertText(f.reporter.warnings.at(0), "Beware of [secret].");
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(NobodyIsToldASecret),
  };
  return cmocka_run_group_tests_name("capture_context", tests, nullptr, nullptr);
}
