// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "extcap/api/pcaps_api.h"
#include "tests/unit/fake_event_loop.h"
#include "tests/unit/fake_http.h"
#include "tests/unit/results.h"

namespace cloudflaredump {

inline constexpr const char* kTestToken = "cfut_planted0123456789planted";
inline constexpr const char* kTestId = "66802ca5668e47a2b82c2e6746e45037";
inline constexpr const char* kOtherId = "00000000000000000000000000000001";

/// A success's envelope around the JSON `result`.
inline std::string Envelope(const std::string& result) {
  return R"({"success":true,"errors":[],"messages":[],"result":)" + result + "}";
}

/// A failure's envelope.
inline std::string Refusal(const std::string& code, const std::string& message) {
  return R"({"success":false,"errors":[{"code":)" + code + R"(,"message":")" + message +
         R"("}],"messages":[],"result":null})";
}

/// A sample as the API tells it; `more` are further members, each with a comma before it.
inline std::string JobJson(const std::string& id, const std::string& status,
                           const std::string& more = "") {
  return R"({"id":")" + id + R"(","type":"simple","system":"magic-transit","status":")" + status +
         R"(","submitted":"2026-11-23T06:19:59.5Z")" + more + "}";
}

/// JSON texts as a JSON array.
inline std::string JsonArray(const std::vector<std::string>& members) {
  std::string array;
  for (const std::string& member : members) array += (array.empty() ? "" : ",") + member;
  return "[" + array + "]";
}

inline FakeAnswer Ok(const std::string& result) {
  return {.body = Envelope(result)};
}

/// The connection breaks before an answer.
inline FakeAnswer Lost() {
  return {.fault = Error{.what = "the connection was reset", .kind = Error::Kind::kPassing}};
}

/// PcapsApi on an HTTP and a clock of the test's own.
struct ApiFixture {
  FakeEventLoop loop;
  FakeHttp http{loop};
  const std::string pcaps = "https://api.example/client/v4/accounts/acc123/pcaps";
  api::PcapsApi api{http,
                    loop,
                    {.base_url = "https://api.example/client/v4",
                     .account_id = "acc123",
                     .token = kTestToken,
                     .email = {},
                     .key = {}}};
  bool stopped = false;

  api::Patience ForSeconds(int seconds) {
    return {.retry_budget = std::chrono::seconds(seconds), .stop = [this] { return stopped; }};
  }

  /// The requests so far: "GET POST GET".
  std::string Methods() const {
    std::string methods;
    for (const http::HttpRequest& request : http.requests) {
      methods += (methods.empty() ? "" : " ") + request.method;
    }
    return methods;
  }

  long CountOf(const std::string& method) const {
    return std::ranges::count(http.requests, method, &http::HttpRequest::method);
  }

  /// Whole seconds since the test began.
  long Elapsed() const {
    return static_cast<long>(
        std::chrono::floor<std::chrono::seconds>(loop.Steady().time_since_epoch()).count());
  }
};

}  // namespace cloudflaredump
