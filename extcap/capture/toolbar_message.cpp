// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/toolbar_message.h"

namespace cloudflaredump::capture {
namespace {

constexpr char kSync = 'T';
/// The sync byte and the length.
constexpr std::size_t kSyncAndLength = 4;
/// The control's number and the command, which the length counts.
constexpr std::size_t kFixed = 2;

std::size_t Byte(char c) {
  return static_cast<unsigned char>(c);
}

}  // namespace

std::string WriteToolbarMessage(const ToolbarMessage& message) {
  const std::string_view payload = std::string_view(message.payload).substr(0, kLongestPayload);
  const std::size_t length = payload.size() + kFixed;
  std::string bytes = {kSync,
                       static_cast<char>(length >> 16),
                       static_cast<char>(length >> 8),
                       static_cast<char>(length),
                       static_cast<char>(message.control),
                       static_cast<char>(message.command)};
  bytes += payload;
  return bytes;
}

ToolbarRead ReadToolbarMessage(std::string_view bytes) {
  for (std::size_t at = 0;; ++at) {
    at = bytes.find(kSync, at);
    if (at == std::string_view::npos) return {.message = {}, .used = bytes.size()};
    const std::string_view rest = bytes.substr(at);
    if (rest.size() < kSyncAndLength) return {.message = {}, .used = at};
    const std::size_t length = Byte(rest[1]) << 16 | Byte(rest[2]) << 8 | Byte(rest[3]);
    if (length < kFixed || length > kFixed + kLongestPayload) continue;
    if (rest.size() < kSyncAndLength + length) return {.message = {}, .used = at};
    return {.message = ToolbarMessage{.control = static_cast<std::uint8_t>(rest[4]),
                                      .command = static_cast<std::uint8_t>(rest[5]),
                                      .payload = std::string(
                                          rest.substr(kSyncAndLength + kFixed, length - kFixed))},
            .used = at + kSyncAndLength + length};
  }
}

}  // namespace cloudflaredump::capture
