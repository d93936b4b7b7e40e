// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/started_captures.h"

#include "tests/unit/api_fixture.h"
#include "tests/unit/fake_environment.h"
#include "tests/unit/temp_folder.h"

namespace cloudflaredump::capture {
namespace {

struct Scene {
  TempFolder folder;
  FakeEnvironment environment = FakeEnvironment().Set("XDG_STATE_HOME", folder.path());
  StartedCaptures started{environment.Reader()};
  FakeEventLoop loop;
};

api::PcapRequest Full() {
  api::PcapRequest request;
  request.type = api::PcapRequest::Type::kFull;
  request.time_limit = 60;
  request.byte_limit = 1000;
  request.colo = "ORD";
  request.destination_conf = "r2://b?account-id=1&secret-access-key=planted-secret";
  return request;
}

api::PcapJob Job() {
  api::PcapJob job;
  job.type = "full";
  job.time_limit = 60;
  job.colo = "ORD";
  job.submitted = "2026-11-23T06:20:02Z";
  return job;
}

void TheNewestWithAnIdIsTheLatest(void**) {
  Scene s;
  assert_false(s.started.Latest("acc").has_value());
  s.started.Started(s.started.Intend("acc", Full(), "", s.loop.Now()), "a1a1a1a1a1a1a1a1");
  s.started.Started(s.started.Intend("acc", Full(), "", s.loop.Now()), "b2b2b2b2b2b2b2b2");
  s.started.Intend("acc", Full(), "", s.loop.Now());
  s.started.Started(s.started.Intend("other", Full(), "", s.loop.Now()), "c3c3c3c3c3c3c3c3");
  AssertText(s.started.Latest("acc").value(), "b2b2b2b2b2b2b2b2");
}

void TheFilterOfACaptureIsKnownAgain(void**) {
  Scene s;
  s.started.Started(s.started.Intend("acc", Full(), "dst host 10.0.0.1", s.loop.Now()),
                    "a1a1a1a1a1a1a1a1");
  s.started.Started(s.started.Intend("acc", Full(), "", s.loop.Now()), "b2b2b2b2b2b2b2b2");
  AssertText(s.started.FilterOf("a1a1a1a1a1a1a1a1").value(), "dst host 10.0.0.1");
  AssertText(s.started.FilterOf("b2b2b2b2b2b2b2b2").value(), "");
  assert_false(s.started.FilterOf("c3c3c3c3c3c3c3c3").has_value());
  // A live sample's would stand in each of its records, and long ones would fill the file.
  const std::string key = s.started.Intend("acc", Full(), std::string(4000, 'x'), s.loop.Now());
  s.started.Started(key, "d4d4d4d4d4d4d4d4");
  assert_false(s.started.FilterOf("d4d4d4d4d4d4d4d4").has_value());
}

void SamplesAreListedLiveOnesToo(void**) {
  Scene s;
  api::PcapRequest sample;
  sample.type = api::PcapRequest::Type::kSimple;
  s.started.Started(s.started.Intend("acc", sample, "", s.loop.Now()), "a1a1a1a1a1a1a1a1");
  s.started.Started(s.started.Intend("acc", sample, "", s.loop.Now(), StartedCaptures::Use::kLive),
                    "b2b2b2b2b2b2b2b2");
  s.started.Started(s.started.Intend("acc", Full(), "", s.loop.Now()), "c3c3c3c3c3c3c3c3");
  s.started.Started(s.started.Intend("other", sample, "", s.loop.Now()), "d4d4d4d4d4d4d4d4");
  const std::vector<std::string> both = {"a1a1a1a1a1a1a1a1", "b2b2b2b2b2b2b2b2"};
  const WallTime before = s.loop.Now() - std::chrono::seconds(1);
  assert_true(s.started.SamplesOfEndedRuns("acc", s.loop.Now()) == both);
  assert_true(s.started.SamplesOfEndedRuns("acc", before).empty());
  s.started.RunEnded({"b2b2b2b2b2b2b2b2", "e5e5e5e5e5e5e5e5"});
  assert_true(s.started.SamplesOfEndedRuns("acc", before) == std::vector{both[1]});
}

void TheFileIsPrivateAndHoldsNoSecret(void**) {
  Scene s;
  s.started.Intend("acc", Full(), "", s.loop.Now());
  assert_int_equal(ModeOf(s.started.path()), 0600);
  AssertLacks(ReadFile(s.started.path()), "planted-secret");
}

void WhatIsToBeStoppedIsRemembered(void**) {
  Scene s;
  const std::string first = s.started.Intend("acc", Full(), "", s.loop.Now());
  const std::string second = s.started.Intend("acc", Full(), "", s.loop.Now());
  s.started.NeedsStop(first, true);
  s.started.NeedsStop(second, true);
  assert_int_equal(s.started.ToStop("acc").size(), 2);
  assert_int_equal(s.started.ToStop("other").size(), 0);
  s.started.Started(first, "a1a1a1a1a1a1a1a1");
  s.started.NeedsStop(first, false);
  s.started.Forget(second);
  assert_int_equal(s.started.ToStop("acc").size(), 0);
}

/// A program that was killed between its request and the answer could not say anything more.
void AFullCaptureWithoutAnAnswerIsToBeStopped(void**) {
  Scene s;
  s.started.Started(s.started.Intend("acc", Full(), "", s.loop.Now()), "a1a1a1a1a1a1a1a1");
  s.started.Intend("acc", Full(), "", s.loop.Now());
  s.started.Intend("acc", api::PcapRequest(), "", s.loop.Now());
  const auto left = s.started.ToStop("acc");
  assert_int_equal(left.size(), 1);
  assert_true(left[0].pcap_id.empty() && left[0].type == "full");
  assert_true(s.started.Has("a1a1a1a1a1a1a1a1") && !s.started.Has("b2b2b2b2b2b2b2b2"));
}

void ARecordKnowsTheJobThatItAskedFor(void**) {
  Scene s;
  s.started.NeedsStop(s.started.Intend("acc", Full(), "", s.loop.Now()), true);
  const StartedCapture record = s.started.ToStop("acc").at(0);
  assert_true(record.Asked(Job()));
  api::PcapJob other = Job();
  other.colo = "FRA";
  assert_false(record.Asked(other));
  other = Job();
  other.submitted = "2026-11-23T07:20:02Z";
  assert_false(record.Asked(other));
}

void LimitsAreRecalledWhereTheApiDoesNotSayThem(void**) {
  Scene s;
  s.started.Started(s.started.Intend("acc", Full(), "", s.loop.Now()), "a1a1a1a1a1a1a1a1");
  api::PcapJob job = Job();
  job.id = "a1a1a1a1a1a1a1a1";
  s.started.RecallLimits(job);
  assert_int_equal(job.byte_limit.value(), 1000);
  assert_false(job.packet_limit.has_value());
  job.byte_limit = 7;
  s.started.RecallLimits(job);
  assert_int_equal(job.byte_limit.value(), 7);
}

void OneTurnAtATime(void**) {
  Scene s;
  auto turn = s.started.AwaitTurn(s.loop, [] { return false; });
  assert_non_null(turn.get());
  StartedCaptures other(s.environment.Reader());
  bool stop = false;
  s.loop.CallAt(s.loop.Steady() + std::chrono::seconds(3), [&] { stop = true; });
  assert_null(other.AwaitTurn(s.loop, [&] { return stop; }).get());
  turn.reset();
  assert_non_null(other.AwaitTurn(s.loop, [] { return false; }).get());
}

void AFolderThatCannotBeWrittenStopsNothing(void**) {
  FakeEnvironment environment = FakeEnvironment().Set("XDG_STATE_HOME", "/dev/null/nowhere");
  StartedCaptures started(environment.Reader());
  FakeEventLoop loop;
  started.Started(started.Intend("acc", Full(), "", loop.Now()), "a1a1a1a1a1a1a1a1");
  assert_false(started.Latest("acc").has_value());
  assert_null(started.AwaitTurn(loop, [] { return false; }).get());
}

void AFileThatSomebodyEditedIsNoRecord(void**) {
  Scene s;
  s.started.Intend("acc", Full(), "", s.loop.Now());
  for (const char* const text :
       {"", "{}", "[1,{}]", R"([{"account_id":"acc","pcap_id":"../x"}])"}) {
    std::ofstream(s.started.path()) << text;
    assert_false(s.started.Latest("acc").has_value());
  }
}

void AFileThatCannotBeReadIsPutAside(void**) {
  Scene s;
  s.started.Intend("acc", Full(), "", s.loop.Now());
  const std::string kept = s.started.path() + ".unreadable";
  for (const std::string text : {"{}", "[{", "not JSON"}) {
    std::ofstream(s.started.path()) << text;
    s.started.Started(s.started.Intend("acc", Full(), "", s.loop.Now()), "a1a1a1a1a1a1a1a1");
    AssertText(s.started.Latest("acc").value(), "a1a1a1a1a1a1a1a1");
    AssertText(ReadFile(kept), text.c_str());
    // Another one does not take its place.
    std::ofstream(s.started.path()) << "second";
    s.started.Intend("acc", Full(), "", s.loop.Now());
    AssertText(ReadFile(kept), text.c_str());
    AssertText(ReadFile(kept + "-2"), "second");
    std::remove(kept.c_str());
    std::remove((kept + "-2").c_str());
  }
  // Nothing is lost with an empty one.
  std::ofstream(s.started.path()) << "";
  s.started.Intend("acc", Full(), "", s.loop.Now());
  assert_false(std::ifstream(kept).good());
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheNewestWithAnIdIsTheLatest),
      cmocka_unit_test(TheFilterOfACaptureIsKnownAgain),
      cmocka_unit_test(SamplesAreListedLiveOnesToo),
      cmocka_unit_test(TheFileIsPrivateAndHoldsNoSecret),
      cmocka_unit_test(WhatIsToBeStoppedIsRemembered),
      cmocka_unit_test(AFullCaptureWithoutAnAnswerIsToBeStopped),
      cmocka_unit_test(ARecordKnowsTheJobThatItAskedFor),
      cmocka_unit_test(LimitsAreRecalledWhereTheApiDoesNotSayThem),
      cmocka_unit_test(OneTurnAtATime),
      cmocka_unit_test(AFolderThatCannotBeWrittenStopsNothing),
      cmocka_unit_test(AFileThatSomebodyEditedIsNoRecord),
      cmocka_unit_test(AFileThatCannotBeReadIsPutAside),
  };
  return cmocka_run_group_tests_name("started_captures", tests, nullptr, nullptr);
}
