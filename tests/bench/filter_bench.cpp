// SPDX-License-Identifier: GPL-2.0-or-later
//
// What planning and testing with a filter costs.
//   filter_bench [FILE of filters, one a line]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "extcap/filter/capture_filter.h"
#include "extcap/filter/compile.h"
#include "extcap/filter/link_type.h"
#include "extcap/filter/plan.h"

namespace cloudflaredump {
namespace {

using Clock = std::chrono::steady_clock;

double MillisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// "what 10.0.0.0 or what 10.0.0.1 or …", `count` of them.
std::string Alternatives(const std::string& what, int count, bool addresses) {
  std::string text;
  for (int i = 0; i < count; ++i) {
    if (i > 0) text += " or ";
    const std::string number = std::to_string(addresses ? i % 256 : 1000 + 7 * i);
    text += what + " " + (addresses ? "10.0." + std::to_string(i / 256) + "." : "") + number;
  }
  return "(" + text + ")";
}

void MeasureLarge(const char* name, const std::string& text) {
  const auto start = Clock::now();
  const auto filter = filter::CaptureFilter::Compile(text, filter::NameLookup::kRefuse,
                                                     filter::CompileBounds{.limits = {}});
  const double compile = MillisecondsSince(start);
  if (!filter) {
    std::printf("%-44s %s\n", name, SentenceOf(filter.error()).c_str());
    return;
  }
  std::printf("%-44s %5u instructions, compiled in %7.1f ms, planned in", name,
              filter->program()->bf_len, compile);
  for (const int n : {1, 2, 4}) {
    double best = 1e9;
    std::size_t requests = 0;
    for (int round = 0; round < 3; ++round) {
      const auto planning = Clock::now();
      requests = filter::MakePlan(*filter, {.max_requests = n}).requests.size();
      best = std::min(best, MillisecondsSince(planning));
    }
    std::printf(" %5.1f ms (N=%d: %zu)", best, n, requests);
  }
  std::printf("\n");
}

void MeasureFile(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::string slowest;
  double most = 0;
  double all = 0;
  int planned = 0;
  int refused = 0;
  while (std::getline(file, line)) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto start = Clock::now();
    const auto filter = filter::CaptureFilter::Compile(line, filter::NameLookup::kRefuse,
                                                       filter::CompileBounds{.limits = {}});
    if (filter) filter::MakePlan(*filter, {.max_requests = 4});
    const double took = MillisecondsSince(start);
    (filter ? planned : refused)++;
    all += took;
    if (took > most) slowest = line;
    most = std::max(most, took);
  }
  std::printf("%s: %d planned, %d refused; mean %.3f ms, slowest %.3f ms (%s)\n", path, planned,
              refused, all / std::max(1, planned + refused), most, slowest.c_str());
}

void MeasureResidual(const char* text, std::size_t captured) {
  std::vector<std::byte> packet(1014);
  packet[12] = std::byte{0x08};
  packet[14] = std::byte{0x45};
  packet[23] = std::byte{6};
  packet[46] = std::byte{0x50};
  const auto filter = filter::CaptureFilter::Compile(text, filter::NameLookup::kRefuse,
                                                     filter::CompileBounds{.limits = {}});
  const auto residual = filter::Residual::Make(*filter, filter::kLinkTypeEthernet);
  const int count = 1'000'000;
  int matched = 0;
  int undecided = 0;
  const auto start = Clock::now();
  for (int i = 0; i < count; ++i) {
    packet[37] = static_cast<std::byte>(i);
    const auto answer = residual->Test(std::span(packet).first(captured), 1014);
    matched += answer == filter::FilterAnswer::kMatches ? 1 : 0;
    undecided += answer == filter::FilterAnswer::kUndecided ? 1 : 0;
  }
  const double took = MillisecondsSince(start);
  std::printf(
      "residual \"%s\", %zu of 1014 bytes: %.1f million packets/s (%d match, %d undecided)\n", text,
      captured, count / took / 1000, matched, undecided);
}

void Main(int count, char** arguments) {
  MeasureLarge("200 hosts x 50 ports",
               Alternatives("host", 200, true) + " and " + Alternatives("port", 50, false));
  MeasureLarge(
      "200 dst hosts x 50 tcp dst ports",
      Alternatives("dst host", 200, true) + " and tcp and " + Alternatives("dst port", 50, false));
  MeasureLarge(
      "200 dst hosts x 50 udp ports",
      Alternatives("dst host", 200, true) + " and udp and " + Alternatives("port", 50, false));
  MeasureLarge("50 ports x 200 hosts",
               Alternatives("port", 50, false) + " and " + Alternatives("host", 200, true));
  MeasureLarge("1000 hosts", Alternatives("host", 1000, true));
  MeasureLarge("100 ports", Alternatives("port", 100, false));
  MeasureLarge("40 nets, not 40 of their hosts", Alternatives("src net", 40, true) + " and not " +
                                                     Alternatives("dst host", 40, true));
  if (count > 1) MeasureFile(arguments[1]);
  for (const std::size_t captured : {1014, 160, 50}) {
    MeasureResidual("host 10.0.0.1 or tcp port 443", captured);
  }
  MeasureResidual("tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420", 160);
  MeasureResidual("tcp[200] = 5 or udp", 160);
}

}  // namespace
}  // namespace cloudflaredump

int main(int count, char** arguments) {
  cloudflaredump::filter::ForbidNameLookup();
  cloudflaredump::Main(count, arguments);
  return 0;
}
