// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/config/options.h"

namespace cloudflaredump::config {

/// The option whose value TakeSecrets reads; in no table.
inline constexpr const char* kSecretsFd = "secrets-fd";

/// An option on a command line whose value must not be visible there.
struct SecretWord {
  const Option* option;
  char* value;  ///< in argv's own memory
};

/// Finds the secret option that begins at argv[i], its value after "=" or in the next word.
std::optional<SecretWord> SecretAt(int argc, char** argv, int i);

/// Moves the values of secret options (HoldsSecret) from argv into a pipe, for the program that
/// this one is about to exec. Wipes them from argv's own memory, and so from /proc/PID/cmdline,
/// before that larger program is loaded. Returns the words for exec: argv with empty secrets, and
/// the option kSecretsFd if there were any. If a pipe cannot be created, or cannot hold them, argv
/// stays as it is, and the other program wipes its own.
std::vector<std::string> SetSecretsAside(int argc, char** argv);

/// Reads the values that SetSecretsAside left in the pipe `fd` (a number as text) into `values`,
/// and closes it. An Error if it is not such a pipe.
Result<void> TakeSecrets(const std::string& fd, OptionValues& values);

}  // namespace cloudflaredump::config
