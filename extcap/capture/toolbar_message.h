// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloudflaredump::capture {

/// What a message of Wireshark's toolbar protocol says (ui/qt/interface_toolbar.cpp).
enum class ToolbarCommand : std::uint8_t {
  kInitialized = 0,  ///< Wireshark has opened both pipes and sent all changed values
  kSet = 1,
  kAdd = 2,
  kRemove = 3,
  kEnable = 4,
  kDisable = 5,
  kStatusBar = 6,  ///< the last four have no control of their own
  kInformation = 7,
  kWarning = 8,
  kError = 9,
};

/// One message of the toolbar protocol, either way. On the wire: 'T', the length of what follows it
/// in three bytes (big-endian), the control's number, the command, the payload.
struct ToolbarMessage {
  std::uint8_t control = 0;
  std::uint8_t command = 0;  ///< a ToolbarCommand, or any other number from elsewhere
  std::string payload;

  bool operator==(const ToolbarMessage&) const = default;
};

/// The longest payload that Wireshark sends or takes.
inline constexpr std::size_t kLongestPayload = 65535;

/// The bytes of `message`, its payload cut at kLongestPayload.
std::string WriteToolbarMessage(const ToolbarMessage& message);

/// What was read from the front of a stream.
struct ToolbarRead {
  std::optional<ToolbarMessage> message;  ///< nothing: more bytes are needed
  std::size_t used = 0;                   ///< bytes that are done with, garbage included
};

/// Reads the first message in `bytes`. What cannot be the beginning of a message (another letter
/// than 'T', a length that Wireshark never sends) is passed over. Knows nothing of earlier calls:
/// the caller keeps the bytes behind `used` and appends what comes; they are never more than
/// one message.
ToolbarRead ReadToolbarMessage(std::string_view bytes);

}  // namespace cloudflaredump::capture
