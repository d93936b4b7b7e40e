// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whatever the API answers: the first byte chooses the status, the rest is the body. What is taken
// from it may become part of a path, of the state file or of the capture; what is said of it is one
// clean line.
#include <jansson.h>

#include <array>
#include <cstdint>
#include <cstdlib>

#include "common/capture_description.h"
#include "extcap/api/api_answer.h"
#include "extcap/api/pcap_job.h"
#include "extcap/capture/description.h"
#include "extcap/capture/job_watch.h"
#include "extcap/capture/running_captures.h"

using namespace cloudflaredump;

namespace {

/// Ends the run, for the fuzzer to report, if a promise is broken.
void Check(bool holds) {
  if (!holds) std::abort();
}

void CheckSentence(const std::string& text) {
  Check(!text.empty() && text.size() < 4000);
  for (const char c : text) {
    Check(static_cast<unsigned char>(c) >= ' ' && c != 0x7f && c != '{' && c != '}');
  }
}

void UseJob(const json_t* object) {
  const api::PcapJob job = api::ReadPcapJob(object);
  for (const char c : api::IsPcapId(job.id) ? job.id : "") Check(c != '/' && c != '.' && c != '%');
  CheckSentence("capture " + capture::NameRunning(job, WallTime()));
  capture::IsEmptyCapture(job);
  capture::FindRunning({job}, WallTime());

  const std::string text = WriteCaptureDescription(capture::DescribeJob(job));
  CaptureDescription read;
  Check(ParseCaptureDescription(text, read) == ParseVerdict::kGood);

  api::PcapRequest request;
  request.type =
      job.type == "full" ? api::PcapRequest::Type::kFull : api::PcapRequest::Type::kSimple;
  request.filter_v1 = job.filter_v1;
  const Json body(json_loads(api::WritePcapRequest(request).c_str(), 0, nullptr));
  Check(json_is_object(body.get()));
  api::CameFrom(job, request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::array kStatuses = {200, 201, 400, 401, 403, 404, 429, 500, 503};
  http::HttpAnswer answer;
  answer.head.status = kStatuses[data[0] % kStatuses.size()];
  answer.body.assign(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto result = api::ReadEnvelope(answer, "list the captures", "api.cloudflare.com");
  if (!result) {
    CheckSentence(SentenceOf(result.error()));
    return 0;
  }
  UseJob(result->get());
  for (std::size_t i = 0; i < json_array_size(result->get()); ++i) {
    UseJob(json_array_get(result->get(), i));
  }
  return 0;
}
