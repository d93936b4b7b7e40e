// SPDX-License-Identifier: GPL-2.0-or-later
#include <cstdio>

#include "extcap/capture/job_watch.h"
#include "extcap/capture/started_captures.h"
#include "extcap/tool/api_call.h"
#include "extcap/tool/commands.h"

namespace cloudflaredump::tool {

int StopCommand(int argc, char** argv) {
  auto call = ApiCall::Prepare(
      argc, argv,
      {.usage = "ID",
       .summary = "Stop a running full capture. Get what it has captured with the interface\n"
                  "cloudflare-download.",
       .options = kApiOptions},
      {1, "stop takes the ID of one full capture; cloudflaredump list shows the IDs"});
  if (!call) return Complain(call.error());
  const std::string& id = call->words.front();
  auto job = call->api->Get(id, call->patience());
  if (!job) return Complain(job.error());
  if (job->type != "full") {
    return Complain(
        {.what = "capture " + id + " is a sample of past traffic: there is nothing to stop"});
  }
  if (job->phase() != api::JobPhase::kGoing) {
    std::printf("capture %s has already ended\n", id.c_str());
    return 0;
  }
  if (auto stopped = call->api->Stop(id, call->patience()); !stopped) {
    return Complain(stopped.error());
  }
  job = call->api->Get(id, call->patience());
  if (!job) return Complain(job.error());
  const bool over = job->phase() != api::JobPhase::kGoing;
  std::printf("capture %s %s; get it with: %s\n", id.c_str(), over ? "is over" : "is stopping",
              capture::DownloadCommand(id, "").c_str());
  return 0;
}

}  // namespace cloudflaredump::tool
