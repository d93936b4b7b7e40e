// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "extcap/config/options.h"

namespace cloudflaredump::config {

/// A flag or option that is not a setting: `--fifo PATH`, `-w FILE`, `--json`. One with the name of
/// a setting takes its place. The caller owns what `text`, `list` and `flag` point to; exactly one
/// of them is set.
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
  std::vector<std::string> words;  ///< what is neither an option nor an option's value
  std::vector<std::string> extra;  ///< names of the ExtraArguments that were given, empty ones too

  bool Has(std::string_view name) const;  ///< Whether that ExtraArgument was given.
};

/// What --help says about a command.
struct CommandHelp {
  const char* usage = "";    ///< what follows the options, such as "ID"
  const char* summary = "";  ///< one or more sentences, in lines that fit a terminal
  /// The settings that matter to the command; empty for all of them. The others are accepted but
  /// not shown, so that a script can pass the same options to every command. What only the dialog
  /// needs (kPick) is never shown.
  std::span<const Opt> options = {};
  Opt no_default = Opt::kCount;  ///< Selects what the command does, so its default does not count.
};

/// What to do with an option that is in no table.
enum class UnknownOptions {
  kRefuse,  ///< a person mistyped it
  kIgnore,  ///< Wireshark may be newer than we are
};

/// Parses argv[1…] with GOptionContext from the options table and `extra`. Accepts `--x value` and
/// `--x=value`. Wipes the values of secret options from argv's memory and registers them with
/// RegisterSecret. --help prints `help` to stdout and ends the process with status 0.
Result<Arguments> ParseArguments(int argc, char** argv, std::span<const ExtraArgument> extra,
                                 const CommandHelp& help,
                                 UnknownOptions unknown = UnknownOptions::kRefuse);

/// Parses a command line of Wireshark's, which may contain options that we do not know. The front
/// end may have passed secrets separately (SetSecretsAside).
Result<Arguments> ParseExtcapArguments(int argc, char** argv, std::span<const ExtraArgument> extra);

}  // namespace cloudflaredump::config
