// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/tool/compare_capture.h"

#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/text.h"
#include "common/time.h"
#include "extcap/bucket/vendor_tool.h"
#include "extcap/capture/run_capture.h"
#include "extcap/system/child_command.h"
#include "extcap/system/file_sink.h"
#include "extcap/tool/commands.h"
#include "extcap/tool/terminal_reporter.h"

namespace cloudflaredump::tool {
namespace {

using namespace std::chrono_literals;
using system::ChildCommand;

/// A pcap header is on its way when a remote tcpdump has started.
constexpr Duration kStartLimit = 20s;
/// Packets of the window's end are still on their way.
constexpr Duration kLinger = 2s;
constexpr Duration kStopLimit = 5s;

/// A private folder that goes with everything in it.
class WorkFolder {
 public:
  static Result<WorkFolder> Make() {
    char* const path = g_dir_make_tmp("cloudflaredump-XXXXXX", nullptr);
    if (path == nullptr) return Fail("no temporary folder can be made");
    WorkFolder folder(path);
    g_free(path);
    return folder;
  }
  WorkFolder(WorkFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  WorkFolder& operator=(WorkFolder&&) = delete;
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  ~WorkFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  explicit WorkFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

using Commands = std::vector<std::unique_ptr<ChildCommand>>;

std::unexpected<Error> FailEarly(const ChildCommand& command) {
  Error error{.what = Format("the command \"%s\" ended before the capture was over",
                             CleanLine(command.line(), 80).c_str())};
  error.said = command.LastWords();
  return std::unexpected(std::move(error));
}

const ChildCommand* FirstEnded(const Commands& commands) {
  const auto ended = std::ranges::find_if(commands, [](const auto& c) { return c->HasEnded(); });
  return ended == commands.end() ? nullptr : ended->get();
}

/// Waits for `done` or `limit`; an Error if a command ends meanwhile or the user stops us. GLib
/// tells us of the end of a child only in its loop, so it is asked often.
Result<bool> Wait(capture::Engine& engine, const Commands& commands, Duration limit,
                  const std::function<bool()>& done) {
  const auto deadline = engine.loop().Steady() + limit;
  for (;;) {
    if (engine.stop().AtLeast(system::StopLevel::kStop)) return Stopped();
    if (const ChildCommand* ended = FirstEnded(commands)) return FailEarly(*ended);
    if (done()) return true;
    if (engine.loop().Steady() >= deadline) return false;
    const auto step = std::min(deadline, engine.loop().Steady() + 50ms);
    engine.loop().RunUntil(engine.stop().Stopping(), step);
  }
}

void StopAll(capture::Engine& engine, const Commands& commands) {
  for (const auto& command : commands) command->Stop();
  const auto deadline = engine.loop().Steady() + kStopLimit;
  const auto all_ended = [&commands] {
    return std::ranges::all_of(commands, [](const auto& c) { return c->HasEnded(); });
  };
  while (!all_ended() && engine.loop().Steady() < deadline) {
    engine.loop().RunUntil(all_ended, engine.loop().Steady() + 50ms);
  }
}

Result<Commands> StartAll(capture::Engine& engine, const BothSides& sides,
                          const WorkFolder& folder) {
  // As from AWS's own tool: AWS's variables may be what ssh needs to get there.
  const auto hides = bucket::VendorTool(bucket::StoreKind::kS3, {}).hides;
  Commands commands;
  for (std::size_t i = 0; i < sides.commands.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    auto started = ChildCommand::Start(sides.commands[i], folder.File("local" + number + ".pcap"),
                                       folder.File("local" + number + ".err"), hides);
    if (!started) return Failure(started);
    commands.push_back(*std::move(started));
  }
  const auto all_write = [&commands] {
    return std::ranges::all_of(commands, [](const auto& c) { return c->Written() > 0; });
  };
  const auto writing = Wait(engine, commands, kStartLimit, all_write);
  if (!writing) return Failure(writing);
  if (*writing) return commands;
  for (const auto& command : commands) {
    if (command->Written() > 0) continue;
    Error error{
        .what = Format("the command \"%s\" has written nothing in %s",
                       CleanLine(command->line(), 80).c_str(), FormatSpan(kStartLimit).c_str()),
        .remedy = "let it write a capture to its standard output, as tcpdump -U -w - does"};
    error.said = command->LastWords();
    return std::unexpected(std::move(error));
  }
  return commands;
}

Result<void> RunInto(capture::Engine& engine, const config::Settings& settings,
                     const char* interface_name, const std::string& filter, const std::string& path,
                     bool quiet) {
  auto interface = config::FindInterface(interface_name);
  if (!interface) return Failure(interface);
  TerminalReporter reporter(isatty(STDERR_FILENO) != 0 && !quiet, quiet);
  system::FileSink sink(path);
  const capture::Outcome outcome =
      capture::RunCapture(engine, settings, *interface, filter, sink, reporter);
  reporter.Clear();
  const auto status = capture::StatusOf(outcome);
  const bool begun = status == capture::ExitStatus::kIncomplete;
  if (outcome.error && !begun) return std::unexpected(*outcome.error);
  if (outcome.stopped) return Stopped();
  // What there is can be compared; the routers' side cannot be captured again.
  if (outcome.error) {
    Complain(*outcome.error);
  } else if (begun && !quiet) {
    std::fprintf(stderr, "cloudflaredump: %s\n", CleanLine(outcome.verdict, 1000).c_str());
  }
  return {};
}

/// Opens the files for good, so that their folder can go.
Result<CapturedSides> WithoutNames(CapturedSides captured) {
  std::vector<compare::InputFile*> files = {&captured.cloudflare};
  for (compare::InputFile& file : captured.locals) files.push_back(&file);
  for (compare::InputFile* const file : files) {
    const int fd = open(file->path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
      return Fail("cannot read " + file->name + " again: " + std::strerror(errno));
    }
    auto path = KeepOpen(fd);
    close(fd);
    if (!path) return Failure(path);
    file->path = *path;
  }
  return captured;
}

WallTime WholeSecondAfter(WallTime time) {
  return std::chrono::ceil<std::chrono::seconds>(time);
}

/// The earlier capture that `settings` name.
Result<CapturedSides> FetchEarlier(capture::Engine& engine, const config::Settings& settings,
                                   const WorkFolder& folder, bool quiet) {
  const std::string file = folder.File("cloudflare.pcapng");
  auto got = RunInto(engine, settings, "cloudflare-download", "", file, quiet);
  if (!got) return Failure(got);
  return WithoutNames({{file, "capture " + settings.Text(config::Opt::kPcapId)}, {}});
}

/// The routers' captures, then the sample of their time.
Result<CapturedSides> CaptureTogether(capture::Engine& engine, const BothSides& sides,
                                      config::OptionValues values, const WorkFolder& folder) {
  auto commands = StartAll(engine, sides, folder);
  if (!commands) return Failure(commands);
  system::EventLoop& loop = engine.loop();
  const WallTime start = WholeSecondAfter(loop.Now());
  const WallTime end = start + std::chrono::seconds(sides.seconds);
  if (!sides.quiet && isatty(STDERR_FILENO) != 0) {
    std::fprintf(stderr, "cloudflaredump: capturing both sides for %s\n",
                 FormatSpan(end - start).c_str());
  }
  const auto lasted =
      Wait(engine, *commands, std::chrono::hours(25), [&] { return loop.Now() >= end + kLinger; });
  if (!lasted) return Failure(lasted);
  StopAll(engine, *commands);
  CapturedSides captured{{folder.File("cloudflare.pcapng"), "the sample of this comparison"}, {}};
  for (const auto& command : *commands) {
    // Not by the command, which may hold a password: the name goes into reports.
    captured.locals.emplace_back(command->output(),
                                 Format("router %zu", captured.locals.size() + 1));
  }
  values[static_cast<std::size_t>(config::Opt::kStartTime)] = FormatRfc3339(start);
  values[static_cast<std::size_t>(config::Opt::kEndTime)] = FormatRfc3339(end);
  auto window =
      config::Settings::Load(values, config::InterfaceKind::kSample, system::ProcessEnvironment);
  if (!window) return Failure(window);
  auto got = RunInto(engine, *window, "cloudflare-sample", sides.filter, captured.cloudflare.path,
                     sides.quiet);
  if (!got) return Failure(got);
  return WithoutNames(std::move(captured));
}

/// Captures, and leaves no folder and no command behind.
Result<CapturedSides> Capture(capture::Engine& engine, const BothSides& sides,
                              const config::OptionValues& values,
                              const config::Settings& settings) {
  const auto folder = WorkFolder::Make();
  if (!folder) return Failure(folder);
  return sides.seconds == 0 ? FetchEarlier(engine, settings, *folder, sides.quiet)
                            : CaptureTogether(engine, sides, values, *folder);
}

}  // namespace

Result<std::string> KeepOpen(int fd) {
  const int kept = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (kept < 0) return Fail(std::string("too many open files: ") + std::strerror(errno));
  return Format("/dev/fd/%d", kept);
}

Result<CapturedSides> CaptureBothSides(const BothSides& sides, config::OptionValues values) {
  // The comparison tests packets itself: those that the filter rejects still tell how clocks
  // differ.
  values[static_cast<std::size_t>(config::Opt::kLocalFilter)] = "off";
  const auto kind =
      sides.seconds == 0 ? config::InterfaceKind::kDownload : config::InterfaceKind::kSample;
  auto settings = config::Settings::Load(values, kind, system::ProcessEnvironment);
  if (!settings) return Failure(settings);
  if (auto access = capture::FindAccess(*settings); !access) return Failure(access);
  auto engine = capture::Engine::Make(*settings, system::ProcessEnvironment);
  if (!engine) return Failure(engine);
  auto captured = Capture(**engine, sides, values, *settings);
  if (captured) (*engine)->stop().HandBack();
  return captured;
}

}  // namespace cloudflaredump::tool
