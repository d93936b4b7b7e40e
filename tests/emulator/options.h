// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/answer_rules.h"
#include "tests/emulator/parts.h"
#include "tests/emulator/places.h"
#include "tests/emulator/router_side.h"
#include "tests/emulator/sample.h"

namespace cloudflare_emulator {

// The command line, by what it is about. What each option means is said by --help
// (option_table.cpp), what is left out there has the value it has here.

struct ListenOptions {
  std::string host = "127.0.0.1";  ///< A literal address; IPv6 in brackets.
  std::uint16_t port = 0;
};

struct AccessOptions {
  std::string account = "023e105f4ecef8ad9ca31a8372d0c353";
  std::string token = "emulator-token";
  std::string read_token{};
  std::string email = "user@example.com";
  std::string key = "emulator-key";
};

struct PacketOptions {
  std::vector<std::string> files{};
  std::string serve_as_is{};
  std::uint64_t seed = 1;
  std::optional<std::uint32_t> link_type{};
  WindowEnds window_ends = WindowEnds::kClosed;
  std::optional<bool> nanoseconds{};
  bool rebase = false;
  bool big_endian = false;
};

/// The name under which a full capture's data center is sent and shown: the published pages
/// disagree.
enum class ColoField { kColoName, kColo, kBoth };

struct CaptureOptions {
  double sample_interval = 60;  ///< Seconds, as the next.
  double job_seconds = 1;
  double late = 0;    ///< Seconds of the wall clock until a packet is in samples.
  double others = 0;  ///< Seconds between other users' samples; 0: there are none.
  double speed = 1;
  std::string job_result = "success";
  std::string no_packets_result = "failed";
  std::string trace_colo = "SIN";
  std::vector<std::string> registered{};
  ColoField colo_field = ColoField::kColoName;
  bool colo_strict = false;
  bool filter_ipv6 = true;
  bool newest_first = true;
  bool show_keys = false;
};

/// Where packets enter and what drops them.
struct PlaceOptions {
  std::vector<PacketRule> entries{};
  std::vector<PacketRule> drops{};
  std::string egress = "src net 203.0.113.0/24 or src net 2001:db8:113::/48";
};

/// Whether the token may read the account's analytics, and whether they have the dataset.
enum class AnalyticsAccess { kOn, kDenied, kAbsent };

struct AnalyticsOptions {
  AnalyticsAccess access = AnalyticsAccess::kOn;
  std::int64_t max_duration = 604800;     ///< Seconds.
  std::int64_t not_older_than = 9676800;  ///< Seconds: 16 weeks.
  std::int64_t max_page_size = 10000;
  std::size_t budget = 300;       ///< Queries in five minutes.
  std::int64_t interval = 10000;  ///< Packets behind one sample.
  bool tells_interval = true;     ///< avg.sampleInterval is there.
  double lag = 0;                 ///< Seconds until a packet is known.
  double speed = 1;
};

struct AnswerOptions {
  std::vector<AnswerRule> rules{};
  std::vector<std::string> headers{};
  double delay = 0;                 ///< Seconds.
  std::uint64_t download_rate = 0;  ///< Bytes a second; 0: as fast as it goes.
  RuleBody body = RuleBody::kJson;
};

struct Options {
  ListenOptions listen{};
  AccessOptions access{};
  PacketOptions packets{};
  CaptureOptions captures{};
  PartOptions parts{};
  PlaceOptions places{};
  AnalyticsOptions analytics{};
  AnswerOptions answers{};
  RouterOptions routers{};
  std::string log{};
};

/// Why the program ends before it has begun.
struct OptionsEnd {
  int exit_status = 2;
  std::string text{};  ///< One sentence for stderr; the help if exit_status is 0.
};

std::expected<Options, OptionsEnd> ParseOptions(int argc, char** argv);

}  // namespace cloudflare_emulator
