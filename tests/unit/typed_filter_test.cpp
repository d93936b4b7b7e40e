// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/typed_filter.h"

#include "tests/unit/fake_environment.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::config {
namespace {

using namespace std::chrono_literals;

WallTime Soon() {
  return std::chrono::system_clock::now() + 1s;
}

void TheLastFilterOfAnInterfaceIsKept(void**) {
  const TempFolder folder;
  const auto environment = FakeEnvironment().Set("XDG_RUNTIME_DIR", folder.path());
  for (const char* filter : {"udp", "udp port 53\nor \"x\"", ""}) {
    RememberTypedFilter("cloudflare-full", filter, environment.Reader());
    AssertText(TypedFilter("cloudflare-full", Soon(), environment.Reader()).value_or("(none)"),
               filter);
  }
  assert_false(TypedFilter("cloudflare-sample", Soon(), environment.Reader()).has_value());
  assert_int_equal(ModeOf(folder / "cloudflaredump/filter-cloudflare-full"), 0600);
}

void AnOldFilterIsNone(void**) {
  const TempFolder folder;
  const auto environment = FakeEnvironment().Set("XDG_RUNTIME_DIR", folder.path());
  RememberTypedFilter("cloudflare-full", "udp", environment.Reader());
  assert_true(TypedFilter("cloudflare-full", Soon() + 29min, environment.Reader()).has_value());
  assert_false(TypedFilter("cloudflare-full", Soon() + 31min, environment.Reader()).has_value());
  // Nor is one from the future.
  assert_false(TypedFilter("cloudflare-full", Soon() - 1h, environment.Reader()).has_value());
}

void WhatIsNoSuchFileIsNoFilter(void**) {
  const TempFolder folder;
  const auto environment = FakeEnvironment().Set("XDG_RUNTIME_DIR", folder.path());
  for (const char* content : {"", "udp", "soon\nudp"}) {
    folder.Write("cloudflaredump/filter-cloudflare-full", content);
    assert_false(TypedFilter("cloudflare-full", Soon(), environment.Reader()).has_value());
  }
}

void WithoutASessionsFolderNothingIsKept(void**) {
  const FakeEnvironment none;
  RememberTypedFilter("cloudflare-full", "udp", none.Reader());
  assert_false(TypedFilter("cloudflare-full", Soon(), none.Reader()).has_value());
  const TempFolder folder;
  const auto environment = FakeEnvironment().Set("XDG_RUNTIME_DIR", folder.path());
  RememberTypedFilter("cloudflare-full", std::string(1 << 20, 'x'), environment.Reader());
  assert_int_equal(folder.Count(), 0);
}

}  // namespace
}  // namespace cloudflaredump::config

int main() {
  using namespace cloudflaredump::config;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheLastFilterOfAnInterfaceIsKept),
      cmocka_unit_test(AnOldFilterIsNone),
      cmocka_unit_test(WhatIsNoSuchFileIsNoFilter),
      cmocka_unit_test(WithoutASessionsFolderNothingIsKept),
  };
  return cmocka_run_group_tests_name("typed_filter", tests, nullptr, nullptr);
}
