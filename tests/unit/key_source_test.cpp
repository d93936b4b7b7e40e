// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/key_source.h"

#include "tests/unit/results.h"

namespace cloudflaredump::bucket {
namespace {

using namespace std::chrono_literals;

const WallTime kStart{std::chrono::seconds(1795414800)};

/// Keys that hold for an hour from `from`, numbered.
BucketKeys Keys(int number, WallTime from) {
  return {.access_key_id = std::to_string(number),
          .source = "a test",
          .renew_at = from + 55min,
          .ends_at = from + 1h};
}

struct Scene {
  int renewals = 0;
  Result<void> fault = {};
  Duration shorter{0};
  KeySource source{Keys(0, kStart), [this](WallTime now) -> Result<BucketKeys> {
                     ++renewals;
                     if (!fault) return Failure(fault);
                     return Keys(renewals, now - shorter);
                   }};

  std::string IdAfter(Duration time) { return ValueOf(source.At(kStart + time)).access_key_id; }
};

void StaticKeysStay(void**) {
  KeySource source({.access_key_id = "A", .source = "a file"});
  AssertText(ValueOf(source.At(kStart + 1000h)).access_key_id, "A");
  AssertText(source.name(), "a file");
  assert_false(source.is_bearer());
  assert_true(KeySource({.bearer_token = "t"}).is_bearer());
}

void KeysAreRenewedBeforeTheyEnd(void**) {
  Scene scene;
  AssertText(scene.IdAfter(0s), "0");
  AssertText(scene.IdAfter(54min), "0");
  assert_int_equal(scene.renewals, 0);
  AssertText(scene.IdAfter(55min), "1");
  AssertText(scene.IdAfter(109min), "1");
  AssertText(scene.IdAfter(111min), "2");
  assert_int_equal(scene.renewals, 2);
}

void OldKeysServeWhereRenewingFails(void**) {
  Scene scene;
  scene.fault = Fail("no network", "plug it in");
  AssertText(scene.IdAfter(56min), "0");
  AssertText(scene.IdAfter(56min + 30s), "0");
  assert_int_equal(scene.renewals, 1);  // not with each request
  AssertText(scene.IdAfter(57min), "0");
  assert_int_equal(scene.renewals, 2);
  AssertFails(scene.source.At(kStart + 61min), Error::Kind::kPassing, "no network; plug it in");
  AssertFails(scene.source.At(kStart + 61min + 1s), Error::Kind::kPassing, "no network");
  assert_int_equal(scene.renewals, 3);
  scene.fault = {};
  AssertText(scene.IdAfter(63min), "4");
}

/// At the end of a log-in, say.
void KeysThatSoonEndAreNotAskedForWithEachRequest(void**) {
  Scene scene;
  scene.shorter = 58min;
  for (int i = 0; i < 50; ++i) AssertText(scene.IdAfter(55min + i * 1s), "1");
  assert_int_equal(scene.renewals, 1);
  AssertText(scene.IdAfter(56min), "2");
}

void AStopEndsTheRenewal(void**) {
  Scene scene;
  scene.fault = Stopped();
  AssertFails(scene.source.At(kStart + 56min), Error::Kind::kInterrupted, "stopped");
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(StaticKeysStay),
      cmocka_unit_test(KeysAreRenewedBeforeTheyEnd),
      cmocka_unit_test(OldKeysServeWhereRenewingFails),
      cmocka_unit_test(KeysThatSoonEndAreNotAskedForWithEachRequest),
      cmocka_unit_test(AStopEndsTheRenewal),
  };
  return cmocka_run_group_tests_name("key source", tests, nullptr, nullptr);
}
