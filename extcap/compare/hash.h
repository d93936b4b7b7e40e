// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace cloudflaredump::compare {

/// Mixes one more number into a hash (the multiplication and fold of wyhash).
inline std::uint64_t Mix(std::uint64_t hash, std::uint64_t number) {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{hash ^ 0x9e3779b97f4a7c15ULL} * (number ^ 0xd6e8feb86659fd93ULL);
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^
         (hash << 1);
}

/// Mixes bytes, and how many they are, into a hash.
inline std::uint64_t MixBytes(std::uint64_t hash, std::span<const std::byte> bytes) {
  hash = Mix(hash, bytes.size());
  while (bytes.size() >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), 8);
    hash = Mix(hash, word);
    bytes = bytes.subspan(8);
  }
  if (!bytes.empty()) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data(), bytes.size());
    hash = Mix(hash, word);
  }
  return hash;
}

/// A map from hashes to 32-bit numbers that only grows: open addressing, 12 bytes a slot. The hash
/// is the key: two things with one hash are taken to be the same.
class HashIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  explicit HashIndex(std::size_t expected = 0) {
    std::size_t size = 64;
    while (size * 2 < expected * 3) size *= 2;
    keys_.resize(size);
    values_.assign(size, kNone);
  }

  /// kNone if it is not there.
  std::uint32_t Find(std::uint64_t hash) const {
    for (std::size_t at = hash & Mask();; at = (at + 1) & Mask()) {
      if (values_[at] == kNone || keys_[at] == hash) return values_[at];
    }
  }

  template <class Call>
  void ForEachValue(const Call& change) {
    for (std::uint32_t& value : values_) {
      if (value != kNone) change(value);
    }
  }

  /// The value of `hash`, which is kNone if it was not there, to be set at once.
  std::uint32_t& At(std::uint64_t hash) {
    if ((count_ + 1) * 4 > values_.size() * 3) Grow();
    std::size_t at = hash & Mask();
    while (values_[at] != kNone && keys_[at] != hash) at = (at + 1) & Mask();
    if (values_[at] == kNone) {
      keys_[at] = hash;
      ++count_;
    }
    return values_[at];
  }

 private:
  std::size_t Mask() const { return values_.size() - 1; }
  void Grow() {
    std::vector<std::uint64_t> keys(keys_.size() * 2);
    std::vector<std::uint32_t> values(values_.size() * 2, kNone);
    keys.swap(keys_);
    values.swap(values_);
    count_ = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] != kNone) At(keys[i]) = values[i];
    }
  }

  std::vector<std::uint64_t> keys_;
  std::vector<std::uint32_t> values_;
  std::size_t count_ = 0;
};

}  // namespace cloudflaredump::compare
