// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/capture_description.h"
#include "tests/unit/pcapng_blocks.h"

namespace cloudflaredump {

/// A packet as a reader of the stream sees it.
struct ReadPacket {
  std::uint32_t interface_id;
  std::uint64_t ticks;
  std::uint32_t original_length;
  std::string data;
  PacketMark mark;
};

/// An interface with its statistics, which come later.
struct ReadInterface {
  std::uint32_t link_type;
  std::string name;
  std::string filter;
  CaptureDescription description;
  std::optional<std::uint64_t> received = {};
  std::optional<std::uint64_t> delivered = {};
  std::string comment = {};
};

/// A pcapng stream of ours, read back.
struct ReadStream {
  std::vector<ReadInterface> interfaces;
  std::vector<ReadPacket> packets;

  /// The packets' data in their order, a blank between two.
  std::string Data() const {
    std::string all;
    for (const ReadPacket& packet : packets) all += (all.empty() ? "" : " ") + packet.data;
    return all;
  }
};

inline std::string OptionOrNone(const std::vector<PcapngOption>& options, std::uint16_t code) {
  for (const PcapngOption& option : options) {
    if (option.code == code) return option.value;
  }
  return {};
}

inline ReadInterface ReadInterfaceBlock(const PcapngBlock& block) {
  const auto options = block.Options(8);
  std::string filter = OptionOrNone(options, 11);
  if (!filter.empty()) filter.erase(0, 1);  // its kind: a libpcap string
  ReadInterface interface{.link_type = block.Word(0) & 0xffff,
                          .name = OptionOrNone(options, 2),
                          .filter = filter,
                          .description = {}};
  const std::string description = OptionOrNone(options, 3);
  if (!description.empty()) {
    assert_true(ParseCaptureDescription(description, interface.description) == ParseVerdict::kGood);
  }
  return interface;
}

inline ReadPacket ReadPacketBlock(const PcapngBlock& block) {
  constexpr std::size_t kFixed = 20;
  const std::size_t size = block.Word(12);
  ReadPacket packet{.interface_id = block.Word(0),
                    .ticks = SplitTimeOf(block.body.substr(4, 8)),
                    .original_length = block.Word(16),
                    .data = block.body.substr(kFixed, size),
                    .mark = {}};
  const auto options = block.Options(kFixed + (size + 3) / 4 * 4);
  assert_true(options.size() <= 1);
  if (!options.empty()) {
    assert_int_equal(options[0].code, 1);
    assert_true(ParsePacketMark(options[0].value, packet.mark) == ParseVerdict::kGood);
  }
  return packet;
}

inline void ReadStatisticsBlock(const PcapngBlock& block, ReadStream& stream) {
  const auto options = block.Options(12);
  assert_true(block.Word(0) < stream.interfaces.size());
  ReadInterface& interface = stream.interfaces[block.Word(0)];
  assert_false(interface.received.has_value());
  interface.received = NumberOf(OptionOrNone(options, 4));
  interface.delivered = NumberOf(OptionOrNone(options, 8));
  interface.comment = OptionOrNone(options, 1);
}

/// Reads `file`; fails the test where it is no stream of ours.
inline ReadStream ReadBack(std::string_view file) {
  ReadStream stream;
  bool first = true;
  for (const PcapngBlock& block : ReadBlocks(file)) {
    assert_int_equal(block.type == 0x0a0d0d0a, first);
    first = false;
    if (block.type == 1) stream.interfaces.push_back(ReadInterfaceBlock(block));
    if (block.type == 5) ReadStatisticsBlock(block, stream);
    if (block.type != 6) continue;
    stream.packets.push_back(ReadPacketBlock(block));
    assert_true(stream.packets.back().interface_id < stream.interfaces.size());
  }
  return stream;
}

}  // namespace cloudflaredump
