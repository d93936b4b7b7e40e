// SPDX-License-Identifier: GPL-2.0-or-later
#include <jansson.h>

#include <algorithm>
#include <cstdio>

#include "common/text.h"
#include "extcap/capture/job_watch.h"
#include "extcap/capture/running_captures.h"
#include "extcap/tool/api_call.h"
#include "extcap/tool/commands.h"
#include "extcap/tool/job_text.h"

namespace cloudflaredump::tool {
namespace {

config::ExtraArgument JsonFlag(bool& json) {
  return {.name = "json", .flag = &json, .help = "Print JSON instead of text."};
}

void PrintJson(json_t* value) {
  json_dumpf(value, stdout, JSON_INDENT(2));
  std::fputc('\n', stdout);
  json_decref(value);
}

/// Cloudflare's word for the status; an empty full capture is "failed" there.
std::string StatusOf(const api::PcapJob& job) {
  return CleanLine(job.status, 30) + (capture::IsEmptyCapture(job) ? ", no packets" : "");
}

void PrintTable(const std::vector<api::PcapJob>& jobs) {
  // Outside UTC the local time stands beside the other.
  std::size_t width = 20;
  for (const api::PcapJob& job : jobs) width = std::max(width, ShortTime(job).size());
  const int column = static_cast<int>(width);
  std::printf("%-32s  %-*s  %-6s  %-18s  %-6s  %s\n", "ID", column, "SUBMITTED", "TYPE", "STATUS",
              "COLO", "REQUESTED FILTER");
  for (const api::PcapJob& job : jobs) {
    std::printf("%-32s  %-*s  %-6s  %-18s  %-6s  %s\n", CleanLine(job.id, 40).c_str(), column,
                ShortTime(job).c_str(),
                job.type == "simple" ? "sample" : CleanLine(job.type, 10).c_str(),
                StatusOf(job).c_str(), CleanLine(job.colo.value_or("all"), 10).c_str(),
                FilterText(job.filter_v1).c_str());
  }
}

}  // namespace

int ListCommand(int argc, char** argv) {
  bool json = false;
  const config::ExtraArgument extra[] = {JsonFlag(json)};
  auto call = ApiCall::Prepare(
      argc, argv,
      {.summary =
           "List the account's 50 most recent captures, newest first, including those started\n"
           "elsewhere, and older full captures that were started on this computer.",
       .options = kApiOptions},
      {0, "list takes no arguments; show ID shows one capture"}, extra);
  if (!call) return Complain(call.error());
  const auto account = config::FindAccount(call->settings);
  if (!account) return Complain(account.error());
  const capture::StartedCaptures started(system::ProcessEnvironment);
  auto jobs = capture::ListCaptures(*call->api, started, *account, call->patience());
  if (!jobs) return Complain(jobs.error());
  if (json) {
    json_t* const array = json_array();
    for (const api::PcapJob& job : *jobs) json_array_append_new(array, JobAsJson(job));
    PrintJson(array);
  } else {
    PrintTable(*jobs);
  }
  return 0;
}

int ShowCommand(int argc, char** argv) {
  bool json = false;
  const config::ExtraArgument extra[] = {JsonFlag(json)};
  auto call = ApiCall::Prepare(
      argc, argv,
      {.usage = "ID",
       .summary = "Show one capture as Cloudflare reports it.",
       .options = kApiOptions},
      {1, "show takes the ID of one capture; cloudflaredump list shows the IDs"}, extra);
  if (!call) return Complain(call.error());
  auto job = call->api->Get(call->words.front(), call->patience());
  if (!job) return Complain(job.error());
  if (json) {
    PrintJson(JobAsJson(*job));
  } else {
    std::fputs(JobAsText(*job).c_str(), stdout);
  }
  return 0;
}

}  // namespace cloudflaredump::tool
