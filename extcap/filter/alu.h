// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>

namespace cloudflaredump::filter {

/// What an arithmetic instruction of BPF gives for two known numbers; `operation` is its BPF_OP.
/// Shifts by 32 bits or more give 0. A program that divides by zero ends there and rejects the
/// packet, which is the caller's to know; here it gives 0.
std::uint32_t Calculate(unsigned operation, std::uint32_t a, std::uint32_t b);

}  // namespace cloudflaredump::filter
