// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "tests/unit/unit_test.h"

namespace cloudflaredump {

inline std::uint32_t WordAt(std::string_view bytes, std::size_t offset) {
  std::uint32_t word = 0;
  assert_true(offset + sizeof(word) <= bytes.size());
  std::memcpy(&word, bytes.data() + offset, sizeof(word));
  return word;
}

inline std::uint64_t NumberOf(std::string_view bytes) {
  std::uint64_t number = 0;
  assert_int_equal(bytes.size(), sizeof(number));
  std::memcpy(&number, bytes.data(), sizeof(number));
  return number;
}

/// A pcapng time: the upper 32 bits first.
inline std::uint64_t SplitTimeOf(std::string_view bytes) {
  assert_int_equal(bytes.size(), 8);
  return (std::uint64_t{WordAt(bytes, 0)} << 32) | WordAt(bytes, 4);
}

struct PcapngOption {
  std::uint16_t code;
  std::string value;
};

/// A block of a pcapng file in this machine's byte order; `body` is what lies between the two
/// lengths.
struct PcapngBlock {
  std::uint32_t type;
  std::string body;

  std::uint32_t Word(std::size_t offset) const { return WordAt(body, offset); }

  /// The options from `offset` of the body on, which must end as the format says, or be none.
  std::vector<PcapngOption> Options(std::size_t offset) const {
    std::vector<PcapngOption> options;
    if (offset == body.size()) return options;
    for (;;) {
      const std::uint32_t head = Word(offset);
      const std::size_t size = head >> 16;
      offset += 4;
      if ((head & 0xffff) == 0) {
        assert_int_equal(size, 0);
        assert_int_equal(offset, body.size());
        return options;
      }
      assert_true(offset + size <= body.size());
      options.push_back({static_cast<std::uint16_t>(head), body.substr(offset, size)});
      offset += (size + 3) / 4 * 4;
    }
  }

  /// The value of option `code`, which must be there once.
  std::string OnlyOption(std::size_t offset, std::uint16_t code) const {
    std::vector<std::string> found;
    for (const PcapngOption& option : Options(offset)) {
      if (option.code == code) found.push_back(option.value);
    }
    assert_int_equal(found.size(), 1);
    return found[0];
  }
};

/// Cuts `file` into its blocks; fails the test where lengths do not agree.
inline std::vector<PcapngBlock> ReadBlocks(std::string_view file) {
  std::vector<PcapngBlock> blocks;
  while (!file.empty()) {
    const std::uint32_t length = WordAt(file, 4);
    assert_true(length >= 12 && length % 4 == 0 && length <= file.size());
    assert_int_equal(WordAt(file, length - 4), length);
    blocks.push_back({WordAt(file, 0), std::string(file.substr(8, length - 12))});
    file.remove_prefix(length);
  }
  return blocks;
}

}  // namespace cloudflaredump
