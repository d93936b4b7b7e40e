// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <jansson.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "extcap/api/api_answer.h"
#include "extcap/capture/sample_capture.h"
#include "tests/unit/capture_fixture.h"
#include "tests/unit/pcap_bytes.h"
#include "tests/unit/udp_packet.h"

namespace cloudflaredump {

/// Cloudflare's side of samples: takes every request, has it done after `takes`, and serves files.
class FakeSamples {
 public:
  struct Sample {
    std::string id;
    std::string body;  ///< of the POST
    system::SteadyTime posted;
  };

  explicit FakeSamples(ApiFixture& fixture) : f_(fixture) {
    f_.http.Serve("POST", "*/pcaps", [this](const http::HttpRequest& request) {
      samples.push_back({.id = Format("%032zu", samples.size() + 1),
                         .body = request.body,
                         .posted = f_.loop.Steady()});
      return Ok(Tell(samples.back()));
    });
    f_.http.Serve("GET", "*/pcaps", [this](const http::HttpRequest&) {
      std::vector<std::string> jobs = others;
      for (const Sample& sample : samples) jobs.push_back(Tell(sample));
      return Ok(JsonArray(jobs));
    });
    f_.http.Serve("GET", "*/pcaps/*",
                  [this](const http::HttpRequest& request) { return Ok(Tell(Find(request.url))); });
    f_.http.Serve("GET", "*/download", [this](const http::HttpRequest& request) {
      const auto number = static_cast<std::size_t>(&Find(request.url) - samples.data());
      return files.at(std::min(number, files.size() - 1));
    });
  }

  /// The n-th sample's member `key` as its POST said it: a text, or compact JSON.
  std::string Asked(std::size_t n, const char* key) const {
    const Json body(json_loads(samples.at(n).body.c_str(), 0, nullptr));
    const json_t* const member = json_object_get(body.get(), key);
    if (member == nullptr) return "(none)";
    if (json_is_string(member)) return json_string_value(member);
    char* const raw = json_dumps(member, JSON_COMPACT | JSON_ENCODE_ANY);
    std::string text = raw;
    free(raw);
    return text;
  }

  /// Answers to the downloads, in the order of the requests; the last again and again.
  std::vector<FakeAnswer> files;
  /// What else the list holds, as JSON.
  std::vector<std::string> others;
  Duration takes = std::chrono::seconds(4);
  std::vector<Sample> samples;

 private:
  Sample& Find(const std::string& url) {
    for (Sample& sample : samples) {
      if (url.find("/" + sample.id) != std::string::npos) return sample;
    }
    fail_msg("%s was asked for", url.c_str());
    return samples.front();
  }

  /// The request, with what Cloudflare adds to it.
  std::string Tell(const Sample& sample) const {
    const Json job(json_loads(sample.body.c_str(), 0, nullptr));
    const auto put = [&](const char* key, const std::string& value) {
      json_object_set_new(job.get(), key, json_string(value.c_str()));
    };
    put("id", sample.id);
    put("status", f_.loop.Steady() - sample.posted < takes ? "pending" : "success");
    put("submitted", FormatRfc3339(f_.loop.wall_start + (sample.posted - system::SteadyTime())));
    char* const raw = json_dumps(job.get(), JSON_COMPACT);
    std::string text = raw;
    free(raw);
    return text;
  }

  ApiFixture& f_;
};

/// The fake clock's start, 2026-11-23T06:20:00Z, and the start of the default window.
inline constexpr std::uint32_t kNowSeconds = 1795414800;
inline constexpr std::uint32_t kWindowSeconds = kNowSeconds - 300;

/// A sample capture with Cloudflare, clock, sink and reporter of the test's own.
struct SampleFixture : CaptureFixture {
  capture::Outcome Run(const config::OptionValues& given, const char* filter_text) {
    return With("cloudflare-sample", given, filter_text,
                [](const capture::CaptureContext& context) {
                  return capture::SampleCapture(context).Run();
                });
  }

  FakeSamples cloudflare{*this};
};

inline FakeAnswer File(const PcapBytes& pcap) {
  return {.body = ToText(pcap.bytes())};
}

}  // namespace cloudflaredump
