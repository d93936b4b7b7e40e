// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <gio/gio.h>

#include <cstdint>
#include <memory>
#include <string>

#include "common/result.h"
#include "extcap/system/run_program.h"

namespace cloudflaredump::system {

/// A command of the user's that runs beside us and writes a capture into a file. Ended with this
/// object.
class ChildCommand {
 public:
  /// Starts `line`, cut into words as a shell would, but without a shell, and without the variables
  /// that `hides`. Its standard output goes to the new file at `output`, what it says on stderr to
  /// one at `complaints`. An Error if the line cannot be cut or the program cannot be started.
  static Result<std::unique_ptr<ChildCommand>> Start(const std::string& line,
                                                     const std::string& output,
                                                     const std::string& complaints,
                                                     const HidesVariable& hides);
  ~ChildCommand();
  ChildCommand(const ChildCommand&) = delete;
  ChildCommand& operator=(const ChildCommand&) = delete;

  bool HasEnded() const;
  /// Asks it to end (SIGTERM).
  void Stop();
  /// Ends it at once.
  void Kill();
  /// Bytes that it has written so far.
  std::uint64_t Written() const;
  /// The last line that it said on stderr, cleaned; empty if there is none.
  std::string LastWords() const;

  const std::string& line() const { return line_; }
  const std::string& output() const { return output_; }

 private:
  ChildCommand(std::string line, std::string output, std::string complaints, GSubprocess* process)
      : line_(std::move(line)),
        output_(std::move(output)),
        complaints_(std::move(complaints)),
        process_(process) {}

  std::string line_, output_, complaints_;
  GSubprocess* process_;
};

}  // namespace cloudflaredump::system
