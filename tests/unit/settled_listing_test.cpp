// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/settled_listing.h"

#include <deque>

#include "tests/unit/fake_event_loop.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump::bucket {
namespace {

using namespace std::chrono_literals;

const auto kGoOn = [] { return false; };

/// A bucket of which one listing after the other is scripted; the last one stays.
class ScriptedBucket : public Bucket {
 public:
  Result<std::vector<StoredObject>> List(const std::string& needle,
                                         const std::function<bool()>&) override {
    AssertText(needle, "id7");
    ++asked;
    Result<std::vector<StoredObject>> now = listings.front();
    if (listings.size() > 1) listings.pop_front();
    return now;
  }
  Read StartRead(const StoredObject&, std::uint64_t, ObjectReceiver&) override { return 0; }
  void Pause(Read) override {}
  void Resume(Read) override {}
  void Cancel(Read) override {}

  std::deque<Result<std::vector<StoredObject>>> listings;
  int asked = 0;
};

const StoredObject kA{.key = "a", .size = 1};
const StoredObject kGrown{.key = "a", .size = 2};
const StoredObject kB{.key = "b", .size = 1};

using Objects = std::vector<StoredObject>;

void TwoThatAgreeAreEnough(void**) {
  FakeEventLoop loop;
  ScriptedBucket bucket;
  bucket.listings = {Objects{kA, kB}};
  const Result<SettledListing> found = WaitForSettledListing(bucket, loop, "id7", {}, kGoOn);
  assert_true(found->settled);
  assert_int_equal(found->objects.size(), 2);
  assert_int_equal(bucket.asked, 2);
  assert_true(loop.Steady() - system::SteadyTime() == 5s);
}

void LateAndGrowingObjectsAreWaitedFor(void**) {
  FakeEventLoop loop;
  ScriptedBucket bucket;
  bucket.listings = {Objects{}, Objects{kA}, Objects{kGrown}, Objects{kGrown, kB}};
  SettlePolicy policy;
  policy.pause = 2s;
  const Result<SettledListing> found = WaitForSettledListing(bucket, loop, "id7", policy, kGoOn);
  assert_true(found->settled);
  assert_true(found->objects == (Objects{kGrown, kB}));
  assert_int_equal(bucket.asked, 5);
  assert_true(loop.Steady() - system::SteadyTime() == 8s);
}

void NothingMaySettleUnlessSomethingIsExpected(void**) {
  FakeEventLoop loop;
  ScriptedBucket bucket;
  bucket.listings = {Objects{}, Objects{}, Objects{}, Objects{kA}};
  const Result<SettledListing> nothing = WaitForSettledListing(bucket, loop, "id7", {}, kGoOn);
  assert_true(nothing->settled);
  assert_true(nothing->objects.empty());
  SettlePolicy policy;
  policy.expect_objects = true;
  const Result<SettledListing> found = WaitForSettledListing(bucket, loop, "id7", policy, kGoOn);
  assert_true(found->settled);
  assert_int_equal(found->objects.size(), 1);
}

void TimeRunsOutWithWhatIsThere(void**) {
  FakeEventLoop loop;
  ScriptedBucket bucket;
  for (std::uint64_t size = 0; size < 100; ++size) {
    bucket.listings.emplace_back(Objects{{.key = "a", .size = size}});
  }
  SettlePolicy policy;
  policy.max_wait = 60s;
  const Result<SettledListing> found = WaitForSettledListing(bucket, loop, "id7", policy, kGoOn);
  assert_false(found->settled);
  assert_int_equal(found->objects[0].size, 12);
  assert_true(loop.Steady() - system::SteadyTime() == 60s);
}

void TwoListingsAreMadeHoweverShortTheTime(void**) {
  FakeEventLoop loop;
  ScriptedBucket bucket;
  bucket.listings = {Objects{kA}, Objects{kA, kB}};
  SettlePolicy policy;
  policy.max_wait = 1s;
  const Result<SettledListing> found = WaitForSettledListing(bucket, loop, "id7", policy, kGoOn);
  assert_int_equal(bucket.asked, 2);
  assert_false(found->settled);
  assert_int_equal(found->objects.size(), 2);
}

void ErrorsAndStopEndIt(void**) {
  FakeEventLoop loop;
  ScriptedBucket bucket;
  bucket.listings = {Objects{}, Fail("no such bucket")};
  AssertText(ClauseOf(WaitForSettledListing(bucket, loop, "id7", {}, kGoOn).error()),
             "no such bucket");
  bucket.listings = {Objects{kA}};
  bool stop = false;
  loop.CallAt(loop.Steady() + 1s, [&] { stop = true; });
  const system::SteadyTime start = loop.Steady();
  const auto stopped = WaitForSettledListing(bucket, loop, "id7", {}, [&] { return stop; });
  assert_true(stopped.error().kind == Error::Kind::kInterrupted);
  assert_true(loop.Steady() - start == 1s);
}

}  // namespace
}  // namespace cloudflaredump::bucket

int main() {
  using namespace cloudflaredump::bucket;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TwoThatAgreeAreEnough),
      cmocka_unit_test(LateAndGrowingObjectsAreWaitedFor),
      cmocka_unit_test(NothingMaySettleUnlessSomethingIsExpected),
      cmocka_unit_test(TimeRunsOutWithWhatIsThere),
      cmocka_unit_test(TwoListingsAreMadeHoweverShortTheTime),
      cmocka_unit_test(ErrorsAndStopEndIt),
  };
  return cmocka_run_group_tests_name("settled listing", tests, nullptr, nullptr);
}
