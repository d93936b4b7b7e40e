// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>

#include "common/json.h"
#include "common/redact.h"
#include "common/text.h"
#include "extcap/capture/bucket_source.h"
#include "extcap/capture/job_watch.h"
#include "extcap/capture/run_capture.h"
#include "extcap/config/arguments.h"
#include "extcap/system/fifo_sink.h"
#include "extcap/system/file_sink.h"
#include "extcap/tool/capture_report.h"
#include "extcap/tool/commands.h"
#include "extcap/tool/report_text.h"
#include "extcap/tool/terminal_reporter.h"

namespace cloudflaredump::tool {
namespace {

struct CaptureWords {
  std::string interface;
  std::string filter;
  std::string file;
  std::string report;
  bool progress = false;
  bool quiet = false;
  bool json = false;
};

constexpr const char* kCaptureSummary =
    "Capture packets in Cloudflare's network into a pcapng file.\n"
    "\n"
    "Exit status: 0 complete, 1 failed, 2 usage error, 3 complete but no packets,\n"
    "4 incomplete (limit reached, file lost, or stopped early; stopping a live sample\n"
    "once its first window is complete does not make it incomplete). Ctrl-C stops a\n"
    "full capture at Cloudflare and still writes its packets; of a sample it writes\n"
    "what is there. A second Ctrl-C exits immediately.";

Result<config::Arguments> Parse(int argc, char** argv, CaptureWords& words) {
  const config::ExtraArgument extra[] = {
      {.name = "interface",
       .letter = 'i',
       .text = &words.interface,
       .help = "Capture on this interface, such as cloudflare-sample.",
       .value_name = "NAME"},
      {.name = "filter",
       .letter = 'f',
       .text = &words.filter,
       .help = "Use this capture filter, as for tcpdump.",
       .value_name = "FILTER"},
      {.name = "write",
       .letter = 'w',
       .text = &words.file,
       .help =
           "Write to this file, or to standard output if it is -. strftime sequences such as %F "
           "and %H%M are replaced with the local time at the start; write %% for a percent sign.",
       .value_name = "FILE"},
      {.name = "report",
       .text = &words.report,
       .help = "Write a report in Markdown, ready to paste into a ticket. The name may contain "
               "strftime sequences, as for -w.",
       .value_name = "FILE"},
      {.name = "progress",
       .flag = &words.progress,
       .help = "Show progress on stderr even if it is not a terminal."},
      {.name = "quiet", .letter = 'q', .flag = &words.quiet, .help = "Show only errors."},
      {.name = "json",
       .flag = &words.json,
       .help = "Print a summary as JSON on standard output (on stderr with -w -)."},
  };
  auto arguments = config::ParseArguments(
      argc, argv, extra, {.usage = "-i NAME -w FILE [-f FILTER]", .summary = kCaptureSummary});
  if (!arguments) return arguments;
  if (!arguments->words.empty()) {
    return Fail(
        Format("unexpected argument \"%s\"", CleanLine(arguments->words.front(), 40).c_str()),
        "put the filter in quotes after -f", Error::Kind::kUsage);
  }
  if (words.interface.empty()) {
    return Fail("no interface given", "name one with -i, such as -i cloudflare-sample",
                Error::Kind::kUsage);
  }
  if (words.file.empty()) {
    return Fail("no output file given", "name one with -w FILE, or use -w - for standard output",
                Error::Kind::kUsage);
  }
  if (words.file == "-" && isatty(STDOUT_FILENO) != 0) {
    return Fail("refusing to write binary data to a terminal",
                "name a file with -w, or pipe standard output", Error::Kind::kUsage);
  }
  return arguments;
}

/// Puts the local time in the place of strftime's marks in `path`, as tcpdump does.
Result<void> FillInTime(std::string& path, const char* option, std::time_t now) {
  if (!path.contains('%')) return {};
  std::tm local = {};
  localtime_r(&now, &local);
  std::array<char, PATH_MAX> filled = {};
  if (std::strftime(filled.data(), filled.size(), path.c_str(), &local) == 0) {
    return Fail(Format("%s with the time in it is too long or empty", option), Error::Kind::kUsage);
  }
  path = filled.data();
  return {};
}

/// Names the options that were typed and mean nothing on this interface.
void WarnOfOthersOptions(const config::OptionValues& given,
                         const config::CaptureInterface& interface, TerminalReporter& reporter) {
  for (const config::Option& option : config::AllOptions()) {
    const bool typed = given[static_cast<std::size_t>(option.id)].has_value();
    if (!typed || option.tab == nullptr || config::AppliesTo(option, interface.kind)) continue;
    reporter.Warning(Format("--%s has no effect on %s.", option.name, interface.name.c_str()));
  }
}

Result<std::unique_ptr<system::ByteSink>> OpenSink(const std::string& file,
                                                   capture::Engine& engine) {
  if (file == "-") {
    if ((fcntl(STDOUT_FILENO, F_GETFL) & O_ACCMODE) == O_RDONLY) {
      return Fail("standard output is closed", "give a file with -w", Error::Kind::kUsage);
    }
    return std::make_unique<system::FifoSink>(dup(STDOUT_FILENO), engine.loop(), engine.stop());
  }
  // A pipe's reader may come late or leave; FifoSink can be interrupted meanwhile.
  struct stat status = {};
  if (stat(file.c_str(), &status) == 0 && S_ISFIFO(status.st_mode)) {
    return system::FifoSink::Open(file, engine.loop(), engine.stop());
  }
  auto sink = std::make_unique<system::FileSink>(file);
  if (auto writable = sink->Check(); !writable) return Failure(writable);
  return sink;
}

/// Reports a capture that was stopped before there was a verdict on it.
std::string StoppedEarly(const capture::Outcome& outcome, const std::string& filter) {
  if (!outcome.stopped || !outcome.verdict.empty()) return {};
  if (outcome.pcap_ids.empty()) return "stopped before anything was captured.";
  std::string text = "stopped before everything was delivered; get what was captured with: " +
                     capture::DownloadCommand(outcome.pcap_ids.front(), filter);
  for (std::size_t i = 1; i < outcome.pcap_ids.size(); ++i) {
    text += (i == 1 ? ", and likewise " : ", ") + CleanLine(outcome.pcap_ids[i], 40);
  }
  return text;
}

json_t* Texts(const std::vector<std::string>& texts) {
  json_t* const array = json_array();
  for (const std::string& text : texts) {
    json_array_append_new(array, json_string(CleanLine(text).c_str()));
  }
  return array;
}

void PrintSummary(const capture::Outcome& outcome, const CaptureWords& words,
                  capture::ExitStatus status) {
  const auto count = [](std::uint64_t n) { return json_integer(static_cast<json_int_t>(n)); };
  json_t* const summary = json_object();
  json_object_set_new(summary, "interface", MakeJson(Redact(words.interface)));
  json_object_set_new(summary, "capture_filter", MakeJson(Redact(words.filter)));
  json_object_set_new(summary, "exit_status", json_integer(static_cast<int>(status)));
  json_object_set_new(summary, "pcap_ids", Texts(outcome.pcap_ids));
  json_object_set_new(summary, "received", count(outcome.counts.received));
  json_object_set_new(summary, "delivered", count(outcome.counts.delivered));
  json_object_set_new(summary, "filtered_out", count(outcome.counts.filtered_out));
  json_object_set_new(summary, "undecided", count(outcome.counts.undecided));
  json_object_set_new(summary, "unmatched", count(outcome.counts.unmatched));
  json_object_set_new(summary, "duplicates", count(outcome.counts.duplicates));
  json_object_set_new(summary, "stopped", json_boolean(outcome.stopped));
  json_object_set_new(summary, "losses", Texts(outcome.losses));
  json_object_set_new(summary, "verdict", json_string(outcome.verdict.c_str()));
  if (!outcome.left_behind.empty()) {
    json_object_set_new(summary, "left_behind", json_string(outcome.left_behind.c_str()));
  }
  if (outcome.error) {
    json_object_set_new(summary, "error",
                        json_string(CleanLine(SentenceOf(*outcome.error), 2000).c_str()));
  }
  FILE* const out = words.file == "-" ? stderr : stdout;
  json_dumpf(summary, out, JSON_INDENT(2));
  std::fputc('\n', out);
  json_decref(summary);
}

}  // namespace

int CaptureCommand(int argc, char** argv) {
  CaptureWords words;
  auto arguments = Parse(argc, argv, words);
  if (!arguments) return Complain(arguments.error());
  const std::time_t now = std::time(nullptr);
  for (auto [path, option] : {std::pair(&words.file, "-w"), std::pair(&words.report, "--report")}) {
    if (auto filled = FillInTime(*path, option, now); !filled) return Complain(filled.error());
  }
  auto interface = config::FindInterface(words.interface);
  if (!interface) return Complain(interface.error());
  auto settings =
      config::Settings::Load(arguments->values, interface->kind, system::ProcessEnvironment);
  if (!settings) return Complain(settings.error());
  if (auto apart = capture::CheckNotRead(*settings, words.file, "-w"); !apart) {
    return Complain(apart.error());
  }
  if (auto apart = capture::CheckNotRead(*settings, words.report, "--report"); !apart) {
    return Complain(apart.error());
  }
  if (auto good = CheckReport(words.report, words.file); !good) return Complain(good.error());
  auto engine = capture::Engine::Make(*settings, system::ProcessEnvironment);
  if (!engine) return Complain(engine.error());

  TerminalReporter reporter(words.progress || isatty(STDERR_FILENO) != 0, words.quiet);
  WarnOfOthersOptions(arguments->values, *interface, reporter);
  const auto sink = OpenSink(words.file, **engine);
  if (!sink && sink.error().kind == Error::Kind::kInterrupted) {
    Complain({.what = "stopped before a reader opened " + CleanLine(words.file)});
    return static_cast<int>(capture::ExitStatus::kIncomplete);
  }
  if (!sink) return Complain(sink.error());
  const WallTime began = (*engine)->loop().Now();
  const capture::Outcome outcome =
      capture::RunCapture(**engine, *settings, *interface, words.filter, **sink, reporter);
  reporter.Clear();
  const capture::ExitStatus status = capture::StatusOf(outcome);
  std::string said = capture::Complaint(outcome);
  if (said.empty() && !words.quiet) said = StoppedEarly(outcome, words.filter);
  if (!said.empty()) Complain({.what = said});
  if (!outcome.verdict.empty() && !words.quiet) {
    std::fprintf(stderr, "%s\n", outcome.verdict.c_str());
  }
  if (words.json) PrintSummary(outcome, words, status);
  if (!words.report.empty()) {
    system::StopRequests& stop = (*engine)->stop();
    const auto stopped = [&stop, before = stop.level()] {
      stop.TakeSignals();
      return stop.level() > before || stop.AtLeast(system::StopLevel::kLeave);
    };
    const std::string report = CaptureReport(outcome, words.interface, words.filter, words.file,
                                             began, (*engine)->loop().Now(), stopped);
    const auto written = WriteReport(words.report, report, words.file);
    if (!written) return Complain(written.error());
  }
  return static_cast<int>(status);
}

}  // namespace cloudflaredump::tool
