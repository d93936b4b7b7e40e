// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/api/pcaps_api.h"

#include <jansson.h>

#include <algorithm>

#include "common/text.h"
#include "extcap/api/api_answer.h"
#include "extcap/api/pcaps_ask.h"
#include "extcap/system/log.h"

namespace cloudflaredump::api {
namespace {

using namespace std::chrono_literals;

/// A sample is at most 10,000 packets of 160 bytes; this is far above it and far below memory.
constexpr std::size_t kLargestSample = std::size_t{64} << 20;
constexpr std::size_t kLargestJson = std::size_t{8} << 20;

/// How long a finished sample may go on answering "not there yet".
constexpr Duration kFileSettles = 30s;

/// Whether a download answered that the file is not there yet.
bool IsNotYet(int status) {
  return status == 404 || status == 409 || status == 425;
}

/// Cloudflare's pages call the data center `colo`, its schema `colo_name`; both are sent. If the
/// answer is a 400 that names one of them, the request without that one.
std::optional<PcapRequest> WithoutRefusedName(const PcapRequest& request,
                                              const http::HttpAnswer& answer) {
  const bool both = request.send_colo && request.send_colo_name;
  if (request.type != PcapRequest::Type::kFull || answer.head.status != 400 || !both) {
    return std::nullopt;
  }
  PcapRequest other = request;
  if (answer.body.find("colo_name") != std::string::npos) {
    other.send_colo_name = false;
  } else if (answer.body.find("colo") != std::string::npos) {
    other.send_colo = false;
  } else {
    return std::nullopt;
  }
  return other;
}

/// An Error if `id` cannot stand in a path.
Result<void> CheckId(const std::string& id) {
  if (IsPcapId(id)) return {};
  return Fail(Format("\"%s\" is no capture id", CleanLine(id, 60).c_str()),
              "an id is 32 letters and digits, as `cloudflaredump list` shows",
              Error::Kind::kUsage);
}

}  // namespace

PcapsApi::PcapsApi(http::Http& http, system::EventLoop& loop, ApiAccess access)
    : http_(http), loop_(loop), access_(std::move(access)), host_(http::HostOf(access_.base_url)) {}

http::HttpRequest PcapsApi::Request(const char* method, const std::string& path) const {
  return RequestAt(method, "/accounts/" + access_.account_id + "/pcaps" + path);
}

http::HttpRequest PcapsApi::RequestAt(const char* method, const std::string& path) const {
  http::HttpRequest request;
  request.method = method;
  request.url = access_.base_url + path;
  request.max_body = kLargestJson;
  if (!access_.token.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + access_.token);
  } else {
    request.headers.emplace_back("X-Auth-Email", access_.email);
    request.headers.emplace_back("X-Auth-Key", access_.key);
  }
  return request;
}

Result<http::HttpAnswer> PcapsApi::AskOnce(const http::HttpRequest& request, const char* doing,
                                           const Patience& patience) {
  retry_after_.clear();
  auto answer = http::Fetch(http_, loop_, request, patience.stop);
  if (!answer) {
    if (answer.error().kind == Error::Kind::kInterrupted) return answer;
    Error error = answer.error();
    error.what = Format("cannot %s: %s", doing, error.what.c_str());
    return std::unexpected(std::move(error));
  }
  if (const std::string* header = answer->head.Find("retry-after")) retry_after_ = *header;
  return answer;
}

Result<PcapJob> PcapsApi::PostOnce(const PcapRequest& request, const Patience& patience) {
  constexpr const char* kDoing = "start the capture";
  http::HttpRequest post = Request("POST", "");
  post.headers.emplace_back("Content-Type", "application/json");
  post.body = WritePcapRequest(request);
  auto answer = AskOnce(post, kDoing, patience);
  if (!answer) return Failure(answer);
  if (const auto other = WithoutRefusedName(request, *answer)) return PostOnce(*other, patience);
  auto result = ReadEnvelope(*answer, kDoing, host_);
  if (!result) return Failure(result);
  PcapJob job = ReadPcapJob(result->get());
  if (!IsPcapId(job.id)) {
    return Fail(Format("cannot %s: %s answered without a usable capture id", kDoing, host_.c_str()),
                Error::Kind::kPassing);
  }
  return job;
}

Result<std::optional<PcapJob>> PcapsApi::FindLost(const PcapRequest& request,
                                                  const std::vector<PcapJob>& known,
                                                  const Patience& patience) {
  auto jobs = List(patience);
  if (!jobs) return Failure(jobs);
  return FindMade(*jobs, known, request);
}

Result<PcapJob> PcapsApi::Create(const PcapRequest& request, const std::vector<PcapJob>& known,
                                 const Patience& patience) {
  http::Backoff backoff(loop_, patience.retry_budget);
  for (;;) {
    auto job = PostOnce(request, patience);
    if (job || job.error().kind != Error::Kind::kPassing) return job;
    system::Log(system::LogLevel::kWarning, "%s", SentenceOf(job.error()).c_str());
    const std::string retry_after = retry_after_;
    auto found = FindLost(request, known, patience);
    if (found && *found) {
      system::Log(system::LogLevel::kInfo, "found the capture whose answer was lost: %s",
                  (*found)->id.c_str());
      return **found;
    }
    if (!found && found.error().kind == Error::Kind::kInterrupted) {
      return Failure(found);
    }
    // Nothing is repeated unless the list said that nothing was made.
    if (!found) {
      return Fail(ClauseOf(job.error()) + "; it may have been started all the same",
                  "see: cloudflaredump list", Error::Kind::kPassing);
    }
    if (!backoff.WaitForNextTry(retry_after, patience.stop)) {
      if (patience.stop()) return Stopped();
      return job;
    }
  }
}

Result<PcapJob> PcapsApi::Get(const std::string& id, const Patience& patience) {
  constexpr const char* kDoing = "ask for the capture";
  if (auto good = CheckId(id); !good) return Failure(good);
  return Ask<PcapJob>(Request("GET", "/" + id), kDoing, patience,
                      [&](const http::HttpAnswer& answer) -> Result<PcapJob> {
                        auto result = ReadEnvelope(answer, kDoing, host_);
                        if (!result) return Failure(result);
                        PcapJob job = ReadPcapJob(result->get());
                        job.id = id;  // whatever the server says: it becomes part of paths
                        return job;
                      });
}

Result<std::vector<PcapJob>> PcapsApi::List(const Patience& patience) {
  constexpr const char* kDoing = "list the captures";
  using Jobs = std::vector<PcapJob>;
  const auto read = [&](const http::HttpAnswer& answer) -> Result<Jobs> {
    auto result = ReadEnvelope(answer, kDoing, host_);
    if (!result) return Failure(result);
    if (!json_is_array(result->get()) && !json_is_null(result->get())) {
      return Fail(Format("cannot %s: %s answered without a list", kDoing, host_.c_str()),
                  "check the address of the API", Error::Kind::kPassing);
    }
    Jobs jobs;
    for (std::size_t i = 0; i < json_array_size(result->get()); ++i) {
      jobs.push_back(ReadPcapJob(json_array_get(result->get(), i)));
    }
    // RFC 3339 in one zone sorts as time; what cannot be read goes last.
    std::ranges::stable_sort(jobs, [](const PcapJob& a, const PcapJob& b) {
      return a.submitted_at().value_or(WallTime()) > b.submitted_at().value_or(WallTime());
    });
    return jobs;
  };
  return Ask<Jobs>(Request("GET", ""), kDoing, patience, read);
}

Result<PcapsApi::Download> PcapsApi::DownloadSample(const std::string& id,
                                                    const Patience& patience) {
  constexpr const char* kDoing = "download the capture";
  if (auto good = CheckId(id); !good) return Failure(good);
  http::HttpRequest request = Request("GET", "/" + id + "/download");
  request.headers.emplace_back("Accept", "application/vnd.tcpdump.pcap");
  request.max_body = kLargestSample;
  const system::SteadyTime settled = loop_.Steady() + kFileSettles;
  const auto read = [&](const http::HttpAnswer& answer) -> Result<Download> {
    if (answer.head.status == 200) {
      return Download{.bytes = answer.body, .end_is_certain = answer.end.end_is_certain};
    }
    Error error = ErrorOfAnswer(answer, kDoing, host_);
    if (IsNotYet(answer.head.status) && loop_.Steady() < settled) {
      error.kind = Error::Kind::kPassing;
    }
    return std::unexpected(error);
  };
  return Ask<Download>(request, kDoing, patience, read);
}

Result<void> PcapsApi::Stop(const std::string& id, const Patience& patience) {
  constexpr const char* kDoing = "stop the capture";
  if (auto good = CheckId(id); !good) return good;
  return Ask<void>(Request("PUT", "/" + id + "/stop"), kDoing, patience,
                   [&](const http::HttpAnswer& answer) -> Result<void> {
                     if (answer.head.status >= 200 && answer.head.status <= 299) return {};
                     return std::unexpected(ErrorOfAnswer(answer, kDoing, host_));
                   });
}

}  // namespace cloudflaredump::api
