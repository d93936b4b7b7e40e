// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/full_run.h"
#include "tests/emulator/text.h"
#include "tests/unit/unit_test.h"

namespace cloudflare_emulator {
namespace {

using cloudflaredump::AssertText;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// One UDP packet of 28 bytes every 100 ms.
class Steady : public Traffic {
 public:
  std::vector<Record> Between(Time first, Time last) const override {
    constexpr milliseconds kStep(100);
    std::vector<Record> found;
    for (auto at = std::chrono::ceil<milliseconds>(first - Time{}) / kStep * kStep;
         Time(at) <= last; at += kStep) {
      if (Time(at) < first) continue;
      Record record{.time = Time(at), .link_type = kRaw, .original_length = 28};
      record.bytes.assign(28, 0);
      record.bytes[0] = 0x45;
      record.bytes[9] = 17;
      found.push_back(std::move(record));
    }
    return found;
  }
  std::unique_ptr<Traffic> Live(Time, Span) const override { return std::make_unique<Steady>(); }
  PcapForm form() const override { return {}; }
};

/// A capture and the clock that it goes by.
struct Trial {
  explicit Trial(const CaptureRequest& request, const FullSettings& settings = {})
      : run("id", request, {.scheme = "file", .directory = "/dev/null/folder"}, settings, Steady(),
            {.wall = Time(seconds(1000)), .monotonic = Span::zero()}) {}

  std::string At(Span now) {
    run.Advance(now);
    return run.status();
  }

  FullRun run;
};

CaptureRequest ForSeconds(double time_limit) {
  return {.full = true, .time_limit = time_limit};
}

void PendingThenRunningThenConverting(void**) {
  Trial trial(ForSeconds(10), {.job = seconds(4)});
  AssertText(trial.At(milliseconds(999)), "pending");
  assert_int_equal(trial.run.packets(), 0);
  AssertText(trial.At(seconds(1)), "running");
  assert_int_equal(trial.run.packets(), 1);
  trial.At(seconds(2));
  assert_int_equal(trial.run.packets(), 11);
  AssertText(trial.At(milliseconds(10999)), "running");
  AssertText(trial.At(seconds(11)), "conversion_pending");
  assert_false(trial.run.IsCapturing());
  assert_int_equal(trial.run.packets(), 101);
}

void StepsMakeNoDifference(void**) {
  Trial often(ForSeconds(10));
  Trial once(ForSeconds(10));
  for (int i = 0; i < 12000; i += 7) often.At(milliseconds(i));
  once.At(seconds(12));
  assert_int_equal(often.run.packets(), once.run.packets());
}

void SpeedMakesTimeGoFaster(void**) {
  Trial trial(ForSeconds(100), {.speed = 10, .job = seconds(4)});
  AssertText(trial.At(milliseconds(99)), "pending");
  AssertText(trial.At(milliseconds(100)), "running");
  trial.At(milliseconds(1100));
  assert_int_equal(trial.run.packets(), 101);  // Ten seconds of traffic in one of ours.
  AssertText(trial.At(milliseconds(10100)), "conversion_pending");
  assert_int_equal(trial.run.packets(), 1001);
}

void PacketLimitEndsItWithTheLastPacket(void**) {
  CaptureRequest request = ForSeconds(10);
  request.packet_limit = 5;
  Trial trial(request, {.job = seconds(4)});
  AssertText(trial.At(milliseconds(1399)), "running");
  AssertText(trial.At(milliseconds(1400)), "conversion_pending");
  assert_int_equal(trial.run.packets(), 5);
}

void ByteLimitIsNeverExceeded(void**) {
  CaptureRequest request = ForSeconds(10);
  request.byte_limit = 28 * 3 + 27;
  Trial trial(request, {.job = seconds(4)});
  AssertText(trial.At(milliseconds(1299)), "running");
  AssertText(trial.At(milliseconds(1300)), "conversion_pending");
  assert_int_equal(trial.run.packets(), 3);
}

void StopKeepsWhatWasCaptured(void**) {
  Trial trial(ForSeconds(10), {.job = seconds(4)});
  const Moment now{.wall = Time(seconds(1003)), .monotonic = seconds(3)};
  assert_true(trial.run.Stop(now));
  assert_int_equal(trial.run.packets(), 21);
  assert_true(trial.run.stop_requested() == now.wall);
  AssertText(trial.At(milliseconds(3001)), "conversion_pending");
  trial.At(milliseconds(4000));
  assert_int_equal(trial.run.packets(), 21);
  assert_true(trial.run.Stop({.wall = Time(seconds(1004)), .monotonic = seconds(4)}));
  assert_true(trial.run.stop_requested() == now.wall);
}

void AnEndedCaptureCannotBeStopped(void**) {
  CaptureRequest request = ForSeconds(10);
  request.filter.protocol = 6;
  Trial trial(request);
  assert_false(trial.run.Stop({.wall = Time(seconds(1020)), .monotonic = seconds(20)}));
  assert_false(trial.run.stop_requested().has_value());
  AssertText(trial.run.status(), "failed");
  AssertText(trial.run.error_message().substr(0, 18), "No packets matched");
}

void NeverGoesOnPastItsTime(void**) {
  Trial trial(ForSeconds(10), {.result = "never"});
  AssertText(trial.At(seconds(100)), "running");
  assert_int_equal(trial.run.packets(), 101);
}

void ABucketThatCannotBeWrittenFails(void**) {
  Trial trial(ForSeconds(10));
  std::string status = trial.At(seconds(11));
  while (status == "conversion_running") status = trial.At(seconds(12));
  AssertText(status, "failed");
  cloudflaredump::AssertContains(trial.run.error_message(), "The bucket could not be written");
}

}  // namespace
}  // namespace cloudflare_emulator

int main() {
  using namespace cloudflare_emulator;
  const CMUnitTest tests[] = {
      cmocka_unit_test(PendingThenRunningThenConverting),
      cmocka_unit_test(StepsMakeNoDifference),
      cmocka_unit_test(SpeedMakesTimeGoFaster),
      cmocka_unit_test(PacketLimitEndsItWithTheLastPacket),
      cmocka_unit_test(ByteLimitIsNeverExceeded),
      cmocka_unit_test(StopKeepsWhatWasCaptured),
      cmocka_unit_test(AnEndedCaptureCannotBeStopped),
      cmocka_unit_test(NeverGoesOnPastItsTime),
      cmocka_unit_test(ABucketThatCannotBeWrittenFails),
  };
  return cmocka_run_group_tests_name("emulator_full_run", tests, nullptr, nullptr);
}
