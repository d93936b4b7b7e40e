// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <glib.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/result.h"
#include "common/time.h"

namespace cloudflaredump::system {

/// Whether a program does not get a variable of our environment.
using HidesVariable = std::function<bool(const std::string& name, const std::string& value)>;

/// A list of texts that ends with a null, freed with them.
struct StrvFree {
  void operator()(char** texts) const { g_strfreev(texts); }
};
using Strv = std::unique_ptr<char*, StrvFree>;

/// Our environment without what `hides`, which may be empty.
Strv EnvironmentWithout(const HidesVariable& hides);

/// Another program to run, and what of our environment it gets.
struct Program {
  std::vector<std::string> argv;  ///< The first is a name, looked for in PATH (see RunProgram).
  HidesVariable hides = {};       ///< Empty: it gets all.
  std::map<std::string, std::string> variables = {};  ///< Set for it, hidden or not.
  Duration limit = std::chrono::seconds(60);          ///< On the real clock, whatever our speed.
  std::size_t max_output = std::size_t{64} << 10;     ///< Of stdout and of stderr, each.
};

/// How a program ended.
struct ProgramEnd {
  bool found = true;  ///< False if there is no such program; then all else is empty.
  int status = 0;     ///< Its exit status, or 128 plus the signal that ended it, as shells count.
  std::string out = {};
  std::string err = {};
};

/// Runs `program` to its end, without a terminal: in a session of its own, stdin from /dev/null,
/// none of our descriptors. It is looked for in PATH, then in the folders where installers put
/// programs that a desktop's PATH may lack (/usr/local/bin, /opt/homebrew/bin, /snap/bin); it gets
/// a PATH with these. Does not run the event loop. An Error, after which the program and what it
/// started are killed: longer than its limit (kPassing), more output than its bound, or once
/// `stop`, asked every few milliseconds, says so (kInterrupted). No output is in an Error.
Result<ProgramEnd> RunProgram(const Program& program, const std::function<bool()>& stop);

/// RunProgram, for tests to play other programs.
using ProgramRunner =
    std::function<Result<ProgramEnd>(const Program&, const std::function<bool()>& stop)>;

}  // namespace cloudflaredump::system
