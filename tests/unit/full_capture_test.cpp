// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/full_capture.h"

#include "extcap/filter/compile.h"
#include "tests/unit/full_fixture.h"

namespace cloudflaredump::capture {
namespace {

config::OptionValues IfBusy(const char* wish) {
  return Given({{config::Opt::kIfBusy, wish}});
}

void TheFilesOfAllMachinesBecomeOneStream(void**) {
  FullFixture f;
  f.cloudflare.files = {
      {f.Named("_a"), PcapBytes().Record(10, 0, "a1").Record(30, 0, "a2").bytes()},
      {f.Named("_b"), PcapBytes().Record(20, 0, "b1").bytes()}};
  f.cloudflare.packets_captured = 3;
  const Outcome outcome = f.Run();
  AssertStatus(outcome, ExitStatus::kComplete);
  AssertText(f.Read().Data(), "a1 b1 a2");
  AssertText(f.cloudflare.bodies.at(0),
             R"({"type":"full","system":"magic-transit","time_limit":60,"packet_limit":10000,)"
             R"("colo":"ORD","colo_name":"ORD","destination_conf":"file://)" +
                 f.bucket + R"(","filter_v1":{}})");
  AssertContains(outcome.verdict, "Complete: up to 1 min at ORD, 3 packets received");
  AssertText(outcome.pcap_ids.at(0), kTestId);
  assert_int_equal(f.cloudflare.stops.size(), 0);
  const ReadStream stream = f.Read();
  assert_int_equal(stream.interfaces.size(), 2);
  AssertText(stream.interfaces[1].description.object.value(), f.Named("_b"));
  AssertText(f.Started().Latest("acc123").value(), kTestId);
}

void ARequestThatCannotBeMeantIsRefusedBeforeThePost(void**) {
  FullFixture f;
  const auto refused = [&](const char* filter, const config::OptionValues& given,
                           const char* interface, const char* piece) {
    const Outcome outcome = f.Run(filter, given, interface);
    AssertStatus(outcome, ExitStatus::kUsage);
    AssertContains(SentenceOf(*outcome.error), piece);
  };
  refused("", {}, "cloudflare-full", "no data center; give");
  refused("", Given({{config::Opt::kColo, "Chicago"}}), "cloudflare-full", "\"Chicago\" is not");
  refused("host 192.0.2.1", {}, "cloudflare-ORD", "Cloudflare's own filter can express nothing");
  AssertContains(SentenceOf(*f.Run("host 192.0.2.1").error),
                 "narrower filters that work: dst host 192.0.2.1, or src host 192.0.2.1; "
                 "set the option if-broad to warn to run it");
  assert_int_equal(f.CountOf("POST"), 0);
}

void ABroadRequestIsAWarningWhereThatIsWanted(void**) {
  FullFixture f;
  f.cloudflare.files = {{f.Named(""), PcapBytes().Record(1, 0, UdpPacket(1, 2, 53)).bytes()}};
  AssertStatus(f.Run("host 10.0.0.1", Given({{config::Opt::kIfBroad, "warn"}})),
               ExitStatus::kComplete);
  AssertContains(f.reporter.warnings.at(0), "other traffic would use up the packet limit");
}

void ABusyAccountIsNamed(void**) {
  FullFixture f;
  f.cloudflare.others = {OthersJob(kOtherId)};
  const Outcome outcome = f.Run("", IfBusy("fail"));
  AssertStatus(outcome, ExitStatus::kFailed);
  AssertContains(Complaint(outcome), std::string(kOtherId) + " at FRA (running, since");
  AssertContains(Complaint(outcome), std::string("cloudflaredump stop ") + kOtherId);
  assert_int_equal(f.CountOf("POST"), 0);
}

void ABusyAccountIsWaitedFor(void**) {
  FullFixture f;
  f.cloudflare.others = {OthersJob(kOtherId)};
  f.cloudflare.files = {{f.Named(""), PcapBytes().Record(1, 0, "x").bytes()}};
  f.http.Serve("GET", "*/pcaps/" + std::string(kOtherId), [&](const http::HttpRequest&) {
    if (f.Elapsed() < 40) return Ok(OthersJob(kOtherId));
    f.cloudflare.others.clear();
    return Ok(JobJson(kOtherId, "success"));
  });
  AssertStatus(f.Run("", IfBusy("wait")), ExitStatus::kComplete);
  assert_int_equal(f.CountOf("POST"), 1);
  assert_true(f.Elapsed() > 100);
}

void ABusyAccountThatStaysBusyIsAnError(void**) {
  FullFixture f;
  f.cloudflare.others = {OthersJob(kOtherId)};
  f.http.Answer("GET", "*/pcaps/" + std::string(kOtherId), Ok(OthersJob(kOtherId)));
  const Outcome outcome = f.Run("", IfBusy("wait"));
  AssertStatus(outcome, ExitStatus::kFailed);
  AssertContains(Complaint(outcome), "one full capture at a time");
}

void AnAttachedCaptureIsNeverStopped(void**) {
  FullFixture f;
  const std::string place = R"(,"destination_conf":"file://)" + f.bucket + "\"";
  f.cloudflare.others = {OthersJob(kOtherId, place)};
  f.http.Serve("GET", "*/pcaps/" + std::string(kOtherId), [&](const http::HttpRequest&) {
    std::string job = OthersJob(kOtherId, place);
    if (f.Elapsed() >= 20) job.replace(job.find("running"), 7, "success");
    return Ok(job);
  });
  std::ofstream(f.bucket + "/pcap_" + kOtherId + ".pcap")
      << ToText(PcapBytes().Record(1, 0, UdpPacket(1, 2, 53)).bytes());
  f.StopAfter(5);
  const Outcome outcome = f.Run("udp dst port 53", IfBusy("attach"));
  AssertStatus(outcome, ExitStatus::kIncomplete);
  assert_true(outcome.stopped);
  assert_int_equal(f.CountOf("POST"), 0);
  assert_int_equal(f.cloudflare.stops.size(), 0);
}

void AnAttachedCaptureIsDelivered(void**) {
  FullFixture f;
  const std::string place = R"(,"destination_conf":"file://)" + f.bucket + "\"";
  f.cloudflare.others = {OthersJob(kOtherId, place)};
  std::string done = OthersJob(kOtherId, place);
  f.http.Answer("GET", "*/pcaps/" + std::string(kOtherId),
                Ok(done.replace(done.find("running"), 7, "success")));
  std::ofstream(f.bucket + "/pcap_" + kOtherId + ".pcap")
      << ToText(PcapBytes().Record(1, 0, UdpPacket(1, 2, 80)).bytes());
  const Outcome outcome = f.Run("udp dst port 53", IfBusy("attach"));
  // Nobody knows how exact the others' filter was: what does not match is not shown.
  AssertContains(outcome.verdict, "at FRA, 1 packet received, 0 match");
  // It is no answer for ORD, which was asked for.
  AssertStatus(outcome, ExitStatus::kIncomplete);
  AssertContains(outcome.verdict, "that this one was attached to is at FRA, not at ORD");
}

void ALostAnswerIsFoundAgain(void**) {
  FullFixture f;
  f.cloudflare.lose_answer = true;
  f.cloudflare.files = {{f.Named(""), PcapBytes().Record(1, 0, "x").bytes()}};
  AssertStatus(f.Run(), ExitStatus::kComplete);
  assert_int_equal(f.CountOf("POST"), 1);
  AssertText(f.Read().Data(), "x");
}

void AnUnknownPostIsLeftToTheNextRun(void**) {
  FullFixture f;
  f.cloudflare.lose_answer = true;
  f.http.Serve("GET", "*/pcaps", [&](const http::HttpRequest&) {
    return f.CountOf("POST") == 0 ? Ok("[]") : Lost();
  });
  const Outcome outcome = f.Run();
  AssertStatus(outcome, ExitStatus::kFailed);
  AssertContains(Complaint(outcome), "it may have been started all the same");
  const auto left = f.Started().ToStop("acc123");
  assert_int_equal(left.size(), 1);
  AssertText(left[0].pcap_id, "");
}

/// A request for a minute at `colo`.
api::PcapRequest MinuteAt(const char* colo) {
  api::PcapRequest request;
  request.type = api::PcapRequest::Type::kFull;
  request.time_limit = 60;
  request.colo = colo;
  return request;
}

void LeftoversAreStoppedBeforeTheNextCapture(void**) {
  FullFixture f;
  auto started = f.Started();
  const std::string key = started.Intend("acc123", MinuteAt(""), "", f.loop.Now());
  started.Started(key, kOtherId);
  started.NeedsStop(key, true);
  f.cloudflare.files = {{f.Named(""), PcapBytes().Record(1, 0, "x").bytes()}};
  AssertStatus(f.Run(), ExitStatus::kComplete);
  assert_int_equal(f.cloudflare.stops.size(), 1);
  AssertContains(f.cloudflare.stops[0], kOtherId);
  assert_int_equal(f.Started().ToStop("acc123").size(), 0);
}

/// A token that may not stop it, or a proxy in between, does not mean that the capture is over.
void ALeftoverThatCannotBeStoppedStaysOnRecordWhileItCanRun(void**) {
  FullFixture f;
  auto started = f.Started();
  const std::string key = started.Intend("acc123", MinuteAt(""), "", f.loop.Now());
  started.Started(key, kOtherId);
  started.NeedsStop(key, true);
  f.cloudflare.stop_answer = {.status = 403, .body = Refusal("10000", "Authentication error")};
  f.cloudflare.files = {{f.Named(""), PcapBytes().Record(1, 0, "x").bytes()}};
  AssertStatus(f.Run(), ExitStatus::kComplete);
  assert_int_equal(f.Started().ToStop("acc123").size(), 1);
  f.loop.RunUntil([] { return false; }, f.loop.Steady() + std::chrono::minutes(12));
  AssertStatus(f.Run(), ExitStatus::kComplete);
  assert_int_equal(f.Started().ToStop("acc123").size(), 0);
}

/// A capture whose POST had no answer is looked for by what was asked; if the list says that it is
/// not there, nothing is left of it.
void ALeftoverWithoutAnIdIsLookedFor(void**) {
  FullFixture f;
  auto started = f.Started();
  const std::string key = started.Intend("acc123", MinuteAt("FRA"), "", f.loop.Now());
  started.NeedsStop(key, true);
  f.cloudflare.others = {OthersJob(kOtherId)};
  AssertStatus(f.Run("", IfBusy("fail")), ExitStatus::kFailed);
  assert_int_equal(f.cloudflare.stops.size(), 1);
  AssertContains(f.cloudflare.stops[0], kOtherId);
}

/// A program was killed while it asked: its capture is found by the next one. One that another
/// record knows, asked for in the same words, is not it.
void ACaptureOfAKilledProgramIsStoppedAndNoOther(void**) {
  FullFixture f;
  auto started = f.Started();
  started.Intend("acc123", MinuteAt("fra"), "", f.loop.Now());
  const std::string known = started.Intend("acc123", MinuteAt("fra"), "", f.loop.Now());
  started.Started(known, kOtherId);
  f.cloudflare.others = {OthersJob(kOtherId)};
  AssertStatus(f.Run("", IfBusy("fail")), ExitStatus::kFailed);
  assert_int_equal(f.cloudflare.stops.size(), 0);
  started.Forget(known);
  f.cloudflare.stop_answer = {.status = 403, .body = Refusal("10000", "Authentication error")};
  AssertStatus(f.Run("", IfBusy("fail")), ExitStatus::kFailed);
  assert_int_equal(f.cloudflare.stops.size(), 1);
  AssertContains(f.cloudflare.stops[0], kOtherId);
  // It could not be stopped, and so it stays on record.
  const auto left = f.Started().ToStop("acc123");
  assert_int_equal(left.size(), 1);
  AssertText(left[0].pcap_id, kOtherId);
}

void ARefusalNamesTheBucketThatIsNotRegistered(void**) {
  FullFixture f;
  f.cloudflare.refusal = {.status = 400, .body = Refusal("1234", "bad destination")};
  const Outcome outcome = f.Run();
  AssertStatus(outcome, ExitStatus::kFailed);
  AssertContains(Complaint(outcome), "bad destination; the bucket file://" + f.bucket +
                                         " is not registered in this account; run: ");
  assert_false(f.Started().Latest("acc123").has_value());
}

void ARefusalNamesTheCaptureThatWasFaster(void**) {
  FullFixture f;
  f.cloudflare.refusal = {.status = 400, .body = Refusal("1234", "busy")};
  f.http.Serve("GET", "*/pcaps", [&](const http::HttpRequest&) {
    return Ok(f.CountOf("POST") == 0 ? "[]" : JsonArray({OthersJob(kOtherId)}));
  });
  AssertContains(Complaint(f.Run()), kOtherId);
}

void ABucketThatCannotBeReadIsSaidBeforeThePost(void**) {
  FullFixture f;
  std::filesystem::remove(f.bucket);
  const Outcome outcome = f.Run();
  AssertStatus(outcome, ExitStatus::kFailed);
  AssertContains(Complaint(outcome), "cannot be read");
  assert_int_equal(f.CountOf("POST"), 0);
}

void AFailedCaptureSaysWhy(void**) {
  FullFixture f;
  f.http.Serve("GET", "*/pcaps/" + std::string(kTestId), [](const http::HttpRequest&) {
    return Ok(JobJson(kTestId, "failed", R"(,"error_message":"no write access")"));
  });
  const Outcome outcome = f.Run();
  AssertStatus(outcome, ExitStatus::kFailed);
  AssertText(Complaint(outcome),
             "Cloudflare says that capture " + std::string(kTestId) + " failed: no write access.");
}

void ACaptureThatDoesNotEndNamesHowToGetItLater(void**) {
  FullFixture f;
  f.cloudflare.building = std::chrono::hours(24);
  const Outcome outcome = f.Run();
  AssertStatus(outcome, ExitStatus::kFailed);
  AssertContains(Complaint(outcome), "Cloudflare has not finished capture");
  AssertContains(Complaint(outcome), std::string("--pcap-id ") + kTestId);
}

void NoPacketsAreAnEmptyStream(void**) {
  FullFixture f;
  f.cloudflare.packets_captured = 0;
  const Outcome outcome = f.Run();
  AssertStatus(outcome, ExitStatus::kNoPackets);
  AssertContains(outcome.verdict, "likely causes: ");
  assert_int_equal(f.Read().interfaces.size(), 1);
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  cloudflaredump::filter::ForbidNameLookup();
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheFilesOfAllMachinesBecomeOneStream),
      cmocka_unit_test(ARequestThatCannotBeMeantIsRefusedBeforeThePost),
      cmocka_unit_test(ABroadRequestIsAWarningWhereThatIsWanted),
      cmocka_unit_test(ABusyAccountIsNamed),
      cmocka_unit_test(ABusyAccountIsWaitedFor),
      cmocka_unit_test(ABusyAccountThatStaysBusyIsAnError),
      cmocka_unit_test(AnAttachedCaptureIsNeverStopped),
      cmocka_unit_test(AnAttachedCaptureIsDelivered),
      cmocka_unit_test(ALostAnswerIsFoundAgain),
      cmocka_unit_test(AnUnknownPostIsLeftToTheNextRun),
      cmocka_unit_test(LeftoversAreStoppedBeforeTheNextCapture),
      cmocka_unit_test(ALeftoverThatCannotBeStoppedStaysOnRecordWhileItCanRun),
      cmocka_unit_test(ALeftoverWithoutAnIdIsLookedFor),
      cmocka_unit_test(ACaptureOfAKilledProgramIsStoppedAndNoOther),
      cmocka_unit_test(ARefusalNamesTheBucketThatIsNotRegistered),
      cmocka_unit_test(ARefusalNamesTheCaptureThatWasFaster),
      cmocka_unit_test(ABucketThatCannotBeReadIsSaidBeforeThePost),
      cmocka_unit_test(AFailedCaptureSaysWhy),
      cmocka_unit_test(ACaptureThatDoesNotEndNamesHowToGetItLater),
      cmocka_unit_test(NoPacketsAreAnEmptyStream),
  };
  return cmocka_run_group_tests_name("full_capture", tests, nullptr, nullptr);
}
