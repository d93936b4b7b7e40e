// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/config/options.h"

#include <algorithm>

#include "extcap/base/text.h"

namespace cloudflaredump {
namespace {

constexpr unsigned kSample = static_cast<unsigned>(InterfaceKind::kSample);
constexpr unsigned kAnyFull =
    static_cast<unsigned>(InterfaceKind::kFull) | static_cast<unsigned>(InterfaceKind::kColo);
constexpr unsigned kDownload = static_cast<unsigned>(InterfaceKind::kDownload);
constexpr unsigned kLive = kSample | kAnyFull;
constexpr unsigned kAll = kLive | kDownload;

constexpr const char* kCapture = "Capture";
constexpr const char* kFilter = "Filter";
constexpr const char* kAccount = "Account";
constexpr const char* kBucket = "Bucket";
constexpr const char* kAdvanced = "Advanced";

// Limits: Cloudflare's published schema of the PCAPs API (packet_limit 1 to 10000, byte_limit 1 to
// 1000000000, time_limit 1 to 300 for samples and 1 to 86400 for full captures).
constexpr Option kOptions[] = {
    {.id = Opt::kStartTime,
     .name = "start-time",
     .type = OptionType::kText,
     .kinds = kSample,
     .tab = kCapture,
     .label = "Start time",
     .value_name = "TIME",
     .help =
         "Where the sample begins: RFC 3339, seconds since 1970, -2h, -30m or now, at most 24 h "
         "back. Default: the end less the time limit.",
     .fallback = nullptr},
    {.id = Opt::kEndTime,
     .name = "end-time",
     .type = OptionType::kText,
     .kinds = kSample,
     .tab = kCapture,
     .label = "End time",
     .value_name = "TIME",
     .help = "Where the sample ends, written like the start time. Default: now.",
     .fallback = nullptr},
    {.id = Opt::kTimeLimit,
     .name = "time-limit",
     .type = OptionType::kNumber,
     .kinds = kLive,
     .tab = kCapture,
     .label = "Time limit (s)",
     .value_name = "SECONDS",
     .help = "Length of one request in seconds: how far a sample looks back, or how long a full "
             "capture runs.",
     .fallback = "300",
     .fallback_full = "60",
     .minimum = 1,
     .maximum = 300,
     .maximum_full = 86400},
    {.id = Opt::kPacketLimit,
     .name = "packet-limit",
     .type = OptionType::kNumber,
     .kinds = kLive,
     .tab = kCapture,
     .label = "Packet limit",
     .value_name = "PACKETS",
     .help = "Cloudflare ends a capture at this many packets.",
     .fallback = "10000",
     .minimum = 1,
     .maximum = 10000,
     .maximum_full = 10000},
    {.id = Opt::kByteLimit,
     .name = "byte-limit",
     .type = OptionType::kNumber,
     .kinds = kAnyFull,
     .tab = kCapture,
     .label = "Byte limit",
     .value_name = "BYTES",
     .help = "Cloudflare ends a full capture at this many bytes. Default: no such limit is sent.",
     .fallback = nullptr,
     .minimum = 1,
     .maximum = 1000000000,
     .maximum_full = 1000000000},
    {.id = Opt::kColo,
     .name = "colo",
     .type = OptionType::kText,
     .kinds = static_cast<unsigned>(InterfaceKind::kFull),
     .tab = kCapture,
     .label = "Data center",
     .value_name = "COLO",
     .help = "Cloudflare's code of the data center: ORD, or a single site such as ord02.",
     .fallback = nullptr},
    {.id = Opt::kColoPick,
     .name = "colo-pick",
     .type = OptionType::kPick,
     .kinds = static_cast<unsigned>(InterfaceKind::kFull),
     .tab = kCapture,
     .label = "Pick a data center",
     .value_name = "COLO",
     .help =
         "A data center of the list, which the reload button fills; it counts more than what is "
         "typed above.",
     .fallback = kAsTyped},
    {.id = Opt::kPcapId,
     .name = "pcap-id",
     .type = OptionType::kText,
     .kinds = kDownload,
     .tab = kCapture,
     .label = "Capture",
     .value_name = "ID",
     .help = "The 32-character id of the capture, or latest for the newest one started here.",
     .fallback = "latest"},
    {.id = Opt::kPcapIdPick,
     .name = "pcap-id-pick",
     .type = OptionType::kPick,
     .kinds = kDownload,
     .tab = kCapture,
     .label = "Pick a capture",
     .value_name = "ID",
     .help = "One of the account's captures, which the reload button lists; it counts more than "
             "what is typed above.",
     .fallback = kAsTyped},
    {.id = Opt::kRequestsPerWindow,
     .name = "requests-per-window",
     .type = OptionType::kNumber,
     .kinds = kSample,
     .tab = kFilter,
     .label = "Requests per window",
     .value_name = "N",
     .help =
         "How many requests may be used to ask for a filter that one request cannot say, such as "
         "both directions of a host. Cloudflare takes one sample request a minute.",
     .fallback = "2",
     .minimum = 1,
     .maximum = 4,
     .maximum_full = 4},
    {.id = Opt::kMaxRequests,
     .name = "max-requests",
     .type = OptionType::kNumber,
     .kinds = kSample,
     .tab = kFilter,
     .label = "Most requests",
     .value_name = "N",
     .help =
         "The most sample requests that one run may use, at one a minute; a run that needs more "
         "is refused with its price.",
     .fallback = "12",
     .minimum = 1,
     .maximum = 1440,
     .maximum_full = 1440},
    {.id = Opt::kIfBusy,
     .name = "if-busy",
     .type = OptionType::kChoice,
     .kinds = kAnyFull,
     .tab = kCapture,
     .label = "If a full capture is running",
     .value_name = "WHAT",
     .help =
         "Cloudflare runs one full capture at a time. If there is one: fail and name it, wait for "
         "its end, or attach to it.",
     .fallback = "fail",
     .choices = "fail,wait,attach"},
    {.id = Opt::kIfBroad,
     .name = "if-broad",
     .type = OptionType::kChoice,
     .kinds = kAnyFull,
     .tab = kFilter,
     .label = "If the filter is too broad",
     .value_name = "WHAT",
     .help =
         "When Cloudflare can be told neither an address nor a port of the filter, other traffic "
         "would use up the packet limit: refuse such a capture, or warn and run it.",
     .fallback = "refuse",
     .choices = "refuse,warn"},
    {.id = Opt::kLocalFilter,
     .name = "local-filter",
     .type = OptionType::kChoice,
     .kinds = kAll,
     .tab = kFilter,
     .label = "Apply the filter here, too",
     .value_name = "on|off",
     .help = "Test every packet with the whole capture filter. Off shows all that Cloudflare "
             "returned.",
     .fallback = "on",
     .choices = "on,off"},
    {.id = Opt::kFilterIpv6,
     .name = "filter-ipv6",
     .type = OptionType::kChoice,
     .kinds = kAll,
     .tab = kFilter,
     .label = "Send IPv6 addresses to Cloudflare",
     .value_name = "on|off",
     .help = "Cloudflare documents IPv4 addresses in its filter only. On sends IPv6 addresses as "
             "well.",
     .fallback = "off",
     .choices = "on,off"},
    {.id = Opt::kAccountId,
     .name = "account-id",
     .type = OptionType::kText,
     .kinds = kAll,
     .tab = kAccount,
     .label = "Account ID",
     .value_name = "ID",
     .help = "Cloudflare account: 32 hexadecimal characters from the dashboard's address bar.",
     .fallback = nullptr,
     .environment = "CLOUDFLARE_ACCOUNT_ID"},
    {.id = Opt::kApiToken,
     .name = "api-token",
     .type = OptionType::kSecret,
     .kinds = kAll,
     .tab = kAccount,
     .label = "API token",
     .value_name = "TOKEN",
     .help = "A token with the permission \"Magic Firewall Packet Captures: Edit\". Better kept in "
             "the configuration file or the environment than typed here.",
     .fallback = nullptr,
     .environment = "CLOUDFLARE_API_TOKEN"},
    {.id = Opt::kApiEmail,
     .name = "api-email",
     .type = OptionType::kText,
     .kinds = kAll,
     .tab = kAccount,
     .label = "E-mail (with API key)",
     .value_name = "ADDRESS",
     .help =
         "The user's e-mail address, for the older authentication by e-mail and global API key.",
     .fallback = nullptr,
     .environment = "CLOUDFLARE_EMAIL"},
    {.id = Opt::kApiKey,
     .name = "api-key",
     .type = OptionType::kSecret,
     .kinds = kAll,
     .tab = kAccount,
     .label = "Global API key",
     .value_name = "KEY",
     .help = "The user's global API key. A token is safer.",
     .fallback = nullptr,
     .environment = "CLOUDFLARE_API_KEY"},
    {.id = Opt::kProfile,
     .name = "profile",
     .type = OptionType::kText,
     .kinds = kAll,
     .tab = kAccount,
     .label = "Profile",
     .value_name = "NAME",
     .help = "The section of the configuration file to use.",
     .fallback = "default",
     .environment = "CLOUDFLAREDUMP_PROFILE"},
    {.id = Opt::kDestinationConf,
     .name = "destination-conf",
     .type = OptionType::kText,
     .kinds = kAnyFull,
     .tab = kBucket,
     .label = "Bucket Cloudflare writes to",
     .value_name = "URL",
     .help =
         "The registered bucket, as s3://bucket/directory?region=us-east-1, gs://bucket/directory "
         "or r2://bucket?account-id=…",
     .fallback = nullptr},
    {.id = Opt::kDestinationConfPick,
     .name = "destination-conf-pick",
     .type = OptionType::kPick,
     .kinds = kAnyFull,
     .tab = kBucket,
     .label = "Pick a bucket",
     .value_name = "URL",
     .help =
         "One of the registered buckets, which the reload button lists; it counts more than what "
         "is typed above.",
     .fallback = kAsTyped},
    {.id = Opt::kReadFrom,
     .name = "read-from",
     .type = OptionType::kText,
     .kinds = kAnyFull | kDownload,
     .tab = kBucket,
     .label = "Read from",
     .value_name = "URL|FOLDER",
     .help = "Where the files are read if not where Cloudflare writes them: a folder (a mount, a "
             "synced copy) or another bucket URL.",
     .fallback = nullptr},
    {.id = Opt::kStopWait,
     .name = "stop-wait",
     .type = OptionType::kNumber,
     .kinds = kAll,
     .tab = kAdvanced,
     .label = "Wait after Stop (s)",
     .value_name = "SECONDS",
     .help = "How long a stopped capture goes on delivering what was captured.",
     .fallback = "20",
     .minimum = 0,
     .maximum = 3600,
     .maximum_full = 3600},
    {.id = Opt::kMaxWait,
     .name = "max-wait",
     .type = OptionType::kNumber,
     .kinds = kAll,
     .tab = kAdvanced,
     .label = "Longest wait (s)",
     .value_name = "SECONDS",
     .help = "How long to wait for Cloudflare after the window or the time limit is over.",
     .fallback = "120",
     .fallback_full = "900",
     .minimum = 1,
     .maximum = 86400,
     .maximum_full = 86400},
    {.id = Opt::kKeepOriginals,
     .name = "keep-originals",
     .type = OptionType::kFolder,
     .kinds = kAll,
     .tab = kAdvanced,
     .label = "Keep original files in",
     .value_name = "DIR",
     .help = "Also save Cloudflare's files, untouched, in this folder.",
     .fallback = nullptr},
    {.id = Opt::kLogLevel,
     .name = "log-level",
     .type = OptionType::kChoice,
     .kinds = kAll,
     .tab = kAdvanced,
     .label = "Log level",
     .value_name = "LEVEL",
     .help = "How much is written to the log file.",
     .fallback = "message",
     .choices = "none,error,warning,message,info,debug,noisy",
     .environment = "CLOUDFLAREDUMP_LOG_LEVEL"},
    {.id = Opt::kLogFile,
     .name = "log-file",
     .type = OptionType::kFile,
     .kinds = kAll,
     .tab = kAdvanced,
     .label = "Log file",
     .value_name = "FILE",
     .help = "Append a log to this file. It holds no secrets.",
     .fallback = nullptr,
     .environment = "CLOUDFLAREDUMP_LOG"},
    {.id = Opt::kColos,
     .name = "colos",
     .type = OptionType::kText,
     .kinds = 0,
     .value_name = "LIST",
     .help =
         "The data centers that become interfaces, separated by commas; an empty list gives none.",
     .fallback = "IAD,ORD,LHR,FRA,SIN",
     .environment = "CLOUDFLAREDUMP_COLOS"},
    {.id = Opt::kApiBaseUrl,
     .name = "api-base-url",
     .type = OptionType::kText,
     .kinds = 0,
     .value_name = "URL",
     .help = "The address of Cloudflare's API.",
     .fallback = "https://api.cloudflare.com/client/v4",
     .environment = "CLOUDFLARE_API_BASE_URL,CLOUDFLARE_BASE_URL"},
    {.id = Opt::kTraceUrl,
     .name = "trace-url",
     .type = OptionType::kText,
     .kinds = 0,
     .value_name = "URL",
     .help = "Where to ask which data center this machine reaches.",
     .fallback = "https://cloudflare.com/cdn-cgi/trace",
     .environment = "CLOUDFLAREDUMP_TRACE_URL"},
    {.id = Opt::kRetryTime,
     .name = "retry-time",
     .type = OptionType::kNumber,
     .kinds = 0,
     .value_name = "SECONDS",
     .help = "How long faults of the network are borne while a capture of ours runs or is fetched.",
     .fallback = "600",
     .minimum = 0,
     .maximum = 86400,
     .maximum_full = 86400},
    {.id = Opt::kSampleInterval,
     .name = "sample-interval",
     .type = OptionType::kNumber,
     .kinds = 0,
     .value_name = "SECONDS",
     .help = "The pace at which Cloudflare takes sample requests: one in so many seconds.",
     .fallback = "60",
     .minimum = 0,
     .maximum = 3600,
     .maximum_full = 3600},
    {.id = Opt::kListingInterval,
     .name = "listing-interval",
     .type = OptionType::kNumber,
     .kinds = 0,
     .value_name = "SECONDS",
     .help = "A bucket is complete when two listings this far apart agree.",
     .fallback = "5",
     .minimum = 1,
     .maximum = 600,
     .maximum_full = 600},
    {.id = Opt::kBucketEndpoint,
     .name = "bucket-endpoint",
     .type = OptionType::kText,
     .kinds = 0,
     .value_name = "URL",
     .help = "The address of an S3-compatible server that is asked instead of the bucket's own.",
     .fallback = nullptr,
     .environment = "AWS_ENDPOINT_URL_S3,AWS_ENDPOINT_URL"},
    {.id = Opt::kAwsAccessKeyId,
     .name = "aws-access-key-id",
     .type = OptionType::kText,
     .kinds = 0,
     .value_name = "ID",
     .help = "Access key for reading the bucket (S3, R2, or Google's HMAC keys).",
     .fallback = nullptr,
     .environment = "AWS_ACCESS_KEY_ID"},
    {.id = Opt::kAwsSecretAccessKey,
     .name = "aws-secret-access-key",
     .type = OptionType::kSecret,
     .kinds = 0,
     .value_name = "SECRET",
     .help = "The secret of that access key.",
     .fallback = nullptr,
     .environment = "AWS_SECRET_ACCESS_KEY"},
    {.id = Opt::kAwsSessionToken,
     .name = "aws-session-token",
     .type = OptionType::kSecret,
     .kinds = 0,
     .value_name = "TOKEN",
     .help = "The session token that goes with temporary keys.",
     .fallback = nullptr,
     .environment = "AWS_SESSION_TOKEN"},
};

constexpr bool InOrder() {
  for (std::size_t i = 0; i < std::size(kOptions); ++i) {
    if (static_cast<std::size_t>(kOptions[i].id) != i) return false;
  }
  return std::size(kOptions) == static_cast<std::size_t>(Opt::kCount);
}
static_assert(InOrder(), "kOptions has one row for each Opt, in its order");

bool IsFull(InterfaceKind kind) {
  return (static_cast<unsigned>(kind) & kAnyFull) != 0;
}

}  // namespace

std::span<const Option> AllOptions() {
  return kOptions;
}

const Option& OptionOf(Opt id) {
  return kOptions[static_cast<std::size_t>(id)];
}

Opt PickedFor(Opt pick) {
  if (pick == Opt::kColoPick) return Opt::kColo;
  return pick == Opt::kPcapIdPick ? Opt::kPcapId : Opt::kDestinationConf;
}

unsigned DialogNumber(Opt id, InterfaceKind kind) {
  const auto before = std::span(kOptions).first(static_cast<std::size_t>(id));
  return static_cast<unsigned>(std::ranges::count_if(
      before, [kind](const Option& option) { return AppliesTo(option, kind); }));
}

const Option* FindOption(std::string_view name) {
  const auto row = std::ranges::find_if(kOptions, [&](const Option& o) { return o.name == name; });
  return row == std::end(kOptions) ? nullptr : row;
}

bool AppliesTo(const Option& option, InterfaceKind kind) {
  return (option.kinds & static_cast<unsigned>(kind)) != 0;
}

const char* FallbackOf(const Option& option, InterfaceKind kind) {
  const bool full = kind != InterfaceKind::kSample && option.fallback_full != nullptr;
  return full ? option.fallback_full : option.fallback;
}

std::uint64_t MaximumOf(const Option& option, InterfaceKind kind) {
  return IsFull(kind) ? option.maximum_full : option.maximum;
}

Result<void> CheckValue(const Option& option, InterfaceKind kind, std::string_view value,
                        std::string_view where) {
  const auto refuse = [&](const std::string& need) {
    return Fail(Format("%s is \"%s\" (%s), but it must be %s.", option.name,
                       CleanLine(value, 60).c_str(), std::string(where).c_str(), need.c_str()),
                Error::Kind::kUsage);
  };
  if (option.type == OptionType::kNumber) {
    const std::uint64_t maximum = MaximumOf(option, kind);
    const auto number = ParseNumber(value);
    if (!number || *number < option.minimum || *number > maximum) {
      return refuse("a whole number from " + WithThousands(option.minimum) + " to " +
                    WithThousands(maximum));
    }
  }
  if (option.type == OptionType::kChoice) {
    const auto choices = Split(option.choices, ',');
    if (std::ranges::find(choices, value) == choices.end()) {
      std::string list;
      for (std::size_t i = 0; i < choices.size(); ++i) {
        if (i > 0) list += i + 1 == choices.size() ? " or " : ", ";
        list += choices[i];
      }
      return refuse(list);
    }
  }
  return {};
}

}  // namespace cloudflaredump
