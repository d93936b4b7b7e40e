// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/download_capture.h"

#include <filesystem>
#include <fstream>

#include "tests/unit/capture_fixture.h"
#include "tests/unit/pcap_bytes.h"

namespace cloudflaredump::capture {
namespace {

struct Scene : CaptureFixture {
  Outcome Run(config::OptionValues given = Given({{config::Opt::kPcapId, kTestId}})) {
    return With("cloudflare-download", given, "",
                [](const CaptureContext& context) { return RunDownload(context); });
  }

  /// Cloudflare has a sample, with the members `more`.
  void HasSample(const std::string& more = "") {
    http.Answer("GET", "*/pcaps/" + std::string(kTestId), Ok(JobJson(kTestId, "success", more)));
    http.Answer("GET", "*/download",
                {.body = ToText(PcapBytes().Record(1, 0, "a").Record(2, 0, "b").bytes())});
  }

  /// Cloudflare has a full capture with its file in the folder `bucket`.
  void HasFull(const std::string& more = "") {
    std::filesystem::create_directory(bucket);
    std::ofstream(bucket + "/pcap_" + kTestId + ".pcap")
        << ToText(PcapBytes().Record(1, 0, "a").bytes());
    http.Answer(
        "GET", "*/pcaps/" + std::string(kTestId),
        Ok(R"({"id":")" + std::string(kTestId) +
           R"(","type":"full","status":"success","colo_name":"ORD","time_limit":60)" + more + "}"));
  }

  const std::string bucket = folder / "bucket";
};

void ASampleIsDeliveredByItsId(void**) {
  Scene f;
  f.HasSample(R"(,"packet_limit":10)");
  const Outcome outcome = f.Run();
  AssertStatus(outcome, ExitStatus::kComplete);
  AssertText(f.Read().Data(), "a b");
  AssertContains(outcome.verdict, "Complete: sample " + std::string(kTestId));
  assert_false(f.Read().interfaces[0].description.limit_reached.value());
}

/// The API does not say the limit of a sample: nothing is claimed.
void AnUnknownLimitIsNotCalledReachedOrNot(void**) {
  Scene f;
  f.HasSample();
  const Outcome outcome = f.Run();
  AssertStatus(outcome, ExitStatus::kComplete);
  AssertContains(outcome.verdict, "Complete as far as can be told: sample");
  assert_false(f.Read().interfaces[0].description.limit_reached.has_value());
}

/// The same capture has the same verdict by capture and by download.
void ALimitThatWasAskedForHereIsKnown(void**) {
  Scene f;
  auto started = f.Started();
  api::PcapRequest request;
  request.packet_limit = 2;
  started.Started(started.Intend("acc123", request, "", f.loop.Now()), kTestId);
  f.HasSample();
  const Outcome outcome = f.Run(Given({{config::Opt::kPcapId, "latest"}}));
  AssertStatus(outcome, ExitStatus::kIncomplete);
  AssertContains(outcome.verdict, "the limit of 2 packets was reached");
  assert_true(f.Read().interfaces[0].description.limit_reached.value());
}

void NothingStartedHereIsSaid(void**) {
  Scene f;
  const Outcome outcome = f.Run(Given({{config::Opt::kPcapId, "latest"}}));
  AssertStatus(outcome, ExitStatus::kFailed);
  AssertContains(Complaint(outcome), "started.json; give an ID");
}

void AFullCaptureIsReadFromTheUsersFolder(void**) {
  Scene f;
  f.HasFull();
  const Outcome outcome =
      f.Run(Given({{config::Opt::kPcapId, kTestId}, {config::Opt::kReadFrom, f.bucket}}));
  AssertStatus(outcome, ExitStatus::kComplete);
  AssertText(f.Read().Data(), "a");
  AssertContains(outcome.verdict, "full capture " + std::string(kTestId) + " at ORD");
}

/// A folder of this machine comes from the user, never from an answer of the API.
void AFolderThatTheApiNamesIsNotRead(void**) {
  Scene f;
  f.HasFull(R"(,"destination_conf":"file://)" + f.bucket + "\"");
  const Outcome outcome = f.Run();
  AssertStatus(outcome, ExitStatus::kFailed);
  AssertContains(Complaint(outcome),
                 "if you trust that, give the folder with the option read-from");
  AssertText(f.sink.bytes, "");
}

void WithoutAPlaceTheRemedyIsSaid(void**) {
  Scene f;
  f.HasFull();
  AssertContains(Complaint(f.Run()), "does not say in which bucket");
}

void OneThatStillRunsIsWaitedForAndNeverStopped(void**) {
  Scene f;
  f.http.Answer("GET", "*/pcaps/" + std::string(kTestId), Ok(JobJson(kTestId, "running")));
  const Outcome outcome = f.Run();
  AssertContains(Complaint(outcome), "has not finished capture");
  AssertContains(Complaint(outcome), std::string("--pcap-id ") + kTestId);
  assert_int_equal(f.CountOf("PUT"), 0);
}

void AFailedOneSaysWhy(void**) {
  Scene f;
  f.http.Answer("GET", "*/pcaps/" + std::string(kTestId),
                Ok(JobJson(kTestId, "failed", R"(,"error_message":"why")")));
  AssertContains(Complaint(f.Run()), " failed: why");
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(ASampleIsDeliveredByItsId),
      cmocka_unit_test(AnUnknownLimitIsNotCalledReachedOrNot),
      cmocka_unit_test(ALimitThatWasAskedForHereIsKnown),
      cmocka_unit_test(NothingStartedHereIsSaid),
      cmocka_unit_test(AFullCaptureIsReadFromTheUsersFolder),
      cmocka_unit_test(AFolderThatTheApiNamesIsNotRead),
      cmocka_unit_test(WithoutAPlaceTheRemedyIsSaid),
      cmocka_unit_test(OneThatStillRunsIsWaitedForAndNeverStopped),
      cmocka_unit_test(AFailedOneSaysWhy),
  };
  return cmocka_run_group_tests_name("download_capture", tests, nullptr, nullptr);
}
