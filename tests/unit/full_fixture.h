// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "extcap/capture/full_capture.h"
#include "tests/unit/capture_fixture.h"
#include "tests/unit/pcap_bytes.h"
#include "tests/unit/udp_packet.h"

namespace cloudflaredump {

/// Cloudflare's side of full captures: takes one request, captures until its time limit or a stop,
/// builds its files for a while and then writes them into a folder.
class FakeFull {
 public:
  explicit FakeFull(ApiFixture& fixture, std::string bucket)
      : f_(fixture), bucket_(std::move(bucket)) {
    f_.http.Serve("POST", "*/pcaps", [this](const http::HttpRequest& request) {
      bodies.push_back(request.body);
      if (refusal) return *refusal;
      Begin();
      if (lose_answer) return Lost();
      return Ok(Tell());
    });
    f_.http.Serve("GET", "*/pcaps", [this](const http::HttpRequest&) {
      std::vector<std::string> jobs = others;
      if (posted_) jobs.push_back(Tell());
      return Ok(JsonArray(jobs));
    });
    f_.http.Serve("GET", "*/pcaps/" + std::string(kTestId),
                  [this](const http::HttpRequest&) { return Ok(Tell()); });
    f_.http.Serve("PUT", "*/stop", [this](const http::HttpRequest& request) {
      stops.push_back(request.url);
      if (stop_answer) return *stop_answer;
      stopped_ = f_.loop.Steady();
      return FakeAnswer{.status = 204};
    });
    f_.http.Answer("GET", "*/ownership", Ok("[]"));
  }

  /// The capture begins now.
  void Begin() { posted_ = f_.loop.Steady(); }

  /// The capture's state now.
  std::string Status() {
    const system::SteadyTime end = stopped_.value_or(*posted_ + time_limit);
    if (f_.loop.Steady() < end) return "running";
    if (f_.loop.Steady() < end + building) return "conversion_running";
    WriteFiles();
    return "success";
  }

  std::string Tell() {
    const std::string status = Status();
    std::string more = Format(
        R"(,"type":"full","time_limit":%lld,"packet_limit":10000,"colo_name":"ORD","filter_v1":{})",
        static_cast<long long>(std::chrono::floor<std::chrono::seconds>(time_limit).count()));
    if (status == "success" && packets_captured) {
      more += R"(,"packets_captured":)" + std::to_string(*packets_captured);
    }
    return R"({"id":")" + std::string(kTestId) + R"(","system":"magic-transit","status":")" +
           status + R"(","submitted":")" +
           FormatRfc3339(f_.loop.wall_start + (*posted_ - system::SteadyTime())) + "\"" + more +
           "}";
  }

  std::vector<std::string> bodies;  ///< of the POSTs
  std::vector<std::string> stops;   ///< the URLs of the PUTs
  std::vector<std::string> others;  ///< what else the list holds, as JSON
  std::map<std::string, Bytes> files;
  std::optional<std::uint64_t> packets_captured;
  std::optional<FakeAnswer> refusal;
  std::optional<FakeAnswer> stop_answer;
  bool lose_answer = false;
  Duration time_limit = std::chrono::seconds(60);
  Duration building = std::chrono::seconds(10);

 private:
  void WriteFiles() {
    for (const auto& [name, bytes] : files) {
      std::ofstream(bucket_ + "/" + name, std::ios::binary) << ToText(bytes);
    }
  }

  ApiFixture& f_;
  const std::string bucket_;
  std::optional<system::SteadyTime> posted_;
  std::optional<system::SteadyTime> stopped_;
};

/// A full capture into a folder, with all around it the test's own.
struct FullFixture : CaptureFixture {
  FullFixture() { std::filesystem::create_directory(bucket); }

  capture::Outcome Run(const char* filter_text = "", config::OptionValues given = {},
                       const char* interface = "cloudflare-ORD") {
    given[static_cast<std::size_t>(config::Opt::kDestinationConf)] = "file://" + bucket;
    return With(interface, given, filter_text, [](const capture::CaptureContext& context) {
      return capture::FullCapture(context).Run();
    });
  }

  /// Asks for a stop so many seconds from now.
  void StopAfter(int seconds) {
    loop.CallAt(loop.Steady() + std::chrono::seconds(seconds), [this] { stop.Request(); });
  }
  void LeaveAfter(int seconds) {
    loop.CallAt(loop.Steady() + std::chrono::seconds(seconds), [this] { stop.Leave(); });
  }

  static std::string Named(const std::string& rest) {
    return "pcap_" + std::string(kTestId) + rest + ".pcap";
  }

  const std::string bucket = folder / "bucket";
  FakeFull cloudflare{*this, bucket};
};

/// A full capture of somebody else that is running.
inline std::string OthersJob(const std::string& id, const std::string& more = "") {
  return R"({"id":")" + id +
         R"(","type":"full","system":"magic-transit","status":"running",)"
         R"("submitted":"2026-11-23T06:19:30Z","time_limit":60,"colo_name":"FRA","filter_v1":{})" +
         more + "}";
}

}  // namespace cloudflaredump
