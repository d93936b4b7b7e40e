// SPDX-License-Identifier: GPL-2.0-or-later
//
// The input is a capture filter. Whatever libpcap takes is planned and tested with packets, against
// libpcap's own word on them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "extcap/capture/explain.h"
#include "extcap/filter/capture_filter.h"
#include "extcap/filter/compile.h"
#include "extcap/filter/link_type.h"
#include "tests/property/filter_case.h"

namespace cloudflaredump {
namespace {

/// libpcap takes longer than it is worth for more.
constexpr std::size_t kLongest = 300;

std::uint64_t SeedOf(const std::string& text) {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

/// A filter about link-layer headers meets bytes of any kind.
void TestLinkLayer(const filter::CaptureFilter& filter, std::uint64_t seed) {
  for (const std::uint32_t link_type :
       {filter::kLinkTypeEthernet, filter::kLinkTypeLinuxSll, filter::kLinkTypeNflog}) {
    const auto residual = filter::Residual::Make(filter, link_type);
    if (!residual) continue;
    Random random(seed);
    std::vector<std::byte> packet(Below(random, 100));
    for (std::byte& byte : packet) byte = static_cast<std::byte>(random());
    const auto size = static_cast<std::uint32_t>(packet.size());
    residual->Test(packet, size);
    residual->Test(packet, size + 50);
  }
}

void Try(const std::string& text) {
  const std::uint64_t seed = SeedOf(text);
  // The dialog's answer is not stricter than the capture's.
  const bool accepted = filter::CaptureFilter::Compile(text, filter::NameLookup::kAccept,
                                                       filter::CompileBounds{.limits = {}})
                            .has_value();
  auto filter = filter::CaptureFilter::Compile(text, filter::NameLookup::kRefuse,
                                               filter::CompileBounds{.limits = {}});
  if (!filter) return;
  if (!accepted) std::abort();
  if (capture::ExplainJson(text, filter::MakePlan(*filter, {})).empty()) std::abort();
  if (filter->kind() == filter::CaptureFilter::Kind::kLinkLayer) TestLinkLayer(*filter, seed);
  if (filter->kind() != filter::CaptureFilter::Kind::kIp) return;
  FilterTotals totals;
  FilterCase(seed, "this input", std::move(*filter), totals).Search(60);
  if (totals.violations > 0) std::abort();
}

}  // namespace
}  // namespace cloudflaredump

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  cloudflaredump::filter::ForbidNameLookup();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > cloudflaredump::kLongest) return 0;
  cloudflaredump::Try(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
