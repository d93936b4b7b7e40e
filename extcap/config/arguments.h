// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>
#include <string>
#include <vector>

#include "extcap/config/options.h"

namespace cloudflaredump::config {

/// A flag or option that is no setting: `--fifo PATH`, `-w FILE`, `--json`. The caller owns what
/// `text`, `list` and `flag` point to; exactly one of them is set.
struct ExtraArgument {
  const char* name = nullptr;
  char letter = 0;
  std::string* text = nullptr;
  std::vector<std::string>* list = nullptr;  ///< an option that may be given several times
  bool* flag = nullptr;
  const char* help = nullptr;
  const char* value_name = nullptr;
};

/// What a command line said.
struct Arguments {
  OptionValues values;
  std::vector<std::string> words;  ///< What is neither an option nor an option's value.
};

/// What --help says of a command.
struct CommandHelp {
  const char* usage = "";    ///< what stands behind the options, such as "ID"
  const char* summary = "";  ///< one or more sentences, in lines that fit a terminal
  /// The settings that count for the command; none: all of them. The others are taken as well, so
  /// that a script may give the same words to every command, and are not shown.
  std::span<const Opt> options = {};
};

/// What becomes of an option that is in no table.
enum class UnknownOptions {
  kRefuse,  ///< A person mistyped.
  kIgnore,  ///< Wireshark may be newer than we are.
};

/// Parses argv[1…] by GOptionContext from the options table and `extra`. Takes `--x value` and
/// `--x=value`. Values of secret options are wiped from argv's memory before this returns, and
/// registered with RegisterSecret. --help prints `help` to stdout and ends the process with status
/// 0.
Result<Arguments> ParseArguments(int argc, char** argv, std::span<const ExtraArgument> extra,
                                 const CommandHelp& help,
                                 UnknownOptions unknown = UnknownOptions::kRefuse);

/// The same for a command line of Wireshark's, which may hold options that we do not know. Secrets
/// may have been handed over by the face (SetSecretsAside).
Result<Arguments> ParseExtcapArguments(int argc, char** argv, std::span<const ExtraArgument> extra);

}  // namespace cloudflaredump::config
