// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <glib.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>

#include "common/text.h"
#include "extcap/http/http.h"

namespace cloudflaredump {

/// What FakeHttp answers to one request.
struct FakeAnswer {
  int status = 200;
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< Names in lower case.
  bool end_is_certain = true;
  /// Before the head, and between pieces of the body of at most `piece` bytes.
  Duration delay{0};
  Duration gap{0};
  std::size_t piece = std::string::npos;
  /// After so many bytes of the body: the connection breaks (kPassing), or nothing comes any
  /// more until the request's stall limit.
  std::optional<std::size_t> cut_at = {};
  std::optional<std::size_t> stall_at = {};
  /// Instead of any answer.
  std::optional<Error> fault = {};
};

/// Http in memory, on the clock of an EventLoop (a FakeEventLoop in most tests): scripted answers,
/// recorded requests. A request that nothing was scripted for fails with an Error that names it.
class FakeHttp final : public http::Http {
 public:
  using Handler = std::function<FakeAnswer(const http::HttpRequest&)>;

  explicit FakeHttp(system::EventLoop& loop) : loop_(loop) {}
  ~FakeHttp() override {
    while (!active_.empty()) Cancel(active_.begin()->first);
  }

  /// Answers requests of `method` whose URL matches `pattern` (`*` and `?` as in a shell). Answers
  /// to the same pattern are used one after the other, and the last one again and again. Patterns
  /// given later are looked at first.
  void Answer(const std::string& method, const std::string& pattern, FakeAnswer answer) {
    Script& script = Find(method, pattern);
    script.answers.push_back(std::move(answer));
  }

  /// Lets `handler` make the answers.
  void Serve(const std::string& method, const std::string& pattern, Handler handler) {
    Find(method, pattern).handler = std::move(handler);
  }

  Transfer Start(http::HttpRequest request, http::HttpReceiver& receiver) override {
    requests.push_back(request);
    const Transfer id = ++last_;
    Active& active = active_[id];
    active.receiver = &receiver;
    active.stall_timeout = request.stall_timeout;
    active.max_body = request.max_body;
    active.answer = MakeAnswer(request);
    most_at_once = std::max(most_at_once, active_.size());
    Schedule(id, active.answer.delay);
    return id;
  }

  void Cancel(Transfer transfer) override {
    const auto found = active_.find(transfer);
    if (found == active_.end()) return;
    loop_.Cancel(found->second.timer);
    active_.erase(found);
    ++cancelled;
  }

  std::size_t active() const { return active_.size(); }

  std::vector<http::HttpRequest> requests;
  std::size_t most_at_once = 0;
  std::size_t cancelled = 0;

 private:
  struct Script {
    std::string method;
    std::string pattern;
    std::deque<FakeAnswer> answers;
    Handler handler;
  };

  struct Active {
    http::HttpReceiver* receiver = nullptr;
    FakeAnswer answer;
    Duration stall_timeout{0};
    std::size_t max_body = 0;
    bool head_sent = false;
    std::size_t sent = 0;
    system::EventLoop::Id timer = 0;
  };

  Script& Find(const std::string& method, const std::string& pattern) {
    for (Script& script : scripts_) {
      if (script.method == method && script.pattern == pattern) return script;
    }
    scripts_.push_front({.method = method, .pattern = pattern, .answers = {}, .handler = {}});
    return scripts_.front();
  }

  FakeAnswer MakeAnswer(const http::HttpRequest& request) {
    for (Script& script : scripts_) {
      if (script.method != request.method ||
          !g_pattern_match_simple(script.pattern.c_str(), request.url.c_str())) {
        continue;
      }
      if (script.handler) return script.handler(request);
      FakeAnswer answer = script.answers.front();
      if (script.answers.size() > 1) script.answers.pop_front();
      return answer;
    }
    return {.fault =
                Error{.what = "no answer was scripted for " + request.method + " " + request.url,
                      .kind = Error::Kind::kFinal}};
  }

  void Schedule(Transfer id, Duration wait) {
    active_[id].timer = loop_.CallAt(loop_.Steady() + wait, [this, id] { Step(id); });
  }

  void End(Transfer id, Result<http::HttpEnd> end) {
    http::HttpReceiver* const receiver = active_[id].receiver;
    active_.erase(id);
    receiver->OnEnd(std::move(end));
  }

  /// One thing happens: the head, a piece of the body, or the end.
  void Step(Transfer id) {
    Active& active = active_[id];
    active.timer = 0;
    const FakeAnswer& answer = active.answer;
    if (answer.fault) return End(id, std::unexpected(*answer.fault));
    if (!active.head_sent) {
      active.head_sent = true;
      active.receiver->OnHead({.status = answer.status, .headers = answer.headers});
      if (active_.contains(id)) Schedule(id, Duration(0));
      return;
    }
    const std::size_t last = std::min(
        {answer.body.size(), answer.cut_at.value_or(SIZE_MAX), answer.stall_at.value_or(SIZE_MAX)});
    if (active.sent < last) {
      SendPiece(id, active, last);
      return;
    }
    if (answer.cut_at && active.sent == *answer.cut_at) {
      return End(id, Fail("the answer was cut short: connection reset", Error::Kind::kPassing));
    }
    if (answer.stall_at && active.sent == *answer.stall_at) return Stall(id);
    End(id, http::HttpEnd{.end_is_certain = answer.end_is_certain});
  }

  void SendPiece(Transfer id, Active& active, std::size_t last) {
    const std::size_t size = std::min(active.answer.piece, last - active.sent);
    if (active.sent + size > active.max_body) return End(id, Fail("the answer is too large"));
    const std::string piece = active.answer.body.substr(active.sent, size);
    active.sent += size;
    const Duration gap = active.answer.gap;
    const Result<void> taken =
        active.receiver->OnBody(std::as_bytes(std::span(piece.data(), piece.size())));
    if (!active_.contains(id)) return;  // cancelled by its receiver
    if (!taken) return End(id, Failure(taken));
    Schedule(id, gap);
  }

  void Stall(Transfer id) {
    Active& active = active_[id];
    active.answer.stall_at.reset();
    active.answer.fault =
        Error{.what = "the server sent nothing for " + FormatSpan(active.stall_timeout),
              .kind = Error::Kind::kPassing};
    Schedule(id, active.stall_timeout);
  }

  system::EventLoop& loop_;
  std::deque<Script> scripts_;
  std::map<Transfer, Active> active_;
  Transfer last_ = 0;
};

}  // namespace cloudflaredump
