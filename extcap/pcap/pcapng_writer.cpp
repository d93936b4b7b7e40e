// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/pcapng_writer.h"

#include <glib.h>

#include <cstring>

#include "common/text.h"
#include "extcap/pcap/pcapng_format.h"

namespace cloudflaredump::pcap {
namespace {

// Option codes: draft-ietf-opsawg-pcapng, sections 3.5 and 4.
enum OptionCode : std::uint16_t {
  kEndOfOptions = 0,
  kComment = 1,
  kUserApplication = 4,
  kInterfaceName = 2,
  kInterfaceDescription = 3,
  kInterfaceTimeResolution = 9,
  kInterfaceFilter = 11,
  kStatisticsStart = 2,
  kStatisticsEnd = 3,
  kStatisticsReceived = 4,
  kStatisticsDelivered = 8,
};

constexpr std::size_t kLongestApplication = 512;
constexpr std::size_t kLongestName = 256;
/// The capture description has at most 4 KiB; an option could hold 65,535 bytes.
constexpr std::size_t kLongestText = 32768;
constexpr std::size_t kPacketBlockFixed = 32;

std::size_t Padded(std::size_t size) {
  return (size + 3) & ~std::size_t{3};
}

/// The bytes of a number or struct as they are in memory.
template <class T>
std::string_view Raw(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

void AppendPadded(std::string& out, std::string_view bytes) {
  out.append(bytes);
  out.append(Padded(bytes.size()) - bytes.size(), '\0');
}

/// `text` as valid UTF-8, which options must be, of at most `longest` bytes.
std::string FitText(std::string_view text, std::size_t longest) {
  char* valid = g_utf8_make_valid(text.data(), static_cast<gssize>(text.size()));
  std::string fit = valid;
  g_free(valid);
  if (fit.size() > longest) {
    const char* const cut = g_utf8_find_prev_char(fit.c_str(), fit.c_str() + longest + 1);
    fit.resize(cut == nullptr ? 0 : static_cast<std::size_t>(cut - fit.c_str()));
  }
  return fit;
}

void AppendOption(std::string& out, OptionCode code, std::string_view value) {
  const std::uint16_t head[2] = {code, static_cast<std::uint16_t>(value.size())};
  out.append(Raw(head));
  AppendPadded(out, value);
}

void AppendNumberOption(std::string& out, OptionCode code, std::uint64_t number) {
  AppendOption(out, code, Raw(number));
}

/// A time as pcapng has it: the upper 32 bits before the lower, in either byte order.
struct SplitTime {
  explicit SplitTime(std::uint64_t ticks)
      : upper(static_cast<std::uint32_t>(ticks >> 32)), lower(static_cast<std::uint32_t>(ticks)) {}
  std::uint32_t upper, lower;
};

void EndOptions(std::string& out) {
  AppendOption(out, kEndOfOptions, {});
}

/// Starts a block whose length is written by EndBlock, which wants the returned offset.
std::size_t BeginBlock(std::string& out, PcapngBlock type) {
  const std::size_t begin = out.size();
  const std::uint32_t head[2] = {type, 0};
  out.append(Raw(head));
  return begin;
}

void EndBlock(std::string& out, std::size_t begin) {
  const auto length = static_cast<std::uint32_t>(out.size() - begin + sizeof(std::uint32_t));
  out.append(Raw(length));
  std::memcpy(&out[begin + 4], &length, sizeof(length));
}

/// Bytes that `comments` take as options, each already cut; the end of the options included.
std::size_t SizeOfComments(const std::vector<std::string>& comments) {
  std::size_t size = comments.empty() ? 0 : 4;
  for (const std::string& comment : comments) size += 4 + Padded(comment.size());
  return size;
}

std::vector<std::string> FitComments(const std::vector<std::string>& comments, std::size_t room) {
  std::vector<std::string> fit;
  fit.reserve(comments.size());
  for (const std::string& comment : comments) fit.push_back(FitText(comment, kLongestText));
  while (SizeOfComments(fit) > room) fit.pop_back();
  return fit;
}

}  // namespace

void AppendSectionHeader(std::string& out, std::string_view application) {
  const std::size_t begin = BeginBlock(out, kSectionBlock);
  struct {
    std::uint32_t byte_order = kByteOrderMagic;
    std::uint16_t major = 1;
    std::uint16_t minor = 0;
    std::int64_t section_length = -1;  // Not known in advance.
  } const fixed;
  out.append(Raw(fixed));
  AppendOption(out, kUserApplication, FitText(application, kLongestApplication));
  EndOptions(out);
  EndBlock(out, begin);
}

void AppendInterface(std::string& out, const InterfaceBlock& interface) {
  const std::size_t begin = BeginBlock(out, kInterfaceBlock);
  struct {
    std::uint16_t link_type;
    std::uint16_t reserved = 0;
    std::uint32_t snap_length = kSnapLength;
  } const fixed{.link_type = static_cast<std::uint16_t>(interface.link_type)};
  out.append(Raw(fixed));
  if (!interface.name.empty()) {
    AppendOption(out, kInterfaceName, FitText(interface.name, kLongestName));
  }
  if (!interface.description.empty()) {
    AppendOption(out, kInterfaceDescription, FitText(interface.description, kLongestText));
  }
  const char resolution = interface.precision == TimePrecision::kMicroseconds ? 6 : 9;
  AppendOption(out, kInterfaceTimeResolution, Raw(resolution));
  if (!interface.filter.empty()) {
    // The first byte 0 says that a libpcap filter string follows.
    AppendOption(out, kInterfaceFilter,
                 std::string(1, '\0') + FitText(interface.filter, kLongestText));
  }
  EndOptions(out);
  EndBlock(out, begin);
}

bool AppendPacket(std::string& out, std::uint32_t interface_id, const PacketView& packet,
                  const std::vector<std::string>& comments) {
  const std::size_t captured = packet.bytes.size();
  if (captured > kLargestPacket) return false;
  std::string options;
  if (!comments.empty()) {
    const std::size_t room = kLargestBlock - kPacketBlockFixed - Padded(captured);
    for (const std::string& comment : FitComments(comments, room)) {
      AppendOption(options, kComment, comment);
    }
    if (!options.empty()) EndOptions(options);
  }
  const auto length =
      static_cast<std::uint32_t>(kPacketBlockFixed + Padded(captured) + options.size());
  const SplitTime time(packet.ticks);
  const std::uint32_t head[7] = {
      kEnhancedPacketBlock,
      length,
      interface_id,
      time.upper,
      time.lower,
      static_cast<std::uint32_t>(captured),
      packet.original_length,
  };
  out.append(Raw(head));
  AppendPadded(out, {reinterpret_cast<const char*>(packet.bytes.data()), captured});
  out.append(options);
  out.append(Raw(length));
  return true;
}

void AppendStatistics(std::string& out, std::uint32_t interface_id, TimePrecision precision,
                      const InterfaceStatistics& statistics) {
  const std::uint64_t tick = precision == TimePrecision::kMicroseconds ? 1000 : 1;
  const SplitTime first(statistics.first_nanoseconds / tick);
  const SplitTime last(statistics.last_nanoseconds / tick);
  const std::size_t begin = BeginBlock(out, kStatisticsBlock);
  out.append(Raw(interface_id));
  out.append(Raw(last));  // The block's own time: when its counts were true.
  std::string comment = statistics.comment;
  if (statistics.filtered_out != 0 || statistics.undecided != 0) {
    if (!comment.empty()) comment += ' ';
    comment += WithThousands(statistics.filtered_out) + " filtered out, " +
               WithThousands(statistics.undecided) + " undecided.";
  }
  if (!comment.empty()) AppendOption(out, kComment, FitText(comment, kLongestText));
  if (statistics.first_nanoseconds != 0 || statistics.last_nanoseconds != 0) {
    AppendOption(out, kStatisticsStart, Raw(first));
    AppendOption(out, kStatisticsEnd, Raw(last));
  }
  AppendNumberOption(out, kStatisticsReceived, statistics.received);
  AppendNumberOption(out, kStatisticsDelivered, statistics.delivered);
  EndOptions(out);
  EndBlock(out, begin);
}

}  // namespace cloudflaredump::pcap
