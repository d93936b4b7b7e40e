// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "tests/emulator/link_layer.h"
#include "tests/emulator/text.h"

struct bpf_program;

namespace cloudflare_emulator {

/// A test of packets, written as a capture filter. libpcap's own word on each packet.
class PacketTest {
 public:
  /// The error is libpcap's sentence.
  static Outcome<PacketTest> Compile(const std::string& filter);

  /// Whether the record's IP packet passes. One without an IP header never does.
  bool Holds(const Record& record) const;

 private:
  std::shared_ptr<bpf_program> program_;
};

}  // namespace cloudflare_emulator
