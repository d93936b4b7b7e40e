// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace cloudflaredump::filter {

/// One to four bytes of a packet that a filter program reads as a big-endian number.
struct Window {
  bool behind_header = false;  ///< Offset from the end of the IPv4 header, not from its start.
  std::uint32_t offset = 0;
  std::uint32_t size = 1;  ///< 1, 2 or 4 bytes.
  bool operator==(const Window&) const = default;
};

/// All bits of a window.
constexpr std::uint32_t FullMask(const Window& window) {
  return window.size == 4 ? 0xffffffff : (1U << 8 * window.size) - 1;
}

/// Something that holds for a packet: the window's number, masked, is one of `least` to `most`; or,
/// if `excluded`, it is not `least`.
struct Fact {
  Window window;
  std::uint32_t mask = 0;
  std::uint32_t least = 0;
  std::uint32_t most = 0;
  bool excluded = false;
  bool operator==(const Fact&) const = default;
};

/// Bits of a window that have one value in all packets: those in `mask`.
struct KnownBits {
  std::uint32_t mask = 0;
  std::uint32_t value = 0;
};

/// What is known of the packets that take one path through a filter program. Everything said here
/// errs on one side: what is not understood is not known.
class Facts {
 public:
  /// Adds `fact`. False if it contradicts what is known: no packet takes this path.
  bool Add(const Fact& fact);

  /// The number that must stand in `window`: Add for an unmasked equality.
  bool AddEqual(const Window& window, std::uint32_t number);

  /// Takes back all but the first `size` facts.
  void Truncate(std::size_t size) { list_.resize(size); }
  std::size_t size() const { return list_.size(); }
  const std::vector<Fact>& list() const { return list_; }

  /// The bits of `window` that are known one by one.
  KnownBits Known(const Window& window) const;

  /// All numbers that can stand in `window`, ascending, if they are at most `most` and cheap to
  /// tell; nothing otherwise. Empty: no packet takes this path.
  std::optional<std::vector<std::uint32_t>> Values(const Window& window, std::size_t most) const;

  /// The same facts when the IPv4 header is known to have `length` bytes: windows behind it become
  /// windows from the start.
  Facts WithHeaderLength(std::uint32_t length) const;

  /// How many facts were looked at since the start: the currency of a walk's budget.
  std::uint64_t work() const { return work_; }

 private:
  std::vector<Fact> list_;
  mutable std::uint64_t work_ = 0;
};

}  // namespace cloudflaredump::filter
