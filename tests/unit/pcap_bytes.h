// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "extcap/pcap/packet.h"

namespace cloudflaredump {

using Bytes = std::vector<std::byte>;

/// Writes classic pcap byte by byte, also wrong: the tests' own reading of the format, apart from
/// the code under test.
class PcapBytes {
 public:
  struct Form {
    std::uint32_t magic = 0xa1b2c3d4;
    bool big_endian = false;
    std::uint32_t link_type = 101;
    std::uint32_t snap_length = 65535;
    std::uint16_t major = 2;
    std::uint16_t minor = 4;
  };

  PcapBytes() : PcapBytes(Form()) {}
  explicit PcapBytes(const Form& form) : form_(form) {
    Word(form.magic);
    Half(form.major);
    Half(form.minor);
    Word(0);
    Word(0);
    Word(form.snap_length);
    Word(form.link_type);
  }

  PcapBytes& Record(std::uint32_t seconds, std::uint32_t fraction, std::string_view data,
                    std::uint32_t original = 0) {
    const auto size = static_cast<std::uint32_t>(data.size());
    return Header(seconds, fraction, size, original == 0 ? size : original).Raw(data);
  }

  PcapBytes& Header(std::uint32_t seconds, std::uint32_t fraction, std::uint32_t captured,
                    std::uint32_t original) {
    for (const std::uint32_t word : {seconds, fraction, captured, original}) Word(word);
    return *this;
  }

  PcapBytes& Raw(std::string_view data) {
    for (const char c : data) bytes_.push_back(static_cast<std::byte>(c));
    return *this;
  }

  const Bytes& bytes() const { return bytes_; }

 private:
  void Word(std::uint32_t word) { Number(word, 4); }
  void Half(std::uint16_t half) { Number(half, 2); }
  void Number(std::uint32_t number, int size) {
    for (int i = 0; i < size; ++i) {
      const int shift = 8 * (form_.big_endian ? size - 1 - i : i);
      bytes_.push_back(static_cast<std::byte>(number >> shift));
    }
  }

  Form form_;
  Bytes bytes_;
};

inline Bytes ToBytes(std::string_view text) {
  Bytes bytes;
  for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

inline std::string ToText(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace cloudflaredump
