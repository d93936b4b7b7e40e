// SPDX-License-Identifier: GPL-2.0-or-later
//
// The residual on real captures of several link types, against libpcap's own filter for them.
//   filter_captures FOLDER of pcap files
// Exit status 77 (skipped) if there is none.
#include <pcap/pcap.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "extcap/filter/capture_filter.h"
#include "extcap/filter/compile.h"
#include "extcap/filter/ip_header.h"
#include "extcap/filter/link_type.h"

namespace cloudflaredump {
namespace {

/// Nothing in them depends on the link-layer header, such as the packet's length.
const char* const kFilters[] = {
    "tcp",
    "udp",
    "icmp",
    "icmp6",
    "ip6",
    "not ip",
    "port 53",
    "tcp port 80",
    "udp port 4500",
    "src portrange 1-1023",
    "net 10.0.0.0/8 or net 192.168.0.0/16",
    "dst net 172.16.0.0/12",
    "tcp[tcpflags] & tcp-syn != 0",
    "ip[6:2] & 0x1fff != 0",
    "ip6[6] = 44",
    "ip proto 47 and not src net 10.0.0.0/8",
    "tcp[((tcp[12:1] & 0xf0) >> 2):4] = 0x47455420",
    "ip6 protochain 17 or ip protochain 17",
};

struct Totals {
  unsigned files = 0;
  unsigned compared = 0;
  unsigned matched = 0;
  unsigned differences = 0;
};

struct Close {
  void operator()(pcap_t* handle) const { pcap_close(handle); }
};
using Handle = std::unique_ptr<pcap_t, Close>;

/// The LINKTYPE_ of a file: libpcap says the DLT_.
std::uint32_t LinkTypeOf(pcap_t* handle) {
  const int dlt = pcap_datalink(handle);
  return dlt == DLT_RAW ? filter::kLinkTypeRaw : static_cast<std::uint32_t>(dlt);
}

bool IsTagged(std::uint32_t link_type, std::span<const std::byte> packet) {
  return link_type == filter::kLinkTypeEthernet && packet.size() > 14 &&
         packet[12] == std::byte{0x81};
}

/// libpcap's filter for the file's link type, or for what a tag of it carries.
bool CompileReference(pcap_t* handle, const std::string& text, bpf_program& program) {
  return pcap_compile(handle, &program, text.c_str(), 1, 0) == 0;
}

void CompareFile(const std::string& path, const char* text, Totals& totals) {
  char error[PCAP_ERRBUF_SIZE];
  const Handle handle(pcap_open_offline(path.c_str(), error));
  if (!handle) return;
  const std::uint32_t link_type = LinkTypeOf(handle.get());
  const auto filter = filter::CaptureFilter::Compile(text, filter::NameLookup::kRefuse);
  const auto residual = filter::Residual::Make(*filter, link_type);
  bpf_program plain = {};
  bpf_program tagged = {};
  // NFLOG has neither: libpcap refuses protocols on it, which is why we test from the IP header on.
  const bool has_plain = CompileReference(handle.get(), text, plain);
  const bool has_tagged =
      CompileReference(handle.get(), "vlan and (" + std::string(text) + ")", tagged);
  pcap_pkthdr* header = nullptr;
  const u_char* bytes = nullptr;
  while (residual && pcap_next_ex(handle.get(), &header, &bytes) == 1) {
    const std::span packet(reinterpret_cast<const std::byte*>(bytes), header->caplen);
    if (header->caplen < header->len) continue;
    if (filter::KnowsLinkType(link_type) &&
        filter::SearchIpHeader(link_type, packet).outcome != filter::IpSearch::Outcome::kFound) {
      continue;
    }
    const bool is_tagged = IsTagged(link_type, packet);
    if (!(is_tagged ? has_tagged : has_plain)) continue;
    const bool want = pcap_offline_filter(is_tagged ? &tagged : &plain, header, bytes) != 0;
    const bool got = residual->Test(packet, header->len) == filter::FilterAnswer::kMatches;
    ++totals.compared;
    totals.matched += want ? 1 : 0;
    if (got == want) continue;
    ++totals.differences;
    std::printf("DIFFERENCE: %s: %s: libpcap %s it\n", path.c_str(), text,
                want ? "accepts" : "rejects");
  }
  if (has_plain) pcap_freecode(&plain);
  if (has_tagged) pcap_freecode(&tagged);
}

int Main(int count, char** arguments) {
  const std::filesystem::path folder = count > 1 ? arguments[1] : "";
  if (!std::filesystem::is_directory(folder)) {
    std::printf("skipped: there is no folder of captures\n");
    return 77;
  }
  Totals totals;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".pcap") continue;
    ++totals.files;
    for (const char* text : kFilters) CompareFile(entry.path(), text, totals);
  }
  std::printf("%u files, %u packets compared, %u match, %u differences\n", totals.files,
              totals.compared, totals.matched, totals.differences);
  return totals.differences == 0 && totals.matched > 0 ? 0 : 1;
}

}  // namespace
}  // namespace cloudflaredump

int main(int count, char** arguments) {
  cloudflaredump::filter::ForbidNameLookup();
  return cloudflaredump::Main(count, arguments);
}
