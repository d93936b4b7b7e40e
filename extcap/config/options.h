// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/result.h"

namespace cloudflaredump::config {

/// What kind of capture an interface makes; a set of them says where an option applies.
enum class InterfaceKind : unsigned {
  kSample = 1,    ///< cloudflare-sample
  kFull = 2,      ///< cloudflare-full: the data center is an option
  kColo = 4,      ///< cloudflare-<COLO>: full at that data center
  kDownload = 8,  ///< cloudflare-download: an earlier capture
};

/// Every setting of the program, in the order of the dialog and the man page.
enum class Opt : unsigned {
  kStartTime,
  kEndTime,
  kTimeLimit,
  kPacketLimit,
  kByteLimit,
  kColo,
  kColoPick,
  kPcapId,
  kPcapIdPick,
  kRequestsPerWindow,
  kMaxRequests,
  kIfBusy,
  kIfBroad,
  kLocalFilter,
  kFilterIpv6,
  kAccountId,
  kApiToken,
  kApiEmail,
  kApiKey,
  kProfile,
  kDestinationConf,
  kDestinationConfPick,
  kReadFrom,
  kStopWait,
  kMaxWait,
  kKeepOriginals,
  kLogLevel,
  kLogFile,
  // Not in the dialog: environment and configuration file only.
  kColos,
  kEgress,
  kApiBaseUrl,
  kTraceUrl,
  kRetryTime,
  kSampleInterval,
  kListingInterval,
  kBucketEndpoint,
  kAwsAccessKeyId,
  kAwsSecretAccessKey,
  kAwsSessionToken,
  kCount,
};

/// What a value looks like, and which field of the dialog it gets.
enum class OptionType : std::uint8_t {
  kText,
  kNumber,  ///< whole, within minimum and maximum
  kChoice,  ///< one of `choices`
  kSecret,  ///< text that is never shown
  kPick,    ///< one of a list that is asked for when the user reloads it, or kAsTyped
  kFile,
  kFolder,
};

/// The value of a kPick that picks nothing: then the text option beside it counts.
inline constexpr const char* kAsTyped = "typed";

/// One row of the options table: the one source for the dialog, argv, the configuration file's
/// keys, the environment and the man page.
struct Option {
  Opt id;
  const char* name = nullptr;  ///< `--name` on the command line, `name=` in the file
  OptionType type;
  unsigned kinds = 0;                ///< InterfaceKind bits; 0: no interface's dialog has it
  const char* tab = nullptr;         ///< of the dialog
  const char* label = nullptr;       ///< in the dialog
  const char* value_name = nullptr;  ///< in --help and the man page
  const char* help = nullptr;        ///< one or two plain sentences: tooltip and man page
  const char* fallback = nullptr;    ///< built-in default; null if none
  const char* unset = nullptr;       ///< in the dialog's field without a default: what holds then,
                                     ///< or what is to be typed; null for the others
  const char* fallback_full =
      nullptr;                     ///< the default for full captures, where it differs; else null
  const char* choices = nullptr;   ///< comma separated, kChoice only
  std::uint64_t minimum = 0;       ///< kNumber only
  std::uint64_t maximum = 0;       ///< for samples
  std::uint64_t maximum_full = 0;  ///< for full captures
  const char* environment = nullptr;  ///< comma separated names, first wins; null if none
  bool address = false;               ///< a URL: the value may hold keys or a password
};

/// The table, a row for each Opt, in its order.
std::span<const Option> AllOptions();

/// The row of `id`, which is not kCount.
const Option& OptionOf(Opt id);

/// The option called `name`, or null.
const Option* FindOption(std::string_view name);

/// The text option that `pick`, a kPick, stands beside.
Opt PickedFor(Opt pick);

/// Whether interfaces of `kind` have it in their dialog.
bool AppliesTo(const Option& option, InterfaceKind kind);

/// Where `id` stands among the options of the dialog of `kind`, from 0: its argument number.
unsigned DialogNumber(Opt id, InterfaceKind kind);

/// The built-in default on an interface of `kind`; null if there is none.
const char* FallbackOf(const Option& option, InterfaceKind kind);

/// The largest number allowed on an interface of `kind`.
std::uint64_t MaximumOf(const Option& option, InterfaceKind kind);

/// An Error if `value` is not one that `option` takes; `where` says where it stands
/// ("--time-limit", a file's path), for the sentence.
Result<void> CheckValue(const Option& option, InterfaceKind kind, std::string_view value,
                        std::string_view where);

/// Whether `value` must not be seen: that of a kSecret option, or an address with keys in it.
bool HoldsSecret(const Option& option, std::string_view value);

/// Tells Redact what is secret in `value`.
void RegisterSecrets(const Option& option, std::string_view value);

/// `value` as it may be shown: "[secret]", or the address without its keys' values.
std::string ShownValue(const Option& option, std::string_view value);

/// Values by option, where given.
using OptionValues = std::array<std::optional<std::string>, static_cast<std::size_t>(Opt::kCount)>;

}  // namespace cloudflaredump::config
