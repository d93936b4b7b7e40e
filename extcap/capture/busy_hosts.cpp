// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/busy_hosts.h"

#include <algorithm>
#include <map>
#include <optional>

#include "common/text.h"
#include "extcap/filter/box.h"
#include "extcap/filter/ip_header.h"
#include "extcap/pcap/file_reader.h"

namespace cloudflaredump::capture {
namespace {

constexpr std::size_t kMostHostsNamed = 2;
/// For a reader of a file that lies in memory.
constexpr std::size_t kReadWindow = 2048;

/// The outermost IP header's destination; nothing of a packet that has none.
std::optional<filter::IpAddress> Destination(std::uint32_t link_type,
                                             std::span<const std::byte> bytes) {
  const filter::IpSearch search = filter::SearchIpHeader(link_type, bytes);
  if (search.outcome != filter::IpSearch::Outcome::kFound) return std::nullopt;
  const auto header = bytes.subspan(std::min(search.location.offset, bytes.size()));
  if (header.empty()) return std::nullopt;
  const bool ipv6 = std::to_integer<unsigned>(header[0]) >> 4 == 6;
  const std::size_t at = ipv6 ? 24 : 16;
  const std::size_t length = ipv6 ? 16 : 4;
  if (header.size() < at + length) return std::nullopt;
  filter::IpAddress address{.version = ipv6 ? 6 : 4};
  std::ranges::transform(header.subspan(at, length), address.bytes.begin(),
                         [](std::byte byte) { return std::to_integer<std::uint8_t>(byte); });
  return address;
}

}  // namespace

std::string BusiestDestinations(const std::vector<SampleFile>& samples) {
  std::map<filter::IpAddress, std::uint64_t> counts;
  std::uint64_t all = 0;
  for (const SampleFile& sample : samples) {
    pcap::FileReader reader(pcap::Borrow(*sample.bytes), kReadWindow);
    std::vector<std::byte> shared;
    for (; reader.FindNext(); reader.Drop()) {
      const auto packet = reader.Load(shared);
      if (!packet) break;
      const auto address = Destination(reader.header()->link_type, packet->bytes);
      if (address) ++counts[*address];
      ++all;
    }
  }
  std::vector<std::pair<std::uint64_t, filter::IpAddress>> busiest;
  // An address that nearly all have would narrow nothing.
  for (const auto& [address, count] : counts) {
    if (count * 20 < all * 19) busiest.emplace_back(count, address);
  }
  std::ranges::sort(busiest, std::greater{});
  if (busiest.size() > kMostHostsNamed) busiest.resize(kMostHostsNamed);
  std::string text;
  for (const auto& [count, address] : busiest) {
    text += text.empty() ? "" : ", ";
    text += "dst host " + address.ToString() +
            Format(" (%llu%%)", static_cast<unsigned long long>(count * 100 / all));
  }
  return text;
}

}  // namespace cloudflaredump::capture
