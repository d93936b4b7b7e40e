// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include "common/result.h"

namespace cloudflaredump::tool {

/// Runs a command of `cloudflaredump`. argv[0] is the command's name. Returns the process's exit
/// status; errors are one line on stderr.
int CaptureCommand(int argc, char** argv);
int ListCommand(int argc, char** argv);
int ShowCommand(int argc, char** argv);
int StopCommand(int argc, char** argv);
int ExplainCommand(int argc, char** argv);
int RegisterBucketCommand(int argc, char** argv);
int ColosCommand(int argc, char** argv);
int CheckCommand(int argc, char** argv);
int CompareCommand(int argc, char** argv);

/// Prints `error` on stderr as "cloudflaredump: sentence" and returns 2 for a usage error, else 1.
int Complain(const Error& error);

}  // namespace cloudflaredump::tool
