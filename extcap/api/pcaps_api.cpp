// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/api/pcaps_api.h"

#include <jansson.h>

#include <algorithm>

#include "common/text.h"
#include "extcap/api/answer_log.h"
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

/// How long the list may lag behind a POST that was carried out.
constexpr Duration kListLags = 15s;

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
  return Fail(Format("\"%s\" is not the ID of a capture", CleanLine(id, 60).c_str()),
              "an ID has 32 hexadecimal characters, as `cloudflaredump list` shows",
              Error::Kind::kUsage);
}

}  // namespace

Headers AuthorizationOf(const ApiAccess& access) {
  if (!access.token.empty()) return {{"Authorization", "Bearer " + access.token}};
  return {{"X-Auth-Email", access.email}, {"X-Auth-Key", access.key}};
}

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
  request.headers = AuthorizationOf(access_);
  return request;
}

Result<http::HttpAnswer> PcapsApi::AskOnce(const http::HttpRequest& request, const char* doing,
                                           const Patience& patience) {
  retry_after_.clear();
  status_ = 0;
  LogBody("asked:", request.body);
  auto answer = http::Fetch(http_, loop_, request, patience.stop, &status_);
  if (!answer) {
    if (answer.error().kind == Error::Kind::kInterrupted) return answer;
    Error error = answer.error();
    error.what = Format("cannot %s: %s", doing, error.what.c_str());
    return std::unexpected(std::move(error));
  }
  LogBody("answered:", answer->body);
  if (const std::string* header = answer->head.Find("retry-after")) retry_after_ = *header;
  return answer;
}

Result<Json> PcapsApi::ReadResult(const http::HttpAnswer& answer, const char* doing) {
  std::vector<std::string> messages;
  auto result = ReadEnvelope(answer, doing, host_, &messages);
  for (const std::string& message : messages) {
    if (on_message_ && messages_.insert(message).second) on_message_(message);
  }
  return result;
}

void PcapsApi::BlameClock(const http::HttpAnswer& answer, Error& error) const {
  const std::string* const header = answer.head.Find("date");
  const auto date = header == nullptr ? std::nullopt : http::ParseHttpDate(*header);
  if (answer.head.status != 400 || !date) return;
  const Duration ahead = loop_.Now() - *date;
  constexpr Duration kTolerable = 60s;
  if (ahead < kTolerable && -ahead < kTolerable) return;
  error.remedy = Format("the clock of this machine is %s %s; set it right",
                        FormatSpan(ahead < Duration(0) ? -ahead : ahead).c_str(),
                        ahead < Duration(0) ? "slow" : "fast");
}

Result<PcapJob> PcapsApi::PostOnce(const PcapRequest& request, const Patience& patience,
                                   bool& made) {
  constexpr const char* kDoing = "start the capture";
  http::HttpRequest post = Request("POST", "");
  post.headers.emplace_back("Content-Type", "application/json");
  post.body = WritePcapRequest(request);
  auto answer = AskOnce(post, kDoing, patience);
  const bool carried_out = status_ >= 200 && status_ <= 299;
  if (!answer) {
    made = carried_out && answer.error().kind == Error::Kind::kFinal;
    return Failure(answer);
  }
  if (const auto other = WithoutRefusedName(request, *answer)) {
    return PostOnce(*other, patience, made);
  }
  auto result = ReadResult(*answer, kDoing);
  if (!result) {
    BlameClock(*answer, result.error());
    made = carried_out && result.error().kind == Error::Kind::kFinal && !IsRefusal(*answer);
    return Failure(result);
  }
  PcapJob job = ReadPcapJob(result->get());
  if (IsPcapId(job.id)) return job;
  made = true;
  return Fail(Format("cannot %s: %s answered without a usable capture ID", kDoing, host_.c_str()));
}

Result<std::optional<PcapJob>> PcapsApi::FindLost(const PcapRequest& request,
                                                  const std::vector<PcapJob>& known,
                                                  const Patience& patience, Duration lag) {
  const system::SteadyTime until = loop_.Steady() + lag;
  for (;;) {
    auto jobs = List(patience);
    if (!jobs) return Failure(jobs);
    auto found = FindMade(*jobs, known, request);
    if (found || loop_.Steady() >= until) return found;
    constexpr Duration kPause = 3s;
    if (loop_.RunUntil(patience.stop, loop_.Steady() + kPause)) return Stopped();
  }
}

Result<PcapJob> PcapsApi::Create(const PcapRequest& request, const std::vector<PcapJob>& known,
                                 const Patience& patience) {
  http::Backoff backoff(loop_, patience.retry_budget + 2 * kListLags);
  bool lost = false;  // a try may have made it, and nobody knows
  for (;;) {
    bool made = false;
    auto job = PostOnce(request, patience, made);
    if (job || (job.error().kind != Error::Kind::kPassing && !made)) return job;
    system::Log(system::LogLevel::kWarning, "%s", SentenceOf(job.error()).c_str());
    const std::string retry_after = retry_after_;
    // A limit is looked at before anything is made.
    const bool not_made = status_ == 429 || status_ == 425;
    lost = lost || !not_made;
    // Another's request may be like ours: it is taken for ours only where ours may have been made.
    auto found = lost ? FindLost(request, known, patience, not_made ? Duration(0) : kListLags)
                      : Result<std::optional<PcapJob>>(std::nullopt);
    if (found && *found) {
      system::Log(system::LogLevel::kInfo, "found the capture whose answer was lost: %s",
                  (*found)->id.c_str());
      return **found;
    }
    if (!found && found.error().kind == Error::Kind::kInterrupted) return Failure(found);
    // Nothing is repeated unless the list said that nothing was made.
    if (!found || made) {
      return Fail(ClauseOf(job.error()) + "; it may have been started all the same",
                  "see: cloudflaredump list", Error::Kind::kPassing);
    }
    if (!backoff.WaitForNextTry(retry_after, patience.stop, patience.countdown)) {
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
                        auto result = ReadResult(answer, kDoing);
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
    auto result = ReadResult(answer, kDoing);
    if (!result) return Failure(result);
    if (!json_is_array(result->get()) && !json_is_null(result->get())) {
      return Fail(Format("cannot %s: %s answered without a list", kDoing, host_.c_str()),
                  "check the address of the API", Error::Kind::kPassing);
    }
    constexpr std::size_t kMostJobs = 1000;  // the API lists 50
    if (json_array_size(result->get()) > kMostJobs) {
      return Fail(Format("cannot %s: %s answered with a list of more than %zu captures", kDoing,
                         host_.c_str(), kMostJobs),
                  "check the address of the API");
    }
    Jobs jobs;
    for (std::size_t i = 0; i < json_array_size(result->get()); ++i) {
      const json_t* const job = json_array_get(result->get(), i);
      if (json_is_object(job)) jobs.push_back(ReadPcapJob(job));
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
  Patience settling = patience;
  settling.fresh_until = std::max(settling.fresh_until, loop_.Steady() + kFileSettles);
  const auto read = [&](const http::HttpAnswer& answer) -> Result<Download> {
    if (answer.head.status != 200 || IsRefusal(answer)) {
      return std::unexpected(ErrorOfAnswer(answer, kDoing, host_));
    }
    return Download{.bytes = answer.body, .end_is_certain = answer.end.end_is_certain};
  };
  return Ask<Download>(request, kDoing, settling, read);
}

Result<void> PcapsApi::Stop(const std::string& id, const Patience& patience) {
  constexpr const char* kDoing = "stop the capture";
  if (auto good = CheckId(id); !good) return good;
  auto stopped = Ask<void>(Request("PUT", "/" + id + "/stop"), kDoing, patience,
                           [&](const http::HttpAnswer& answer) -> Result<void> {
                             const int status = answer.head.status;
                             if (status >= 200 && status <= 299 && !IsRefusal(answer)) return {};
                             return std::unexpected(ErrorOfAnswer(answer, kDoing, host_));
                           });
  if (stopped || (status_ != 400 && status_ != 409)) return stopped;
  // A stop whose answer was lost is refused when it is tried again, for the capture is over.
  const auto job = Get(id, patience);
  return job && job->phase() != JobPhase::kGoing ? Result<void>() : stopped;
}

}  // namespace cloudflaredump::api
