// SPDX-License-Identifier: GPL-2.0-or-later
#include <glib.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>

#include "common/text.h"
#include "extcap/capture/started_captures.h"
#include "extcap/compare/marked_copy.h"
#include "extcap/compare/router_filter.h"
#include "extcap/compare/verdict_text.h"
#include "extcap/config/arguments.h"
#include "extcap/config/settings.h"
#include "extcap/filter/plan.h"
#include "extcap/system/anonymous_file.h"
#include "extcap/system/file_sink.h"
#include "extcap/tool/commands.h"
#include "extcap/tool/compare_capture.h"
#include "extcap/tool/compare_drops.h"
#include "extcap/tool/compare_report.h"
#include "extcap/tool/report_text.h"

namespace cloudflaredump::tool {
namespace {

enum ExitStatus : int { kCompared = 0, kFailed = 1, kNothingComparable = 3, kAboveLimit = 5 };

constexpr const char* kCompareSummary =
    "Show which of the packets that Cloudflare saw arrived at your routers, and what the missing\n"
    "ones have in common. Files are pcap or pcapng, compressed with gzip or not; - is standard\n"
    "input. Tunnels (GRE, IP in IP) are decapsulated, fragments are reassembled, and differences\n"
    "between the clocks are estimated and corrected.\n"
    "\n"
    "  cloudflaredump compare cloudflare.pcapng router1.pcap router2.pcap\n"
    "  cloudflaredump compare --pcap-id latest router.pcap\n"
    "  cloudflaredump compare --seconds 120 -f 'dst host 203.0.113.7' \\\n"
    "    --local 'ssh r1 tcpdump -i eth0 -U -w - not port 22'\n"
    "\n"
    "Exit status: 0 compared, 1 failed, 2 usage, 3 nothing can be compared (the reason is "
    "printed),\n"
    "5 more missing than --fail-above allows.";

constexpr config::Opt kCompareOptions[] = {config::Opt::kPcapId,    config::Opt::kRequestsPerWindow,
                                           config::Opt::kAccountId, config::Opt::kApiToken,
                                           config::Opt::kApiEmail,  config::Opt::kApiKey,
                                           config::Opt::kProfile,   config::Opt::kReadFrom,
                                           config::Opt::kLogLevel,  config::Opt::kLogFile};

struct Words {
  std::string filter, seconds, fail_above, report, write;
  std::vector<std::string> maps, ours, locals;
  bool json = false, router_filter = false, quiet = false;
};

Result<config::Arguments> Parse(int argc, char** argv, Words& words) {
  const config::ExtraArgument extra[] = {
      {.name = "filter",
       .letter = 'f',
       .text = &words.filter,
       .help =
           "Compare only packets that match, including packets inside tunnels. Default with "
           "--pcap-id: the filter that the capture was started with, if that was on this computer.",
       .value_name = "FILTER"},
      {.name = "map",
       .list = &words.maps,
       .help = "The router translates OUTSIDE to INSIDE (addresses or prefixes). Can be repeated.",
       .value_name = "OUTSIDE=INSIDE"},
      {.name = "ours",
       .list = &words.ours,
       .help =
           "Packets from this prefix leave through Cloudflare and never count as missing. Can be "
           "repeated.",
       .value_name = "PREFIX"},
      {.name = "json", .flag = &words.json, .help = "Print one JSON object."},
      {.name = "write",
       .letter = 'w',
       .text = &words.write,
       .help = "Write Cloudflare's packets again, each marked with what became of it.",
       .value_name = "FILE"},
      {.name = "report",
       .text = &words.report,
       .help = "Write a report in Markdown, ready to paste into a ticket.",
       .value_name = "FILE"},
      {.name = "fail-above",
       .text = &words.fail_above,
       .help = "Exit with status 5 if the lower end of the 95% interval is above this percentage.",
       .value_name = "PERCENT"},
      {.name = "seconds",
       .text = &words.seconds,
       .help =
           "Capture both sides at the same time for N seconds (at most 3600), then compare them.",
       .value_name = "N"},
      {.name = "local",
       .list = &words.locals,
       .help =
           "With --seconds: a command that writes a router's capture to its standard output. Can "
           "be repeated.",
       .value_name = "COMMAND"},
      {.name = "router-filter",
       .flag = &words.router_filter,
       .help = "Only print tcpdump filters that find packets matching -f inside tunnels."},
      {.name = "quiet", .letter = 'q', .flag = &words.quiet, .help = "Show no progress."},
  };
  return config::ParseArguments(argc, argv, extra,
                                {.usage = "[CLOUDFLARE_FILE] [LOCAL_FILE…]",
                                 .summary = kCompareSummary,
                                 .options = kCompareOptions,
                                 .no_default = config::Opt::kPcapId});
}

std::unexpected<Error> Usage(std::string what, std::string remedy = "see --help") {
  return Fail(std::move(what), std::move(remedy), Error::Kind::kUsage);
}

bool IsGiven(const config::Arguments& arguments, config::Opt option) {
  return arguments.values[static_cast<std::size_t>(option)].has_value();
}

/// Puts the ID in the place of "latest", and takes the filter that the capture was started with,
/// if it was started on this computer and no other is given: what it left out is not missing.
void FindCapture(const config::Settings& settings, config::Arguments& arguments, Words& words) {
  const capture::StartedCaptures started(system::ProcessEnvironment);
  const auto account = config::FindAccount(settings);
  std::string id = settings.Text(config::Opt::kPcapId);
  if (id == "latest" && account) id = started.Latest(*account).value_or(id);
  arguments.values[static_cast<std::size_t>(config::Opt::kPcapId)] = id;
  if (!arguments.Has("filter")) words.filter = started.FilterOf(id).value_or("");
}

/// Nothing if the limit was not given.
Result<std::optional<double>> ReadLimit(const std::string& text) {
  if (text.empty()) return std::optional<double>();
  char* end = nullptr;
  const double percent = g_ascii_strtod(text.c_str(), &end);
  if (*end != '\0' || !(percent >= 0 && percent <= 100)) {
    return Usage("--fail-above is \"" + CleanLine(text, 40) +
                 "\", but it must be a number from 0 to 100");
  }
  return percent;
}

Result<std::uint64_t> ReadSeconds(const Words& words) {
  if (words.seconds.empty()) {
    if (!words.locals.empty()) return Usage("--local needs --seconds");
    return 0;
  }
  const auto seconds = ParseNumber(words.seconds);
  if (!seconds || *seconds < 1 || *seconds > 3600) {
    return Usage("--seconds is \"" + CleanLine(words.seconds, 40) +
                 "\", but it must be a whole number from 1 to 3600");
  }
  if (words.locals.empty()) {
    return Usage("--seconds needs a local capture",
                 "give its command, such as --local 'ssh r1 tcpdump -i eth0 -U -w - not port 22'");
  }
  return *seconds;
}

Result<compare::Options> ReadOptions(const Words& words, const std::string& egress) {
  compare::Options options{.filter = words.filter};
  for (const std::string& text : words.maps) {
    auto map = compare::ParseTranslation(text);
    if (!map) return Failure(map);
    options.translations.push_back(*map);
  }
  std::vector<std::string> ours = words.ours;
  for (const std::string_view text : Split(egress, ',')) ours.emplace_back(Trim(text));
  for (const std::string& text : ours) {
    auto prefix = compare::ParsePrefix(text);
    if (!prefix) return Failure(prefix);
    options.ours.push_back(*prefix);
  }
  return options;
}

Result<void> PrintRouterFilters(const std::string& text) {
  if (Trim(text).empty())
    return Usage("no filter", "give one with -f, such as -f 'dst host 203.0.113.7'");
  auto filter = filter::CaptureFilter::CompileTyped(text, filter::NameLookup::kResolve);
  if (!filter) return Failure(filter);
  const filter::Plan plan = filter::MakePlan(*filter, {.max_requests = 4, .pin_ipv6 = true});
  if (std::ranges::find(plan.requests, filter::Box{}) != plan.requests.end()) {
    return Fail("this filter cannot be written for packets inside of tunnels",
                "name an address, such as dst host 203.0.113.7");
  }
  std::puts(
      "# Use the line that fits your router's traffic; to use several, join them with \"or\".");
  for (const filter::Box& box : plan.requests) {
    for (const compare::RouterFilter& router : compare::RouterFilters(box)) {
      std::printf("# %s\n(%s)\n", router.where.c_str(), router.filter.c_str());
    }
  }
  if (!plan.exact) {
    std::puts("# These let through more than the filter; compare -f takes what matches.");
  }
  return {};
}

/// Copies standard input to a file that can be read again.
Result<std::string> Spool() {
  auto file = system::AnonymousFile::Make();
  if (!file) return Failure(file);
  std::vector<std::byte> buffer(1 << 16);
  std::uint64_t size = 0;
  for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), stdin)) > 0;) {
    auto written = file->WriteAt(size, std::span(buffer).first(got), &size);
    if (!written) return Failure(written);
  }
  if (std::ferror(stdin) != 0) return Fail("cannot read standard input to its end");
  return KeepOpen(file->fd());
}

/// The files to compare: those that were named, or captured now.
Result<void> FindFiles(const Words& words, const config::Arguments& arguments,
                       std::uint64_t seconds, compare::Options& options) {
  std::vector<std::string> files = arguments.words;
  const bool by_id = IsGiven(arguments, config::Opt::kPcapId);
  if (std::ranges::count(files, "-") > 1)
    return Usage("standard input can be only one of the files");
  if (seconds > 0 || by_id) {
    if (seconds > 0 && by_id) return Usage("--seconds and --pcap-id exclude each other");
    if (seconds > 0 && !files.empty()) return Usage("--seconds takes no files");
    if (by_id && files.empty()) return Usage("no local capture", "name its file after the options");
    auto captured = CaptureBothSides({.filter = words.filter,
                                      .seconds = seconds,
                                      .commands = words.locals,
                                      .quiet = words.quiet},
                                     arguments.values);
    if (!captured) return Failure(captured);
    options.cloudflare_file = captured->cloudflare;
    options.local_files = captured->locals;
    if (by_id) options.local_files.assign(files.begin(), files.end());
    return {};
  }
  if (files.size() < 2) {
    return Usage(files.empty() ? "no files" : "no local capture",
                 "name Cloudflare's file and at least one of a router");
  }
  options.cloudflare_file = files[0];
  options.local_files.assign(files.begin() + 1, files.end());
  const bool read_again = !words.write.empty() || !words.report.empty();
  if (files[0] == "-" && read_again) {
    auto spooled = Spool();
    if (!spooled) return Failure(spooled);
    options.cloudflare_file.path = *spooled;
  }
  return {};
}

/// Refuses outputs that cannot be written, or that are one of the inputs, under whatever name.
Result<void> CheckOutputs(const std::vector<std::string>& inputs, const Words& words) {
  for (const std::string& output : {words.write, words.report}) {
    for (const std::string& input : inputs) {
      std::error_code none;  // Most outputs are not there yet.
      if (!std::filesystem::equivalent(output, input, none)) continue;
      return Usage("\"" + CleanLine(output, 200) +
                       "\" is one of the files to compare, and would be overwritten",
                   "give -w and --report other names");
    }
  }
  if (words.write == "-") {
    return Usage("-w - would mix the packets with the verdict", "give a file with -w");
  }
  if (!words.write.empty()) {
    if (auto good = system::FileSink(words.write).Check(); !good) return good;
  }
  return CheckReport(words.report, words.write);
}

Result<void> WriteMarks(const compare::Comparison& comparison, const compare::Options& options,
                        const std::string& path) {
  system::FileSink sink(path);
  auto written =
      compare::WriteMarkedCopy(comparison, options.cloudflare_file.path,
                               [&sink](std::string_view bytes) { return sink.Write(bytes); });
  if (!written) return written;
  return sink.Close();
}

Result<int> Run(int argc, char** argv) {
  Words words;
  auto arguments = Parse(argc, argv, words);
  if (!arguments) return Failure(arguments);
  if (words.router_filter) {
    if (auto printed = PrintRouterFilters(words.filter); !printed) return Failure(printed);
    return kCompared;
  }
  const auto limit = ReadLimit(words.fail_above);
  if (!limit) return Failure(limit);
  const auto seconds = ReadSeconds(words);
  if (!seconds) return Failure(seconds);
  auto settings = config::Settings::Load(
      arguments->values,
      *seconds > 0 ? config::InterfaceKind::kSample : config::InterfaceKind::kDownload,
      system::ProcessEnvironment);
  if (!settings) return Failure(settings);
  if (IsGiven(*arguments, config::Opt::kPcapId)) FindCapture(*settings, *arguments, words);
  auto options = ReadOptions(words, settings->Text(config::Opt::kEgress));
  if (!options) return Failure(options);
  auto filter = filter::CaptureFilter::CompileTyped(words.filter, filter::NameLookup::kResolve);
  if (!filter) return Failure(filter);
  if (auto good = CheckOutputs(arguments->words, words); !good) return Failure(good);
  if (auto found = FindFiles(words, *arguments, *seconds, *options); !found) {
    return Failure(found);
  }
  auto comparison = compare::Compare(*options, &*filter);
  if (!comparison) return Failure(comparison);
  AddDropsAtCloudflare(*comparison, *filter, *settings);
  std::puts(words.json ? compare::ComparisonJson(*comparison).c_str()
                       : compare::VerdictText(*comparison).c_str());
  if (!words.write.empty()) {
    if (auto written = WriteMarks(*comparison, *options, words.write); !written) {
      return Failure(written);
    }
  }
  if (!words.report.empty()) {
    auto written = WriteReport(words.report, CompareReport(*options, *comparison), words.write);
    if (!written) return Failure(written);
  }
  if (!comparison->not_comparable.empty() || comparison->compared == 0) return kNothingComparable;
  if (*limit && 100 * comparison->loss.low > **limit) return kAboveLimit;
  return kCompared;
}

}  // namespace

int CompareCommand(int argc, char** argv) {
  const auto status = Run(argc, argv);
  return status ? *status : Complain(status.error());
}

}  // namespace cloudflaredump::tool
