// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <pcap/pcap.h>

#include <string>

#include "common/text.h"

namespace cloudflaredump {

/// What this machine's libpcap, asked directly, says of a filter for a DLT_; "" if it takes it.
/// Names of hosts are looked up.
inline std::string LibpcapSays(const std::string& filter, int dlt = DLT_RAW) {
  pcap_t* const handle = pcap_open_dead(dlt, 262144);
  bpf_program program = {};
  std::string words;
  if (pcap_compile(handle, &program, filter.c_str(), 1, 0) != 0) {
    words = CleanLine(pcap_geterr(handle));
  } else {
    pcap_freecode(&program);
  }
  pcap_close(handle);
  return words;
}

}  // namespace cloudflaredump
