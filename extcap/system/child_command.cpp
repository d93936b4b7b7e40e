// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/system/child_command.h"

#include <gio/gio.h>
#include <signal.h>
#include <sys/stat.h>

#include "common/text.h"

namespace cloudflaredump::system {
namespace {

std::string TakeComplaint(GError* error) {
  std::string why = CleanLine(error->message);
  g_error_free(error);
  return why;
}

}  // namespace

Result<std::unique_ptr<ChildCommand>> ChildCommand::Start(const std::string& line,
                                                          const std::string& output,
                                                          const std::string& complaints,
                                                          const HidesVariable& hides) {
  char** words = nullptr;
  GError* error = nullptr;
  if (g_shell_parse_argv(line.c_str(), nullptr, &words, &error) == FALSE) {
    return Fail(Format("the command \"%s\" cannot be read: %s", CleanLine(line, 80).c_str(),
                       TakeComplaint(error).c_str()),
                Error::Kind::kUsage);
  }
  GSubprocessLauncher* const launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
  g_subprocess_launcher_set_stdout_file_path(launcher, output.c_str());
  g_subprocess_launcher_set_stderr_file_path(launcher, complaints.c_str());
  g_subprocess_launcher_set_environ(launcher, EnvironmentWithout(hides).get());
  GSubprocess* const process = g_subprocess_launcher_spawnv(launcher, words, &error);
  g_object_unref(launcher);
  g_strfreev(words);
  if (process == nullptr) {
    return Fail(Format("the command \"%s\" cannot be started: %s", CleanLine(line, 80).c_str(),
                       TakeComplaint(error).c_str()));
  }
  return std::unique_ptr<ChildCommand>(new ChildCommand(line, output, complaints, process));
}

ChildCommand::~ChildCommand() {
  if (!HasEnded()) Kill();
  g_object_unref(process_);
}

bool ChildCommand::HasEnded() const {
  // GLib forgets the identifier when the process is gone.
  return g_subprocess_get_identifier(process_) == nullptr;
}

void ChildCommand::Stop() {
  g_subprocess_send_signal(process_, SIGTERM);
}

void ChildCommand::Kill() {
  g_subprocess_force_exit(process_);
}

std::uint64_t ChildCommand::Written() const {
  struct stat status = {};
  return stat(output_.c_str(), &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
}

std::string ChildCommand::LastWords() const {
  char* text = nullptr;
  if (g_file_get_contents(complaints_.c_str(), &text, nullptr, nullptr) == FALSE) return {};
  const std::string all = text;
  g_free(text);
  std::string last;
  for (const std::string_view line : Split(all, '\n')) {
    if (!Trim(line).empty()) last = CleanLine(Trim(line));
  }
  return last;
}

}  // namespace cloudflaredump::system
