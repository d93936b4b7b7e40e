// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/sample_file.h"

#include "tests/unit/capture_fixture.h"
#include "tests/unit/pcap_bytes.h"

namespace cloudflaredump::capture {
namespace {

api::PcapJob Job() {
  api::PcapJob job;
  job.id = "66802ca5668e47a2b82c2e6746e45037";
  job.type = "simple";
  job.status = "success";
  job.packet_limit = 3;
  return job;
}

std::string FileOf(const PcapBytes& pcap) {
  return ToText(pcap.bytes());
}

Result<SampleFile> Fetch(CaptureFixture& f, const std::string& bytes, bool end_is_certain = true,
                         const config::OptionValues& given = {}) {
  f.http.Answer("GET", "*/download", {.body = bytes, .end_is_certain = end_is_certain});
  return f.With("cloudflare-download", given, "", [](const CaptureContext& context) {
    return FetchSample(context, Job(), "downloading");
  });
}

Result<SampleFile> FetchAlone(const std::string& bytes) {
  CaptureFixture f;
  return Fetch(f, bytes);
}

void TheFileIsCountedAndKept(void**) {
  CaptureFixture f;
  const std::string bytes = FileOf(PcapBytes().Record(100, 5, "a").Record(90, 1, "b"));
  const SampleFile sample =
      ValueOf(Fetch(f, bytes, true, Given({{config::Opt::kKeepOriginals, f.folder / "kept"}})));
  AssertText(sample.job.id, Job().id);
  assert_int_equal(sample.summary.packets, 2);
  assert_true(sample.end_is_certain);
  assert_int_equal(sample.summary.header->link_type, 101);
  assert_int_equal(sample.bytes->size(), bytes.size());
  AssertText(ReadFile(f.folder / ("kept/pcap_" + Job().id + ".pcap")), bytes);
  assert_true(f.Told("downloading"));
}

/// Times are those of all packets, whatever their order in the file, in nanoseconds.
void TheFirstAndTheLastTimeAreFound(void**) {
  const SampleFile micro = ValueOf(
      FetchAlone(FileOf(PcapBytes().Record(100, 5, "a").Record(90, 1, "b").Record(95, 0, "c"))));
  assert_int_equal(micro.summary.first_nanoseconds, 90'000'001'000);
  assert_int_equal(micro.summary.last_nanoseconds, 100'000'005'000);
  const SampleFile nano = ValueOf(
      FetchAlone(FileOf(PcapBytes({.magic = 0xa1b23c4d}).Record(90, 1, "b").Record(91, 2, "c"))));
  assert_int_equal(nano.summary.first_nanoseconds, 90'000'000'001);
  assert_int_equal(nano.summary.last_nanoseconds, 91'000'000'002);
}

void AFileWithoutPacketsIsGood(void**) {
  const SampleFile sample = ValueOf(FetchAlone(FileOf(PcapBytes())));
  assert_int_equal(sample.summary.packets, 0);
  assert_int_equal(sample.summary.first_nanoseconds, 0);
  assert_int_equal(sample.summary.last_nanoseconds, 0);
  assert_false(sample.limit().reached.has_value());
}

void TheLimitIsReachedByReceivedPackets(void**) {
  PcapBytes file;
  file.Record(1, 0, "a").Record(2, 0, "b");
  assert_false(ValueOf(FetchAlone(FileOf(file))).limit().reached.has_value());
  file.Record(3, 0, "c");
  SampleFile sample = ValueOf(FetchAlone(FileOf(file)));
  AssertText(sample.limit().reached.value(), "3 packets");
  sample.job.packet_limit.reset();
  assert_false(sample.limit().value().has_value());
}

void ADamagedFileGivesItsGoodPackets(void**) {
  const std::string whole = FileOf(PcapBytes().Record(1, 0, "abcd").Record(2, 0, "efgh"));
  for (std::size_t size = 24; size < whole.size(); ++size) {
    const SampleFile sample = ValueOf(FetchAlone(whole.substr(0, size)));
    const std::size_t record = (whole.size() - 24) / 2;
    assert_int_equal(sample.summary.packets, (size - 24) / record);
    assert_int_equal(sample.summary.damage.has_value(), (size - 24) % record != 0);
  }
}

void AnUncertainEndIsKept(void**) {
  CaptureFixture f;
  assert_false(ValueOf(Fetch(f, FileOf(PcapBytes()), false)).end_is_certain);
}

void WhatIsNotACaptureFileIsAnError(void**) {
  for (const std::string& bytes : {std::string(), std::string("<html>no</html> and so on and on"),
                                   std::string("{}"), FileOf(PcapBytes()).substr(0, 23)}) {
    AssertFails(FetchAlone(bytes), Error::Kind::kFinal, " is not a capture file: ");
  }
}

void AnEmptyCaptureHasNoFileToDownload(void**) {
  CaptureFixture f;
  api::PcapJob job = Job();
  job.status = "failed";
  job.error_message = "No packets matched the filter in the time limit given.";
  const SampleFile sample =
      ValueOf(f.With("cloudflare-download", {}, "", [&](const CaptureContext& context) {
        return FetchSample(context, job, "x");
      }));
  assert_int_equal(sample.summary.packets, 0);
  assert_int_equal(pcap::Summarize(*sample.bytes).header->link_type, 101);
  assert_int_equal(f.http.requests.size(), 0);
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(TheFileIsCountedAndKept),
      cmocka_unit_test(TheFirstAndTheLastTimeAreFound),
      cmocka_unit_test(AFileWithoutPacketsIsGood),
      cmocka_unit_test(TheLimitIsReachedByReceivedPackets),
      cmocka_unit_test(ADamagedFileGivesItsGoodPackets),
      cmocka_unit_test(AnUncertainEndIsKept),
      cmocka_unit_test(WhatIsNotACaptureFileIsAnError),
      cmocka_unit_test(AnEmptyCaptureHasNoFileToDownload),
  };
  return cmocka_run_group_tests_name("sample_file", tests, nullptr, nullptr);
}
