// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/http/http.h"

namespace cloudflaredump::http {
namespace {

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
                         const std::function<bool()>& stop) {
  if (stop()) return Stopped();
  Gatherer gatherer;
  const Http::Transfer transfer = http.Start(std::move(request), gatherer);
  const auto over = [&] { return gatherer.ended() || stop(); };
  // No limit of our own: the transfer's connect and stall limits end it.
  while (!loop.RunUntil(over, loop.Steady() + std::chrono::hours(1))) {
  }
  if (gatherer.ended()) return gatherer.Take();
  http.Cancel(transfer);
  return Stopped();
}

}  // namespace cloudflaredump::http
