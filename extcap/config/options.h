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
  kLive = 16,     ///< cloudflare-live: samples one after another
};

/// Whether captures of `kind` are samples, of all data centers.
bool IsSample(InterfaceKind kind);

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
  kLiveLag,
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
  kAwsProfile,
  kStopWait,
  kMaxWait,
  kKeepOriginals,
  kLogLevel,
  kLogFile,
  // Not in the dialog: options of the command, environment and configuration file only.
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
  kR2Endpoint,
  kR2AccessKeyId,
  kR2SecretAccessKey,
  kGcsEndpoint,
  kGcsAccessKeyId,
  kGcsSecretAccessKey,
  kCount,
};

/// What a value looks like, and which kind of field it gets in the dialog.
enum class OptionType : std::uint8_t {
  kText,
  kNumber,  ///< whole, within minimum and maximum
  kChoice,  ///< one of `choices`
  kSecret,  ///< text that is never shown
  kPick,    ///< one of a list that the dialog's reload button fills, or kAsTyped; dialog only
  kFile,
  kFolder,
};

/// The value of a kPick that picks nothing: the text option beside it applies.
inline constexpr const char* kAsTyped = "typed";

/// One row of the options table, the source of the dialog, the command line, the configuration
/// file's keys, the environment and the man page.
struct Option {
  Opt id;
  const char* name = nullptr;  ///< `--name` on the command line, `name=` in the file
  OptionType type = OptionType::kText;
  unsigned kinds = 0;                ///< InterfaceKind bits; 0: in no interface's dialog
  const char* tab = nullptr;         ///< of the dialog
  const char* label = nullptr;       ///< in the dialog
  const char* value_name = nullptr;  ///< in --help and the man page
  const char* help = nullptr;        ///< tooltip, --help and man page; begins with a verb
  const char* fallback = nullptr;    ///< built-in default; null if none
  const char* unset = nullptr;       ///< placeholder of the dialog's field if there is no default
  const char* fallback_full = nullptr;  ///< default for all but samples, where it differs
  const char* fallback_live = nullptr;  ///< default for live samples, where it differs
  const char* unset_live = nullptr;     ///< placeholder for live samples, where it differs
  const char* choices = nullptr;        ///< comma separated, kChoice only
  std::uint64_t minimum = 0;            ///< kNumber only
  std::uint64_t maximum = 0;
  std::uint64_t maximum_full = 0;     ///< for full captures, where it differs
  const char* environment = nullptr;  ///< comma separated names, first wins; null if none
  bool address = false;               ///< a URL: the value may hold keys or a password
};

/// The table, a row for each Opt, in its order.
std::span<const Option> AllOptions();

/// The row of `id`, which is not kCount.
const Option& OptionOf(Opt id);

/// The option called `name`, or null.
const Option* FindOption(std::string_view name);

/// The text option beside `pick`, a kPick.
Opt PickedFor(Opt pick);

/// Whether `option` is in the dialog of interfaces of `kind`.
bool AppliesTo(const Option& option, InterfaceKind kind);

/// The argument number of `id` in the dialog of `kind`, counted from 0.
unsigned DialogNumber(Opt id, InterfaceKind kind);

/// The built-in default on an interface of `kind`; null if there is none.
const char* FallbackOf(const Option& option, InterfaceKind kind);

/// The placeholder of the dialog's field on an interface of `kind`; null if there is none.
const char* UnsetOf(const Option& option, InterfaceKind kind);

/// The largest number allowed on an interface of `kind`.
std::uint64_t MaximumOf(const Option& option, InterfaceKind kind);

/// An Error if `option` does not accept `value`; it names the source `where`, such as
/// "given as an option" or a file's path.
Result<void> CheckValue(const Option& option, InterfaceKind kind, std::string_view value,
                        std::string_view where);

/// Whether `value` must not be shown: that of a kSecret option, or an address with keys in it.
bool HoldsSecret(const Option& option, std::string_view value);

/// Tells Redact what is secret in `value`.
void RegisterSecrets(const Option& option, std::string_view value);

/// `value` as it may be shown: "[secret]", or an address with its keys redacted.
std::string ShownValue(const Option& option, std::string_view value);

/// Values by option, where given.
using OptionValues = std::array<std::optional<std::string>, static_cast<std::size_t>(Opt::kCount)>;

}  // namespace cloudflaredump::config
