// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/reload.h"

#include <string>
#include <string_view>
#include <vector>

#include "extcap/api/pcaps_api.h"
#include "extcap/base/redact.h"
#include "extcap/base/sentence.h"
#include "extcap/base/text.h"
#include "extcap/capture/engine.h"
#include "extcap/capture/running_captures.h"
#include "extcap/config/arguments.h"
#include "extcap/config/colos.h"
#include "extcap/config/interfaces.h"

namespace cloudflaredump {
namespace {

using std::chrono::milliseconds;

/// Of real time; the start of the process comes on top, and it all must be below 3 s.
constexpr milliseconds kMostWait{2300};

/// One entry of a list.
struct Row {
  std::string value;
  std::string display;
};
using Rows = std::vector<Row>;

/// What a list is asked with.
struct Question {
  const Settings& settings;
  Engine& engine;
  Patience patience;
};

/// The data center that this machine reaches, by the page that every Cloudflare site has.
Result<std::string> NearestColo(const Question& question) {
  const std::string& url = question.settings.Text(Opt::kTraceUrl);
  HttpRequest request;
  request.url = url;
  auto answer =
      Fetch(question.engine.http(), question.engine.loop(), request, question.patience.stop);
  if (!answer && answer.error().kind == Error::Kind::kInterrupted) {
    return Fail(HostOf(url) + " did not answer in time");
  }
  if (!answer) return std::unexpected(answer.error());
  for (const std::string_view line : Split(answer->body, '\n')) {
    if (line.starts_with("colo=") && IsColoShape(Trim(line.substr(5)))) {
      return std::string(Trim(line.substr(5)));
    }
  }
  return Fail(HostOf(url) + " does not say which data center it is");
}

std::string Place(const Colo& colo) {
  return std::string(colo.code) + " (" + std::string(colo.city) + ", " + std::string(colo.country) +
         ")";
}

/// The data center reached from here first, then all that are known. The list is ours, so it is
/// there also when nobody says which one is reached.
Rows ColoRows(const Question& question, std::string& trouble) {
  Rows rows;
  const auto nearest = NearestColo(question);
  if (nearest) {
    const Colo* const colo = FindColo(*nearest);
    rows.push_back({*nearest, (colo == nullptr ? *nearest : Place(*colo)) +
                                  ": reached from this machine, not necessarily by your traffic"});
  } else {
    trouble = "which data center this machine reaches is unknown: " + nearest.error().message;
  }
  for (const Colo& colo : AllColos()) {
    if (!nearest || colo.code != *nearest) rows.push_back({std::string(colo.code), Place(colo)});
  }
  return rows;
}

Result<Rows> BucketRows(PcapsApi& api, const Question& question) {
  auto buckets = api.ListBuckets(question.patience);
  if (!buckets) return std::unexpected(buckets.error());
  Rows rows;
  for (const BucketOwnership& bucket : *buckets) {
    // Keys do not go into a dialog, which keeps and passes what was picked in the clear.
    const std::string url = DropKeys(bucket.destination_conf);
    if (url.empty()) continue;
    const std::string state = bucket.status == "success" ? "" : " (" + bucket.status + ")";
    rows.push_back({url, url + state});
  }
  if (rows.empty()) {
    return Fail("no bucket is registered yet; do it with: cloudflaredump register-bucket");
  }
  return rows;
}

Result<Rows> CaptureRows(PcapsApi& api, const Question& question) {
  auto jobs = api.List(question.patience);
  if (!jobs) return std::unexpected(jobs.error());
  Rows rows;
  for (const PcapJob& job : *jobs) {
    if (!IsPcapId(job.id)) continue;
    const auto at = job.submitted_at();
    const std::string when =
        at ? FormatRfc3339(std::chrono::floor<std::chrono::seconds>(*at)) : "at an unknown time";
    const std::string where = job.colo               ? "full at " + CleanLine(Redact(*job.colo), 20)
                              : job.type == "simple" ? "sample of all data centers"
                                                     : CleanLine(Redact(job.type), 20);
    rows.push_back({job.id, when + ", " + where + ", " + FilterOf(job) + ", " +
                                CleanLine(Redact(job.status), 30) + ", " + job.id});
  }
  if (rows.empty()) return Fail("the account has no captures yet");
  return rows;
}

Result<Rows> ApiRows(Opt pick, const Question& question) {
  auto access = FindAccess(question.settings);
  if (!access) return std::unexpected(access.error());
  PcapsApi api(question.engine.http(), question.engine.loop(), *access);
  auto rows = pick == Opt::kPcapIdPick ? CaptureRows(api, question) : BucketRows(api, question);
  if (!rows && rows.error().kind == Error::Kind::kInterrupted) {
    return Fail(HostOf(access->base_url) + " did not answer in time; try again");
  }
  return rows;
}

/// What was asked for, as far as it can be said without the network.
struct Asked {
  InterfaceKind kind = InterfaceKind::kFull;
  const Option* option = nullptr;
};

/// All values of the list `asked`; what went wrong is left in `trouble`.
Result<Rows> Ask(const Asked& asked, const Result<Arguments>& arguments, std::string& trouble) {
  if (!arguments) return std::unexpected(arguments.error());
  // What is wrong with other fields of the dialog is said when the capture starts.
  OptionValues identity;
  for (const Opt id :
       {Opt::kAccountId, Opt::kApiToken, Opt::kApiEmail, Opt::kApiKey, Opt::kProfile}) {
    identity[static_cast<std::size_t>(id)] = arguments->values[static_cast<std::size_t>(id)];
  }
  auto settings = Settings::Load(identity, asked.kind, ProcessEnvironment);
  if (!settings) return std::unexpected(settings.error());
  auto engine = Engine::Make(*settings, ProcessEnvironment);
  if (!engine) return std::unexpected(engine.error());
  EventLoop& loop = (*engine)->loop();
  const Bounded bounded(loop, std::chrono::duration_cast<Duration>(kMostWait * loop.speed()));
  const Question question{*settings, **engine, bounded.patience()};
  if (asked.option->id == Opt::kColoPick) return ColoRows(question, trouble);
  return ApiRows(asked.option->id, question);
}

void Print(const Asked& asked, const Rows& rows, const std::string& trouble) {
  const unsigned number = DialogNumber(asked.option->id, asked.kind);
  const std::string first =
      trouble.empty() ? "as typed" : "as typed; " + CleanLine(Redact(trouble), 300);
  Sentence("value")
      .With("arg", number)
      .With("value", kAsTyped)
      .With("display", first)
      .With("default", "true")
      .Print();
  for (const Row& row : rows) {
    // A value that a sentence would change could not be used.
    const std::string display = Redact(row.display);
    if (CleanLine(row.value, 1000) != row.value || Redact(row.value) != row.value) continue;
    Sentence("value").With("arg", number).With("value", row.value).With("display", display).Print();
  }
}

}  // namespace

int RunExtcapReload(int argc, char** argv) {
  std::string name;
  std::string interface_name;
  std::string ignored;
  bool config = false;
  const ExtraArgument extra[] = {
      {.name = "extcap-config", .flag = &config},
      {.name = "extcap-interface", .text = &interface_name},
      {.name = "extcap-reload-option", .text = &name},
      {.name = "extcap-version", .text = &ignored},
  };
  const auto arguments = ParseExtcapArguments(argc, argv, extra);
  const auto interface = FindInterface(interface_name);
  std::string_view bare = name;
  while (bare.starts_with('-')) bare.remove_prefix(1);
  const Asked asked{.kind = interface ? interface->kind : InterfaceKind::kFull,
                    .option = FindOption(bare)};
  const bool known = interface && asked.option != nullptr &&
                     asked.option->type == OptionType::kPick &&
                     AppliesTo(*asked.option, asked.kind);
  if (!known) return 0;  // of a later Wireshark's, or nothing that we declared
  std::string trouble;
  auto rows = Ask(asked, arguments, trouble);
  if (!rows) trouble = rows.error().message;
  Print(asked, rows ? *rows : Rows(), trouble);
  return 0;
}

}  // namespace cloudflaredump
