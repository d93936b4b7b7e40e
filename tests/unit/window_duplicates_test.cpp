// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/window_duplicates.h"

#include <string_view>

#include "tests/unit/unit_test.h"

namespace cloudflaredump::capture {
namespace {

using std::chrono::seconds;

WallTime At(int second) {
  return WallTime(seconds(second));
}

bool Take(WindowDuplicates& duplicates, std::size_t request, int second, std::string_view data) {
  const auto nanoseconds = static_cast<std::uint64_t>(second) * 1'000'000'000;
  return duplicates.Take(request, nanoseconds, 100,
                         std::as_bytes(std::span(data.data(), data.size())));
}

void OtherRequestsOfAWindowDoNotRepeat(void**) {
  WindowDuplicates duplicates;
  duplicates.Begin(At(60), At(60));
  assert_true(Take(duplicates, 0, 10, "a"));
  assert_false(Take(duplicates, 1, 10, "a"));
  assert_true(Take(duplicates, 1, 10, "b"));
  // The network repeats records, too: the second of one request is another packet.
  assert_true(Take(duplicates, 0, 10, "a"));
}

void SharedTimeIsDeliveredOnce(void**) {
  WindowDuplicates duplicates;
  duplicates.Begin(At(50), At(60));
  assert_true(Take(duplicates, 0, 40, "old"));
  assert_true(Take(duplicates, 0, 50, "a"));
  assert_true(Take(duplicates, 0, 60, "b"));
  assert_true(Take(duplicates, 0, 60, "b"));
  duplicates.Begin(At(110), At(120));
  assert_false(Take(duplicates, 0, 50, "a"));
  assert_false(Take(duplicates, 0, 60, "b"));
  assert_false(Take(duplicates, 0, 60, "b"));
  assert_true(Take(duplicates, 0, 60, "b"));  // one more than the window before had
  assert_true(Take(duplicates, 0, 55, "late"));
  assert_true(Take(duplicates, 0, 40, "old"));  // outside of the shared time
}

void OnlyTheWindowBeforeIsRemembered(void**) {
  WindowDuplicates duplicates;
  duplicates.Begin(At(60), At(60));
  assert_true(Take(duplicates, 0, 60, "a"));
  duplicates.Begin(At(120), At(120));
  duplicates.Begin(At(180), At(180));
  assert_true(Take(duplicates, 0, 60, "a"));
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(OtherRequestsOfAWindowDoNotRepeat),
      cmocka_unit_test(SharedTimeIsDeliveredOnce),
      cmocka_unit_test(OnlyTheWindowBeforeIsRemembered),
  };
  return cmocka_run_group_tests_name("window_duplicates", tests, nullptr, nullptr);
}
