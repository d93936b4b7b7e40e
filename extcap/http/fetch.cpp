// SPDX-License-Identifier: GPL-2.0-or-later
#include "common/time.h"
#include "extcap/http/http.h"

namespace cloudflaredump::http {
namespace {

using namespace std::chrono_literals;

/// How long a whole answer may take: a minute, and a second for each 64 KiB that it may have.
Duration LongestAnswer(const HttpRequest& request) {
  constexpr std::size_t kEachSecond = std::size_t{64} << 10;
  return 60s + std::chrono::seconds(request.max_body / kEachSecond);
}

/// Gathers one answer in memory.
class Gatherer : public HttpReceiver {
 public:
  void OnHead(const HttpHead& head) override { answer_.head = head; }

  Result<void> OnBody(std::span<const std::byte> bytes) override {
    answer_.body.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }

  void OnEnd(Result<HttpEnd> end) override { end_ = std::move(end); }

  bool ended() const { return end_.has_value(); }
  int status() const { return answer_.head.status; }

  Result<HttpAnswer> Take() {
    if (!*end_) return std::unexpected(std::move(end_->error()));
    answer_.end = **end_;
    return std::move(answer_);
  }

 private:
  HttpAnswer answer_;
  std::optional<Result<HttpEnd>> end_;
};

}  // namespace

Result<HttpAnswer> Fetch(Http& http, system::EventLoop& loop, HttpRequest request,
                         const std::function<bool()>& stop, int* status) {
  if (stop()) return Stopped();
  Gatherer gatherer;
  const Duration longest = LongestAnswer(request);
  const std::string host = HostOf(request.url);
  const Http::Transfer transfer = http.Start(std::move(request), gatherer);
  const auto over = [&] { return gatherer.ended() || stop(); };
  // The transfer's own limits end one that stalls; this one ends what trickles, and would again.
  const bool in_time = loop.RunUntil(over, loop.Steady() + longest);
  if (status != nullptr) *status = gatherer.status();
  if (gatherer.ended()) return gatherer.Take();
  http.Cancel(transfer);
  if (in_time) return Stopped();
  return Fail(host + " did not finish its answer within " + FormatSpan(longest));
}

}  // namespace cloudflaredump::http
