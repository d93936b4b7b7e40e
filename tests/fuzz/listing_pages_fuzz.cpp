// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a store answers when a bucket is listed page by page: each piece of the input up to a byte
// 0xff is an answer, its first byte the status. A listing ends whatever the pages say, and has each
// key once.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <set>

#include "extcap/bucket/destination_conf.h"
#include "extcap/bucket/remote_bucket.h"
#include "tests/unit/environment_table.h"
#include "tests/unit/fake_event_loop.h"
#include "tests/unit/fake_http.h"

using namespace cloudflaredump;

namespace {

/// Ends the run, for the fuzzer to report, if a promise is broken.
void Check(bool holds) {
  if (!holds) std::abort();
}

/// The answers in `text`; the last one refuses, so that pages that never end do.
std::vector<FakeAnswer> AnswersIn(std::string_view text) {
  constexpr std::array kStatuses = {200, 200, 200, 206, 301, 307, 403, 404, 429, 503};
  std::vector<FakeAnswer> answers;
  while (!text.empty()) {
    const std::string_view piece = text.substr(0, text.find('\xff'));
    text.remove_prefix(std::min(text.size(), piece.size() + 1));
    if (piece.empty()) continue;
    answers.push_back({.status = kStatuses[static_cast<unsigned char>(piece[0]) % kStatuses.size()],
                       .body = std::string(piece.substr(1))});
  }
  answers.push_back({.status = 400, .body = "<Error><Code>InvalidRequest</Code></Error>"});
  return answers;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Result<bucket::DestinationConf> conf =
      bucket::ParseReadFrom("s3://pcaps/dir?region=eu-west-3");
  static const EnvironmentTable environment(
      {{"AWS_ACCESS_KEY_ID", "AKIA1"}, {"AWS_SECRET_ACCESS_KEY", "secret1"}});
  FakeEventLoop loop;
  FakeHttp http(loop);
  const std::vector<FakeAnswer> answers = AnswersIn({reinterpret_cast<const char*>(data), size});
  std::size_t asked = 0;
  http.Serve("GET", "*", [&](const http::HttpRequest&) {
    return answers[std::min(asked++, answers.size() - 1)];
  });
  const auto opened = bucket::OpenBucket(*conf, {}, environment.Get(), http, loop);
  Check(opened.has_value());
  const auto objects = (*opened)->List("", [] { return false; });
  Check(asked <= answers.size() && http.active() == 0);
  if (objects) {
    std::set<std::string> keys;
    for (const bucket::StoredObject& object : *objects) Check(keys.insert(object.key).second);
    return 0;
  }
  const std::string said = SentenceOf(objects.error());
  Check(!said.empty() && said.size() < 4000 && !said.contains("secret1"));
  for (const char c : said) Check(static_cast<unsigned char>(c) >= ' ');
  return 0;
}
