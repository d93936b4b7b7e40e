// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/packet_test.h"

#include <pcap/pcap.h>

namespace cloudflare_emulator {

Outcome<PacketTest> PacketTest::Compile(const std::string& filter) {
  constexpr int kSnapLength = 262144;
  const std::unique_ptr<pcap_t, decltype(&pcap_close)> dead(pcap_open_dead(DLT_RAW, kSnapLength),
                                                            pcap_close);
  bpf_program program = {};
  if (pcap_compile(dead.get(), &program, filter.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
    return std::unexpected("\"" + filter + "\": " + pcap_geterr(dead.get()));
  }
  PacketTest test;
  test.program_ = std::shared_ptr<bpf_program>(new bpf_program(program), [](bpf_program* owned) {
    pcap_freecode(owned);
    delete owned;
  });
  return test;
}

bool PacketTest::Holds(const Record& record) const {
  const auto ip = FindIpHeader(record);
  if (!ip) return false;
  const auto skipped = static_cast<bpf_u_int32>(*ip);
  pcap_pkthdr header = {};
  header.caplen = static_cast<bpf_u_int32>(record.bytes.size()) - skipped;
  header.len = record.original_length - skipped;
  return pcap_offline_filter(program_.get(), &header, record.bytes.data() + *ip) != 0;
}

}  // namespace cloudflare_emulator
