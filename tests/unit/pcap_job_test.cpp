// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/api/pcap_job.h"

#include <jansson.h>

#include "extcap/api/api_answer.h"
#include "tests/unit/results.h"

namespace cloudflaredump::api {
namespace {

PcapJob ReadText(const std::string& text) {
  const Json json(json_loadb(text.data(), text.size(), JSON_DECODE_ANY, nullptr));
  assert_non_null(json.get());
  return ReadPcapJob(json.get());
}

void EveryPublishedStatusHasItsPhase(void**) {
  const auto phase = [](const std::string& status) {
    PcapJob job;
    job.status = status;
    return job.phase();
  };
  for (const char* done : {"success", "complete", "Success", "COMPLETE"})
    assert_true(phase(done) == JobPhase::kDone);
  assert_true(phase("failed") == JobPhase::kFailed);
  for (const char* going : {"unknown", "pending", "running", "conversion_pending",
                            "conversion_running", "", "queued", "failed "}) {
    assert_true(phase(going) == JobPhase::kGoing);
  }
}

void AnIdIsSafeInAPathAndLongEnoughToBeFound(void**) {
  for (const char* good : {"66802ca5668e47a2b82c2e6746e45037", "ABCxyz0191234567",
                           "6d1f0aac-13cd-40e3-900d-29f5dd0e8a2b"}) {
    assert_true(IsPcapId(good));
  }
  for (const char* bad :
       {"", "ownership", "66802ca5668e47a", "0123456789abcde/", "..", "0123456789abcdef b",
        "0123456789abcdef?b", "0123456789abcdef%2f", "0123456789abcdefü", "0123456789abcdef\n"}) {
    assert_false(IsPcapId(bad));
  }
  assert_false(IsPcapId(std::string(20, '\0')));
}

/// The example of Cloudflare's documentation, without its comment.
void TheDocumentedSampleIsRead(void**) {
  const PcapJob job = ReadText(
      R"({"id":"6d1f0aac13cd40e3900d29f5dd0e8a2b","submitted":"2021-12-20T17:29:20.641845Z",)"
      R"("filter_v1":{"source_address":"1.2.3.4","source_port":123,)"
      R"("destination_address":"5.6.7.8","destination_port":80,"protocol":6},"time_limit":60,)"
      R"("status":"pending","packets_remaining":0,"type":"simple","system":"magic-transit",)"
      R"("offset_time":"2021-12-20T17:29:00Z"})");
  AssertText(job.id, "6d1f0aac13cd40e3900d29f5dd0e8a2b");
  AssertText(job.type, "simple");
  AssertText(job.system, "magic-transit");
  AssertText(job.status, "pending");
  AssertText(job.submitted, "2021-12-20T17:29:20.641845Z");
  AssertText(FormatRfc3339(job.submitted_at().value()), "2021-12-20T17:29:20.641845Z");
  assert_int_equal(job.time_limit.value(), 60);
  AssertText(job.offset_time.value(), "2021-12-20T17:29:00Z");
  assert_true(job.filter_v1 == (FilterV1{.source_address = "1.2.3.4",
                                         .destination_address = "5.6.7.8",
                                         .source_port = 123,
                                         .destination_port = 80,
                                         .protocol = 6}));
  assert_false(job.packet_limit || job.byte_limit || job.colo || job.destination_conf ||
               job.error_message || job.packets_captured || job.stop_requested);
}

void TheDocumentedFullCaptureIsRead(void**) {
  const PcapJob job = ReadText(
      R"({"id":"7d7c88382f0b4d5daa9587aa45a1a877","submitted":"2022-06-02T18:38:22.269047Z",)"
      R"("filter_v1":{},"time_limit":300,"status":"success","type":"full",)"
      R"("system":"magic-transit","packet_limit":10000,"byte_limit":100000000,"colo":"ORD",)"
      R"("destination_conf":"gs://b","error_message":"No packets","packets_captured":0,)"
      R"("stop_requested":"2022-06-02T18:39:00Z"})");
  AssertText(job.type, "full");
  assert_int_equal(job.packet_limit.value(), 10000);
  assert_int_equal(job.byte_limit.value(), 100000000);
  AssertText(job.colo.value(), "ORD");
  AssertText(job.destination_conf.value(), "gs://b");
  AssertText(job.error_message.value(), "No packets");
  assert_int_equal(job.packets_captured.value(), 0);
  AssertText(job.stop_requested.value(), "2022-06-02T18:39:00Z");
  assert_true(job.filter_v1 == FilterV1());
}

void TheSchemasNameOfTheDataCenterIsPreferred(void**) {
  AssertText(ReadText(R"({"colo_name":"ord02"})").colo.value(), "ord02");
  AssertText(ReadText(R"({"colo":"ORD","colo_name":"ord02"})").colo.value(), "ord02");
  AssertText(ReadText(R"({"colo":"ORD","colo_name":null})").colo.value(), "ORD");
  assert_false(ReadText(R"({"colo":7,"colo_name":["ORD"]})").colo.has_value());
}

/// All members of a job in a fixed order, "-" for what is unset.
std::vector<std::string> Members(const PcapJob& job) {
  const auto text = [](const std::optional<std::string>& member) { return member.value_or("-"); };
  const auto number = [](const std::optional<std::uint64_t>& member) {
    return member ? std::to_string(*member) : std::string("-");
  };
  const FilterV1& filter = job.filter_v1;
  return {job.id,
          job.type,
          job.system,
          job.status,
          job.submitted,
          text(job.offset_time),
          text(job.colo),
          text(job.destination_conf),
          text(job.error_message),
          text(job.stop_requested),
          text(filter.source_address),
          text(filter.destination_address),
          number(job.time_limit),
          number(job.packet_limit),
          number(job.byte_limit),
          number(job.packets_captured),
          number(filter.source_port),
          number(filter.destination_port),
          number(filter.protocol)};
}

struct JsonField {
  std::string name;
  std::string good;
  bool of_filter = false;
};

/// The fields in the order of Members.
const std::vector<JsonField> kFields = {{"id", "\"t\""},
                                        {"type", "\"t\""},
                                        {"system", "\"t\""},
                                        {"status", "\"t\""},
                                        {"submitted", "\"t\""},
                                        {"offset_time", "\"t\""},
                                        {"colo_name", "\"t\""},
                                        {"destination_conf", "\"t\""},
                                        {"error_message", "\"t\""},
                                        {"stop_requested", "\"t\""},
                                        {"source_address", "\"t\"", true},
                                        {"destination_address", "\"t\"", true},
                                        {"time_limit", "5"},
                                        {"packet_limit", "5"},
                                        {"byte_limit", "5"},
                                        {"packets_captured", "5"},
                                        {"source_port", "5", true},
                                        {"destination_port", "5", true},
                                        {"protocol", "5", true}};

/// A job with all fields, of which `odd` has the JSON `value`.
std::string JobWith(std::size_t odd, const std::string& value) {
  std::string job;
  std::string filter;
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    std::string& object = kFields[i].of_filter ? filter : job;
    if (!object.empty()) object += ',';
    object += '"' + kFields[i].name + "\":" + (i == odd ? value : kFields[i].good);
  }
  return "{" + job + ",\"unknown\":{\"a\":[1]},\"filter_v1\":{" + filter + "}}";
}

void AFieldOfTheWrongTypeIsUnsetAndHurtsNoOther(void**) {
  const std::vector<std::string> all = Members(ReadText(JobWith(kFields.size(), "")));
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    const bool number = kFields[i].good == "5";
    AssertText(all[i], number ? "5" : "t");
    std::vector<std::string> wrong = {"null", "true", "[]", "{}", "[1]"};
    for (const char* more : {"\"five\"", "-1", "5.5", "-5.0", "1e300"}) {
      if (number) wrong.emplace_back(more);
    }
    if (!number) wrong.insert(wrong.end(), {"5", "5.5", "0"});
    for (const std::string& value : wrong) {
      const std::vector<std::string> got = Members(ReadText(JobWith(i, value)));
      for (std::size_t k = 0; k < got.size(); ++k) {
        // id, type, system, status and submitted are plain texts: unset is empty.
        AssertText(got[k], k != i ? all[k] : i < 5 ? "" : "-");
      }
    }
  }
}

void NumbersMayComeAsTexts(void**) {
  const PcapJob job = ReadText(
      R"({"packet_limit":"100","packets_captured":"7","filter_v1":{"destination_port":"53"}})");
  assert_int_equal(job.packet_limit.value(), 100);
  assert_int_equal(job.packets_captured.value(), 7);
  assert_int_equal(job.filter_v1.destination_port.value(), 53);
}

void WhatIsNoObjectIsAnEmptyJob(void**) {
  for (const char* text : {"null", "[]", "7", "\"x\"", "{}", R"({"filter_v1":[]})",
                           R"({"filter_v1":"all"})", R"({"filter_v1":null})"}) {
    const PcapJob job = ReadText(text);
    AssertText(job.id + job.status + job.type, "");
    assert_true(job.filter_v1 == FilterV1());
    assert_true(job.phase() == JobPhase::kGoing);
    assert_false(job.submitted_at().has_value());
  }
  assert_true(ReadPcapJob(nullptr).id.empty());
}

/// The schema says `number`: 60.0 is 60.
void WholeNumbersMayBeWrittenWithAPoint(void**) {
  assert_int_equal(ReadText(R"({"time_limit":60.0})").time_limit.value(), 60);
  assert_int_equal(ReadText(R"({"byte_limit":1e9})").byte_limit.value(), 1000000000);
  assert_int_equal(ReadText(R"({"packets_captured":9007199254740992.0})").packets_captured.value(),
                   9007199254740992);
  assert_int_equal(ReadText(R"({"packets_captured":9223372036854775807})").packets_captured.value(),
                   9223372036854775807);
  assert_false(ReadText(R"({"byte_limit":9007199254740994.0})").byte_limit.has_value());
}

void ATimeLimitBeyondAllReasonIsUnset(void**) {
  assert_int_equal(ReadText(R"({"time_limit":31536000})").time_limit.value(), 31536000);
  assert_false(ReadText(R"({"time_limit":9223372036854775807})").time_limit.has_value());
}

/// A server may write 0 for what it does not know.
void ALimitOfZeroIsUnset(void**) {
  const PcapJob job = ReadText(R"({"time_limit":0,"packet_limit":0,"byte_limit":0})");
  assert_false(job.time_limit || job.packet_limit || job.byte_limit);
}

void AFilterCoversWhatItDoesNotLeaveOut(void**) {
  const FilterV1 all;
  const FilterV1 seven{.destination_address = "203.0.113.7/32"};
  const FilterV1 web{.destination_address = "203.0.113.7", .destination_port = 443};
  const FilterV1 other{.destination_address = "203.0.113.8", .destination_port = 443};
  assert_true(Covers(all, web) && Covers(seven, web) && Covers(web, web));
  assert_false(Covers(web, seven) || Covers(seven, all) || Covers(seven, other));
}

PcapRequest Sample() {
  return {.type = PcapRequest::Type::kSimple,
          .time_limit = 300,
          .packet_limit = 10000,
          .byte_limit = {},
          .offset_time = ParseRfc3339("2026-11-23T06:20:00Z"),
          .colo = {},
          .destination_conf = {},
          .filter_v1 = {.source_address = {},
                        .destination_address = "203.0.113.7",
                        .source_port = {},
                        .destination_port = 443,
                        .protocol = 6}};
}

PcapRequest Full() {
  return {.type = PcapRequest::Type::kFull,
          .time_limit = 60,
          .packet_limit = 5000,
          .byte_limit = 100000,
          .offset_time = {},
          .colo = "ORD",
          .destination_conf = "s3://bucket/dir?region=us-east-1",
          .filter_v1 = {}};
}

void TheBodyOfASample(void**) {
  AssertText(WritePcapRequest(Sample()),
             R"({"type":"simple","system":"magic-transit","time_limit":300,"packet_limit":10000,)"
             R"("offset_time":"2026-11-23T06:20:00Z","filter_v1":{)"
             R"("destination_address":"203.0.113.7","destination_port":443,"protocol":6}})");
  PcapRequest least;
  AssertText(WritePcapRequest(least),
             R"({"type":"simple","system":"magic-transit","time_limit":300,"filter_v1":{}})");
  least.offset_time = ParseRfc3339("2026-11-23T06:20:00.25Z");
  AssertContains(WritePcapRequest(least), R"("offset_time":"2026-11-23T06:20:00.25Z")");
}

void TheBodyOfAFullCapture(void**) {
  AssertText(WritePcapRequest(Full()),
             R"({"type":"full","system":"magic-transit","time_limit":60,"packet_limit":5000,)"
             R"("byte_limit":100000,"colo":"ORD","colo_name":"ORD",)"
             R"("destination_conf":"s3://bucket/dir?region=us-east-1","filter_v1":{}})");
}

void EitherNameOfTheDataCenterCanBeLeftOut(void**) {
  PcapRequest request = Full();
  request.send_colo = false;
  AssertLacks(WritePcapRequest(request), R"("colo":)");
  AssertContains(WritePcapRequest(request), R"("colo_name":"ORD")");
  request.send_colo = true;
  request.send_colo_name = false;
  AssertLacks(WritePcapRequest(request), "colo_name");
  AssertContains(WritePcapRequest(request), R"("colo":"ORD")");
}

void ASampleSaysNothingOfFullCaptures(void**) {
  PcapRequest request = Full();
  request.type = PcapRequest::Type::kSimple;
  for (const char* key : {"colo", "destination_conf", "byte_limit"}) {
    AssertLacks(WritePcapRequest(request), key);
  }
  request = Sample();
  request.type = PcapRequest::Type::kFull;
  AssertLacks(WritePcapRequest(request), "offset_time");
}

void EveryFieldOfTheFilterIsWrittenOnce(void**) {
  PcapRequest request;
  request.filter_v1 = {.source_address = "2001:db8::1",
                       .destination_address = "192.0.2.1",
                       .source_port = 0,
                       .destination_port = 65535,
                       .protocol = 0};
  const Json body(json_loads(WritePcapRequest(request).c_str(), 0, nullptr));
  assert_true(ReadPcapJob(body.get()).filter_v1 == request.filter_v1);
}

/// What the server would say of the capture that `request` makes.
PcapJob MadeBy(const PcapRequest& request) {
  return ReadText(WritePcapRequest(request));
}

void ACaptureIsKnownByItsRequest(void**) {
  assert_true(CameFrom(MadeBy(Sample()), Sample()));
  assert_true(CameFrom(MadeBy(Full()), Full()));
  assert_false(CameFrom(MadeBy(Sample()), Full()));
  assert_false(CameFrom(MadeBy(Full()), Sample()));
}

void AnyDifferenceMakesItAnotherCapture(void**) {
  const auto differs = [](PcapRequest request, const std::function<void(PcapRequest&)>& change) {
    const PcapJob job = MadeBy(request);
    change(request);
    return !CameFrom(job, request);
  };
  using R = PcapRequest;
  assert_true(differs(Sample(), [](R& r) { r.time_limit = 299; }));
  assert_true(differs(Sample(), [](R& r) { r.packet_limit = 9; }));
  assert_true(differs(Sample(), [](R& r) { r.filter_v1.protocol = 17; }));
  assert_true(differs(Sample(), [](R& r) { r.filter_v1 = {}; }));
  assert_true(differs(Sample(), [](R& r) { *r.offset_time += std::chrono::seconds(1); }));
  assert_true(differs(Full(), [](R& r) { r.colo = "FRA"; }));
  assert_true(differs(Full(), [](R& r) { r.byte_limit = 1; }));
  assert_true(differs(Full(), [](R& r) { r.filter_v1.source_port = 53; }));
}

void WhatAnAnswerLeavesOutContradictsNothing(void**) {
  PcapJob job = MadeBy(Sample());
  job.time_limit.reset();
  job.packet_limit.reset();
  job.offset_time.reset();
  assert_true(CameFrom(job, Sample()));
  job = MadeBy(Full());
  job.colo.reset();
  job.byte_limit.reset();
  assert_true(CameFrom(job, Full()));
  job.type.clear();
  assert_false(CameFrom(job, Full()));
}

void ATimeWrittenDifferentlyIsTheSameTime(void**) {
  PcapJob job = MadeBy(Sample());
  job.offset_time = "2026-11-23T07:20:00.000+01:00";
  assert_true(CameFrom(job, Sample()));
  job.offset_time = "yesterday";
  assert_false(CameFrom(job, Sample()));
}

void AFilterWrittenDifferentlyIsTheSameFilter(void**) {
  PcapRequest request = Full();
  request.filter_v1 = {.source_address = "2001:db8::7", .destination_address = "192.0.2.1"};
  PcapJob job = MadeBy(request);
  job.colo = "ord";
  job.filter_v1.source_address = "2001:0DB8:0::7/128";
  job.filter_v1.destination_address = "192.0.2.1/32";
  assert_true(CameFrom(job, request));
  job.filter_v1.destination_address = "192.0.2.1/31";
  assert_false(CameFrom(job, request));
  job.filter_v1.destination_address = "192.0.2.2/32";
  assert_false(CameFrom(job, request));
}

}  // namespace
}  // namespace cloudflaredump::api

int main() {
  using namespace cloudflaredump::api;
  const CMUnitTest tests[] = {
      cmocka_unit_test(EveryPublishedStatusHasItsPhase),
      cmocka_unit_test(AnIdIsSafeInAPathAndLongEnoughToBeFound),
      cmocka_unit_test(TheDocumentedSampleIsRead),
      cmocka_unit_test(TheDocumentedFullCaptureIsRead),
      cmocka_unit_test(TheSchemasNameOfTheDataCenterIsPreferred),
      cmocka_unit_test(AFieldOfTheWrongTypeIsUnsetAndHurtsNoOther),
      cmocka_unit_test(NumbersMayComeAsTexts),
      cmocka_unit_test(WhatIsNoObjectIsAnEmptyJob),
      cmocka_unit_test(ATimeLimitBeyondAllReasonIsUnset),
      cmocka_unit_test(ALimitOfZeroIsUnset),
      cmocka_unit_test(AFilterCoversWhatItDoesNotLeaveOut),
      cmocka_unit_test(WholeNumbersMayBeWrittenWithAPoint),
      cmocka_unit_test(TheBodyOfASample),
      cmocka_unit_test(TheBodyOfAFullCapture),
      cmocka_unit_test(EitherNameOfTheDataCenterCanBeLeftOut),
      cmocka_unit_test(ASampleSaysNothingOfFullCaptures),
      cmocka_unit_test(EveryFieldOfTheFilterIsWrittenOnce),
      cmocka_unit_test(ACaptureIsKnownByItsRequest),
      cmocka_unit_test(AnyDifferenceMakesItAnotherCapture),
      cmocka_unit_test(WhatAnAnswerLeavesOutContradictsNothing),
      cmocka_unit_test(ATimeWrittenDifferentlyIsTheSameTime),
      cmocka_unit_test(AFilterWrittenDifferentlyIsTheSameFilter),
  };
  return cmocka_run_group_tests_name("pcap_job", tests, nullptr, nullptr);
}
