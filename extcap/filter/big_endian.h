// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace cloudflaredump::filter {

// Numbers in packets, which are big-endian. The bytes from `at` on must be there.

inline std::uint32_t Byte(std::span<const std::byte> bytes, std::size_t at) {
  return std::to_integer<std::uint32_t>(bytes[at]);
}
inline std::uint32_t Big16(std::span<const std::byte> bytes, std::size_t at) {
  return Byte(bytes, at) << 8 | Byte(bytes, at + 1);
}
inline std::uint32_t Big32(std::span<const std::byte> bytes, std::size_t at) {
  return Big16(bytes, at) << 16 | Big16(bytes, at + 2);
}

}  // namespace cloudflaredump::filter
