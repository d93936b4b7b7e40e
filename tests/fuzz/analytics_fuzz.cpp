// SPDX-License-Identifier: GPL-2.0-or-later
//
// Whatever Cloudflare's analytics answer: the first byte chooses the status, the rest is the body,
// once as an account's bounds, once as the rows of two queries.
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdlib>

#include "extcap/api/analytics.h"
#include "tests/unit/fake_event_loop.h"
#include "tests/unit/fake_http.h"

using namespace cloudflaredump;

namespace {

/// Ends the run, for the fuzzer to report, if a promise is broken.
void Check(bool holds) {
  if (!holds) std::abort();
}

template <class T>
void CheckSentence(const Result<T>& result) {
  if (result) return;
  const std::string said = SentenceOf(result.error());
  Check(!said.empty() && said.size() < 4000);
  for (const char c : said) Check(static_cast<unsigned char>(c) >= ' ' && c != '{' && c != '}');
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  constexpr std::array kStatuses = {200, 200, 200, 400, 401, 403, 429, 500};
  FakeEventLoop loop;
  FakeHttp http(loop);
  http.Answer("POST", "*",
              {.status = kStatuses[data[0] % kStatuses.size()],
               .body = std::string(reinterpret_cast<const char*>(data) + 1, size - 1)});
  const auto stop = [] { return false; };
  api::AnalyticsApi analytics(http, loop,
                              {.base_url = "https://api.example/client/v4",
                               .account_id = "acc123",
                               .token = "token",
                               .email = {},
                               .key = {}});
  const api::Patience patience{.retry_budget = Duration(0), .stop = stop};
  CheckSentence(analytics.Bounds(patience));
  const api::TrafficQuery query{.start = loop.Now() - std::chrono::hours(1), .end = loop.Now()};
  const auto answers = analytics.Traffic({query, query}, true, patience);
  CheckSentence(answers);
  if (!answers) return 0;
  Check(answers->size() == 2);
  for (const auto& rows : *answers) {
    for (const api::TrafficRow& row : rows) {
      Check(std::isfinite(row.packets) && row.packets >= 0 && row.sample_interval >= 0);
    }
  }
  return 0;
}
