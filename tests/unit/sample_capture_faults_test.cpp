// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/redact.h"
#include "extcap/capture/sample_capture.h"
#include "tests/unit/libpcap_says.h"
#include "tests/unit/sample_fixture.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;

/// Fails the test unless nothing was written and the sentence contains `piece`.
void AssertFailedBefore(const SampleFixture& f, const Outcome& outcome, std::string_view piece) {
  AssertStatus(outcome, ExitStatus::kFailed);
  AssertContains(Complaint(outcome), piece);
  AssertText(f.sink.bytes, "");
  AssertText(outcome.verdict, "");
}

void AStopBeforeTheRequestSendsNone(void**) {
  SampleFixture f;
  f.stop.Request();
  AssertStatus(f.Run({}, ""), ExitStatus::kIncomplete);
  assert_true(f.cloudflare.samples.empty());
  AssertText(f.sink.bytes, "");
}

void AStopWhilePollingLeavesAtOnce(void**) {
  SampleFixture f;
  f.cloudflare.takes = 60s;
  f.loop.CallAt(system::SteadyTime() + 10s, [&] { f.stop.Request(); });
  const Outcome outcome = f.Run({}, "");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  assert_true(outcome.stopped);
  assert_false(outcome.error.has_value());
  assert_int_equal(f.Elapsed(), 10);
  AssertText(f.sink.bytes, "");
}

void AStopWhileWaitingDeliversWhatIsHeld(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kWindowSeconds, 0, UdpPacket(9, 1, 53)))};
  f.loop.CallAt(system::SteadyTime() + 30s, [&] { f.stop.Request(); });
  const Outcome outcome = f.Run({}, "host 10.0.0.1");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  assert_int_equal(f.cloudflare.samples.size(), 1);
  assert_int_equal(f.Elapsed(), 30);
  assert_int_equal(f.Read().packets.size(), 1);
  AssertText(outcome.verdict.substr(0, 9), "Stopped: ");
  AssertContains(outcome.verdict, "; 1 of 2 requests were not made");
  AssertText(f.Read().interfaces[0].comment, outcome.verdict);
}

void AStopInALaterWindowKeepsTheEarlierOnes(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kWindowSeconds - 5, 0, "old"))};
  f.loop.CallAt(system::SteadyTime() + 62s, [&] { f.stop.Request(); });
  AssertStatus(f.Run(Given({{config::Opt::kStartTime, "-10m"}}), ""), ExitStatus::kIncomplete);
  assert_int_equal(f.cloudflare.samples.size(), 2);
  AssertText(f.Read().Data(), "old");
  assert_int_equal(f.Read().interfaces.size(), 1);
}

void AReaderThatHasGoneIsAStop(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kWindowSeconds, 0, "x"))};
  f.sink.room = 0;
  f.sink.error = {.what = "the reader has gone", .kind = Error::Kind::kInterrupted};
  const Outcome outcome = f.Run({}, "");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  assert_true(outcome.stopped);
  assert_false(outcome.error.has_value());
}

void AFullDiskIsAnError(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kWindowSeconds, 0, "x"))};
  f.sink.room = 100;
  const Outcome outcome = f.Run({}, "");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  AssertContains(SentenceOf(*outcome.error), "No space left on device");
}

void ADamagedFileGivesItsGoodPacketsAndAMark(void**) {
  SampleFixture f;
  FakeAnswer file = File(PcapBytes()
                             .Record(kWindowSeconds, 0, UdpPacket(1, 2, 53))
                             .Record(kWindowSeconds, 1, UdpPacket(3, 4, 53))
                             .Record(kWindowSeconds, 2, UdpPacket(5, 6, 80))
                             .Record(kWindowSeconds, 3, UdpPacket(7, 8, 53)));
  file.body.pop_back();
  f.cloudflare.files = {file};
  const Outcome outcome = f.Run({}, "udp dst port 53");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  const ReadStream stream = f.Read();
  assert_int_equal(stream.packets.size(), 2);
  assert_true(stream.packets[0].mark == PacketMark());
  assert_true(stream.packets[1].mark.damaged.has_value());
  AssertContains(outcome.verdict,
                 "; the file of capture " + f.cloudflare.samples[0].id + ": the file is cut");
}

/// The other request's packets come after the mark.
void TheMarkStandsOnTheDamagedPartsOwnLastPacket(void**) {
  SampleFixture f;
  FakeAnswer damaged = File(PcapBytes()
                                .Record(kWindowSeconds + 1, 0, UdpPacket(9, 1, 53))
                                .Record(kWindowSeconds + 2, 0, UdpPacket(9, 1, 53)));
  damaged.body.resize(damaged.body.size() - 3);
  f.cloudflare.files = {damaged,
                        File(PcapBytes().Record(kWindowSeconds + 5, 0, UdpPacket(1, 9, 53)))};
  AssertStatus(f.Run({}, "host 10.0.0.1"), ExitStatus::kIncomplete);
  const ReadStream stream = f.Read();
  assert_int_equal(stream.packets.size(), 2);
  assert_true(stream.packets[0].mark.damaged.has_value());
  assert_false(stream.packets[1].mark.damaged.has_value());
}

void ADamagedFileWithoutAMatchIsSaidInTheVerdict(void**) {
  SampleFixture f;
  FakeAnswer file = File(PcapBytes().Record(kWindowSeconds, 0, UdpPacket(1, 2, 80)));
  file.body += "rest";
  f.cloudflare.files = {file};
  const Outcome outcome = f.Run({}, "udp dst port 53 and len > 100");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  AssertContains(outcome.verdict, ": the file is cut");
}

void WhatIsNoCaptureFileFailsBeforeTheStream(void**) {
  for (const char* body : {"", "<html>Sign in to the Wi-Fi</html>"}) {
    SampleFixture f;
    f.cloudflare.files = {{.body = body}};
    AssertFailedBefore(f, f.Run({}, ""), "is not a capture file: ");
  }
}

void AnErrorInPlaceOfTheFileIsShownAsOne(void**) {
  for (const auto& [body, said] : std::vector<std::pair<std::string, const char*>>{
           {R"({"success":false})", "answered HTTP 200: success is false, without a reason"},
           {Refusal("1234", "expired"), "answered HTTP 200: code 1234, expired"}}) {
    SampleFixture f;
    f.cloudflare.files = {{.body = body}};
    AssertFailedBefore(f, f.Run({}, ""), said);
  }
}

void AnUncertainEndIsSaid(void**) {
  SampleFixture f;
  FakeAnswer file = File(PcapBytes().Record(kWindowSeconds, 0, "x"));
  file.end_is_certain = false;
  f.cloudflare.files = {file};
  const Outcome outcome = f.Run({}, "");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  AssertContains(outcome.verdict, " ended without saying that it was whole");
  assert_true(f.Read().interfaces[0].description.end_uncertain.value());
}

void ABrokenDownloadIsFetchedAgain(void**) {
  SampleFixture f;
  const FakeAnswer whole = File(PcapBytes().Record(kWindowSeconds, 0, "x"));
  FakeAnswer cut = whole;
  cut.cut_at = 30;
  f.http.Answer("GET", "*1/download", cut);
  f.http.Answer("GET", "*1/download", whole);
  AssertStatus(f.Run({}, ""), ExitStatus::kComplete);
  AssertText(f.Read().Data(), "x");
}

void WhatTheFilterCannotTestIsKeptAndSaid(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kWindowSeconds, 0, "x"))};
  const Outcome outcome = f.Run({}, "ether host 2:0:0:0:0:1");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  AssertContains(outcome.verdict, "packets with link type 101 cannot be tested with this filter: " +
                                      LibpcapSays("ether host 2:0:0:0:0:1"));
  AssertContains(outcome.verdict,
                 ", 0 match the filter, 1 could not be tested and "
                 "was delivered all the same");
  AssertText(f.Read().Data(), "x");
  assert_true(f.Read().packets[0].mark.undecided);
}

void AFailedJobIsToldInCloudflaresWords(void**) {
  SampleFixture f;
  f.http.Answer("GET", "*1", Ok(R"({"status":"failed","error_message":"Bad filter"})"));
  const Outcome outcome = f.Run({}, "");
  AssertFailedBefore(f, outcome, " failed: Bad filter");
  AssertLacks(Complaint(outcome), "get it later");
}

void AJobThatFoundNothingIsAnEmptyCapture(void**) {
  SampleFixture f;
  f.http.Answer("GET", "*1",
                Ok(R"({"status":"failed","type":"simple","error_message":"No packets matched the )"
                   R"(filter in the time limit given. Please modify the filter or try again."})"));
  const Outcome outcome = f.Run({}, "");
  AssertStatus(outcome, ExitStatus::kNoPackets);
  AssertContains(outcome.verdict, "0 packets received");
  assert_int_equal(f.Read().interfaces.size(), 1);
}

void ALaterWindowsFailureKeepsTheEarlierOnes(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kWindowSeconds - 5, 0, "old"))};
  f.http.Answer("GET", "*2", Ok(R"({"status":"failed","error_message":"it broke"})"));
  const Outcome outcome = f.Run(Given({{config::Opt::kStartTime, "-10m"}}), "");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  AssertContains(SentenceOf(*outcome.error), "it broke");
  AssertText(f.Read().Data(), "old");
  AssertText(outcome.verdict.substr(0, 12), "Incomplete: ");
  AssertText(f.Read().interfaces[0].comment, outcome.verdict);
}

void AFailedWindowDoesNotCostTheLaterOnes(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kWindowSeconds, 0, "new"))};
  f.http.Answer("GET", "*1", Ok(R"({"status":"failed","error_message":"it broke"})"));
  const Outcome outcome = f.Run(Given({{config::Opt::kStartTime, "-10m"}}), "");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  assert_false(outcome.error.has_value());
  assert_int_equal(outcome.losses.size(), 1);
  AssertContains(outcome.losses[0], "is missing or not whole: ");
  AssertContains(outcome.losses[0], "it broke");
  AssertText(f.Read().Data(), "new");
  AssertContains(outcome.verdict, "it broke");
}

void ALaterRequestsFailureKeepsTheEarlierOnes(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kWindowSeconds, 0, UdpPacket(9, 1, 53)))};
  f.http.Answer("GET", "*2/download", {.status = 403, .body = Refusal("10000", "no")});
  const Outcome outcome = f.Run({}, "host 10.0.0.1");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  AssertContains(SentenceOf(*outcome.error), "cannot download the capture");
  assert_int_equal(f.Read().packets.size(), 1);
}

void TheLongestWaitNamesTheCapture(void**) {
  SampleFixture f;
  f.cloudflare.takes = 24h;
  const Outcome outcome = f.Run(Given({{config::Opt::kMaxWait, "30"}}), "");
  AssertFailedBefore(f, outcome,
                     "within 30 s; get it later with: cloudflaredump capture -i "
                     "cloudflare-download --pcap-id " +
                         f.cloudflare.samples[0].id);
  assert_int_equal(f.Elapsed(), 30);
}

void TheDefaultOfTheLongestWaitIsTwoMinutes(void**) {
  SampleFixture f;
  f.cloudflare.takes = 24h;
  AssertFailedBefore(f, f.Run({}, ""), "within 2 min");
}

void ALostAnswerIsFoundAgain(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kWindowSeconds, 0, "x"))};
  f.http.Serve("POST", "*acc123/pcaps", [&](const http::HttpRequest& request) {
    f.cloudflare.samples.push_back(
        {.id = kTestId, .body = request.body, .posted = f.loop.Steady()});
    return Lost();
  });
  const Outcome outcome = f.Run({}, "");
  AssertStatus(outcome, ExitStatus::kComplete);
  assert_int_equal(f.CountOf("POST"), 1);
  AssertText(outcome.pcap_ids.at(0), kTestId);
}

void WithoutAServerItFailsWithinSeconds(void**) {
  SampleFixture f;
  f.http.Answer("GET", "*acc123/pcaps", Lost());
  AssertFailedBefore(f, f.Run({}, ""), "cannot list the captures: the connection was reset");
  assert_true(f.Elapsed() <= 5);
}

void AWrongTokenFailsAtOnce(void**) {
  SampleFixture f;
  f.http.Answer("GET", "*acc123/pcaps",
                {.status = 401, .body = Refusal("1000", "Invalid API Token")});
  AssertFailedBefore(f, f.Run({}, ""), "code 1000, Invalid API Token; check the API token");
  assert_int_equal(f.Elapsed(), 0);
}

/// While a job of ours runs, an outage is waited out.
void AnOutageWhileTheJobRunsIsBorne(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kWindowSeconds, 0, "x"))};
  f.http.Serve("GET", "*1/download", [&](const http::HttpRequest&) {
    return f.Elapsed() < 400 ? Lost() : f.cloudflare.files[0];
  });
  AssertStatus(f.Run({}, ""), ExitStatus::kComplete);
  assert_true(f.Elapsed() >= 400);
}

void TheLengthOfAnOutageIsASetting(void**) {
  SampleFixture f;
  f.http.Answer("GET", "*1/download", Lost());
  AssertFailedBefore(f, f.Run(Given({{config::Opt::kRetryTime, "20"}}), ""),
                     "connection was reset");
  assert_true(f.Elapsed() < 30);
}

void ATooLongPacketIsALoss(void**) {
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes()
                                 .Record(kWindowSeconds, 0, "a")
                                 .Record(kWindowSeconds, 1, std::string(262144, 'x'))
                                 .Record(kWindowSeconds, 2, "b"))};
  const Outcome outcome = f.Run({}, "");
  AssertStatus(outcome, ExitStatus::kIncomplete);
  AssertText(f.Read().Data(), "a b");
  AssertContains(outcome.verdict, "a packet too long for Wireshark was left out");
}

void NoSecretReachesTheStreamOrThePerson(void**) {
  RegisterSecret(kTestToken);
  SampleFixture f;
  f.cloudflare.files = {File(PcapBytes().Record(kWindowSeconds, 0, "x"))};
  const std::string echo = "Bearer " + std::string(kTestToken);
  f.http.Answer("GET", "*1",
                Ok(R"({"status":")" + echo + R"(","type":"simple","packet_limit":1})"));
  f.http.Answer("GET", "*1",
                Ok(R"({"status":"success","type":"simple","packet_limit":1,)"
                   R"("system":")" +
                   echo + R"(","submitted":")" + echo + R"(","error_message":")" + echo + "\"}"));
  const Outcome outcome = f.Run(Given({{config::Opt::kMaxRequests, "1"}}), "");
  AssertStatus(outcome, ExitStatus::kIncomplete);  // at the limit, so that there is much to say
  AssertLacks(f.sink.bytes, kTestToken);
  AssertLacks(outcome.verdict, kTestToken);
  for (const std::string& state : f.reporter.states) AssertLacks(state, kTestToken);
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(AStopBeforeTheRequestSendsNone),
      cmocka_unit_test(AStopWhilePollingLeavesAtOnce),
      cmocka_unit_test(AStopWhileWaitingDeliversWhatIsHeld),
      cmocka_unit_test(AStopInALaterWindowKeepsTheEarlierOnes),
      cmocka_unit_test(AReaderThatHasGoneIsAStop),
      cmocka_unit_test(AFullDiskIsAnError),
      cmocka_unit_test(ADamagedFileGivesItsGoodPacketsAndAMark),
      cmocka_unit_test(TheMarkStandsOnTheDamagedPartsOwnLastPacket),
      cmocka_unit_test(ADamagedFileWithoutAMatchIsSaidInTheVerdict),
      cmocka_unit_test(WhatIsNoCaptureFileFailsBeforeTheStream),
      cmocka_unit_test(AnErrorInPlaceOfTheFileIsShownAsOne),
      cmocka_unit_test(AnUncertainEndIsSaid),
      cmocka_unit_test(ABrokenDownloadIsFetchedAgain),
      cmocka_unit_test(WhatTheFilterCannotTestIsKeptAndSaid),
      cmocka_unit_test(AFailedJobIsToldInCloudflaresWords),
      cmocka_unit_test(AJobThatFoundNothingIsAnEmptyCapture),
      cmocka_unit_test(ALaterWindowsFailureKeepsTheEarlierOnes),
      cmocka_unit_test(AFailedWindowDoesNotCostTheLaterOnes),
      cmocka_unit_test(ALaterRequestsFailureKeepsTheEarlierOnes),
      cmocka_unit_test(TheLongestWaitNamesTheCapture),
      cmocka_unit_test(TheDefaultOfTheLongestWaitIsTwoMinutes),
      cmocka_unit_test(ALostAnswerIsFoundAgain),
      cmocka_unit_test(WithoutAServerItFailsWithinSeconds),
      cmocka_unit_test(AWrongTokenFailsAtOnce),
      cmocka_unit_test(AnOutageWhileTheJobRunsIsBorne),
      cmocka_unit_test(TheLengthOfAnOutageIsASetting),
      cmocka_unit_test(ATooLongPacketIsALoss),
      cmocka_unit_test(NoSecretReachesTheStreamOrThePerson),
  };
  return cmocka_run_group_tests_name("sample_capture_faults", tests, nullptr, nullptr);
}
