// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/filter/alu.h"

#include <pcap/pcap.h>

namespace cloudflaredump::filter {

std::uint32_t Calculate(unsigned operation, std::uint32_t a, std::uint32_t b) {
  switch (operation) {
    case BPF_ADD:
      return a + b;
    case BPF_SUB:
      return a - b;
    case BPF_MUL:
      return a * b;
    case BPF_DIV:
      return b == 0 ? 0 : a / b;
    case BPF_MOD:
      return b == 0 ? 0 : a % b;
    case BPF_AND:
      return a & b;
    case BPF_OR:
      return a | b;
    case BPF_XOR:
      return a ^ b;
    case BPF_LSH:
      return b < 32 ? a << b : 0;
    case BPF_RSH:
      return b < 32 ? a >> b : 0;
    default:
      return 0;
  }
}

}  // namespace cloudflaredump::filter
