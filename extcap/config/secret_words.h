// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/config/options.h"

namespace cloudflaredump::config {

/// The option that TakeSecrets is given the value of; its own, in no table.
inline constexpr const char* kSecretsFd = "secrets-fd";

/// An option on a command line whose value must not be seen there.
struct SecretWord {
  const Option* option;
  char* value;  ///< in argv's own memory
};

/// The secret option that begins at argv[i], its value either in the same word behind "=" or in the
/// next one; none if there is none.
std::optional<SecretWord> SecretAt(int argc, char** argv, int i);

/// For a program that is about to become another one by exec: moves the values of secret options
/// (HoldsSecret) from argv into an anonymous file in memory, which the other one inherits. In
/// argv's own memory, and so in /proc/PID/cmdline, they are wiped at once, before a larger program
/// has been loaded. Returns the words for exec: argv with empty secrets, and the option kSecretsFd
/// if there were any. Where no such file can be made all stays as it is: the other program wipes
/// its own argv.
std::vector<std::string> SetSecretsAside(int argc, char** argv);

/// Puts the values that SetSecretsAside left in the file with the descriptor `fd` (as text) into
/// `values`, and closes it. An Error if it is no such file.
Result<void> TakeSecrets(const std::string& fd, OptionValues& values);

}  // namespace cloudflaredump::config
