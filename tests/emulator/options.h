// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/answer_rules.h"
#include "tests/emulator/sample.h"

namespace cloudflare_emulator {

/// The command line. What each option means is said by --help (options.cpp).
struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;

  std::string account = "023e105f4ecef8ad9ca31a8372d0c353";
  std::string token = "emulator-token";
  std::string read_token;
  std::string email = "user@example.com";
  std::string key = "emulator-key";

  std::vector<std::string> packets;
  bool rebase = false;
  std::uint64_t seed = 1;
  std::optional<std::uint32_t> link_type;
  std::optional<bool> nanoseconds;
  bool big_endian = false;
  std::string serve_as_is;
  WindowEnds window_ends = WindowEnds::kClosed;
  bool filter_ipv6 = true;

  double sample_interval = 60;
  double job_seconds = 1;
  std::string job_result = "success";
  bool newest_first = true;
  double speed = 1;
  std::string trace_colo = "SIN";

  std::vector<AnswerRule> rules;
  std::vector<std::string> rule_headers;
  RuleBody rule_body = RuleBody::kJson;
  double answer_delay = 0;
  std::uint64_t download_rate = 0;  ///< Bytes a second; 0: as fast as it goes.

  std::string log;
};

/// Why the program ends before it has begun.
struct OptionsEnd {
  int exit_status = 2;
  std::string text;  ///< One sentence for stderr; the help if exit_status is 0.
};

std::expected<Options, OptionsEnd> ParseOptions(int argc, char** argv);

}  // namespace cloudflare_emulator
