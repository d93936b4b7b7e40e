// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/description.h"

#include "common/redact.h"
#include "tests/unit/results.h"

namespace cloudflaredump::capture {
namespace {

api::PcapJob FullJob() {
  api::PcapJob job;
  job.id = "66802ca5668e47a2b82c2e6746e45037";
  job.type = "full";
  job.system = "magic-transit";
  job.status = "success";
  job.submitted = "2026-11-23T06:20:00.5Z";
  job.time_limit = 60;
  job.packet_limit = 10000;
  job.byte_limit = 5000;
  job.offset_time = "2026-11-23T06:20:00Z";
  job.colo = "ORD";
  job.destination_conf = "r2://bucket?access-key-id=planted";
  job.error_message = "why";
  job.packets_captured = 0;
  job.stop_requested = "2026-11-23T06:21:00Z";
  job.filter_v1 = {.source_address = "192.0.2.1",
                   .destination_address = "2001:db8::1",
                   .source_port = 0,
                   .destination_port = 443,
                   .protocol = 6};
  return job;
}

/// Found by fuzzing: a protocol of 317 made a description that its own parser called broken.
void NumbersOutOfRangeAreNotWritten(void**) {
  api::PcapJob job = FullJob();
  job.filter_v1.protocol = 317;
  job.filter_v1.source_port = 65536;
  job.time_limit = std::uint64_t{1} << 32;
  CaptureDescription read;
  assert_true(ParseCaptureDescription(WriteCaptureDescription(DescribeJob(job)), read) ==
              ParseVerdict::kGood);
  assert_false(read.filter_v1.protocol.has_value());
  assert_false(read.filter_v1.source_port.has_value());
  assert_false(read.time_limit.has_value());
  assert_true(read.filter_v1.destination_port == 443);
}

void EveryFieldOfAJobIsDescribed(void**) {
  const CaptureDescription told = DescribeJob(FullJob());
  AssertText(told.pcap_id.value(), "66802ca5668e47a2b82c2e6746e45037");
  AssertText(told.type.value(), "full");
  AssertText(told.system.value(), "magic-transit");
  AssertText(told.status.value(), "success");
  AssertText(told.submitted.value(), "2026-11-23T06:20:00.5Z");
  assert_int_equal(told.time_limit.value(), 60);
  assert_int_equal(told.packet_limit.value(), 10000);
  assert_int_equal(told.byte_limit.value(), 5000);
  AssertText(told.offset_time.value(), "2026-11-23T06:20:00Z");
  AssertText(told.colo.value(), "ORD");
  AssertText(told.error_message.value(), "why");
  assert_int_equal(told.packets_captured.value(), 0);
  AssertText(told.stop_requested.value(), "2026-11-23T06:21:00Z");
  AssertText(told.filter_v1.source_address.value(), "192.0.2.1");
  AssertText(told.filter_v1.destination_address.value(), "2001:db8::1");
  assert_int_equal(told.filter_v1.source_port.value(), 0);
  assert_int_equal(told.filter_v1.destination_port.value(), 443);
  assert_int_equal(told.filter_v1.protocol.value(), 6);
}

/// R2's carries keys: the caller redacts it.
void TheBucketIsLeftToTheCaller(void**) {
  assert_false(DescribeJob(FullJob()).destination_conf.has_value());
  AssertLacks(WriteCaptureDescription(DescribeJob(FullJob())), "planted");
}

void WhatAJobDoesNotSayIsNotDescribed(void**) {
  assert_true(DescribeJob(api::PcapJob()) == CaptureDescription());
}

/// Server text that echoes a secret goes into a file that is passed on.
void ASecretInServerTextStaysOut(void**) {
  RegisterSecret("cfut_described0123456789");
  api::PcapJob job = FullJob();
  job.error_message = "no permission for cfut_described0123456789";
  job.status = "cfut_described0123456789";
  job.colo = "cfut_described0123456789";
  job.submitted = "cfut_described0123456789";
  job.filter_v1.source_address = "cfut_described0123456789";
  CaptureDescription told = DescribeJob(job);
  told.object = "d/pcap_cfut_described0123456789.pcap";
  const std::string written = WriteCaptureDescription(told);
  AssertContains(written, "no permission for [secret]");
  AssertContains(written, "d/pcap_[secret].pcap");
  AssertLacks(written, "cfut_");
}

}  // namespace
}  // namespace cloudflaredump::capture

int main() {
  using namespace cloudflaredump::capture;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EveryFieldOfAJobIsDescribed),
      cmocka_unit_test(NumbersOutOfRangeAreNotWritten),
      cmocka_unit_test(TheBucketIsLeftToTheCaller),
      cmocka_unit_test(WhatAJobDoesNotSayIsNotDescribed),
      cmocka_unit_test(ASecretInServerTextStaysOut),
  };
  return cmocka_run_group_tests_name("description", tests, nullptr, nullptr);
}
