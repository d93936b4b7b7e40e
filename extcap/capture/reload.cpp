// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/reload.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "common/colos.h"
#include "common/redact.h"
#include "common/text.h"
#include "extcap/api/pcaps_api.h"
#include "extcap/capture/engine.h"
#include "extcap/capture/running_captures.h"
#include "extcap/capture/traffic_notes.h"
#include "extcap/config/arguments.h"
#include "extcap/config/interfaces.h"
#include "extcap/config/typed_filter.h"
#include "extcap/frontend/sentence.h"

namespace cloudflaredump::capture {
namespace {

using std::chrono::milliseconds;

/// Of real time; the start of the process comes on top, and it all must be below 3 s.
constexpr milliseconds kMostWait{2300};
/// Of it for the analytics, which are good to have.
constexpr milliseconds kMostForTraffic{1500};

/// One entry of a list.
struct Row {
  std::string value;
  std::string display;
};
using Rows = std::vector<Row>;

/// What a list is asked with.
struct Question {
  const config::Settings& settings;
  Engine& engine;
  api::Patience patience;
  std::string filter;          ///< whose traffic is asked for
  bool filter_is_old = false;  ///< it was typed last, and may have been deleted since
};

/// The data center that this machine reaches, by the page that every Cloudflare site has.
Result<std::string> NearestColo(const Question& question) {
  const std::string& url = question.settings.Text(config::Opt::kTraceUrl);
  http::HttpRequest request;
  request.url = url;
  auto answer =
      http::Fetch(question.engine.http(), question.engine.loop(), request, question.patience.stop);
  if (!answer && answer.error().kind == Error::Kind::kInterrupted) {
    return Fail(http::HostOf(url) + " did not answer in time");
  }
  if (!answer) return Failure(answer);
  for (const std::string_view line : Split(answer->body, '\n')) {
    if (line.starts_with("colo=") && IsColoShape(Trim(line.substr(5)))) {
      return std::string(Trim(line.substr(5)));
    }
  }
  return Fail(http::HostOf(url) + " does not say which data center it is");
}

std::string Place(const Colo& colo) {
  return std::string(colo.code) + " (" + std::string(colo.city) + ", " + std::string(colo.country) +
         ")";
}

/// Where the typed filter's traffic entered lately. None where the analytics cannot be read, which
/// is no trouble: captures need no permission for them.
Rows TrafficRows(const Question& question) {
  auto access = FindAccess(question.settings);
  if (!access) return {};
  const auto filter = filter::CaptureFilter::Compile(
      question.filter, filter::NameLookup::kResolve,
      {.limits = filter::CompileLimits{.compile = milliseconds(500), .look_up = milliseconds(500)},
       .stop = question.patience.stop});
  if (!filter) return {};
  system::EventLoop& loop = question.engine.loop();
  api::AnalyticsApi analytics(question.engine.http(), loop, *access);
  const Bounded bounded(loop, loop.FromReal(kMostForTraffic));
  Rows rows;
  for (ColoChoice& choice : BusiestColos(analytics, *filter, loop.Now(), bounded.patience())) {
    if (IsColoShape(choice.colo)) rows.push_back({choice.colo, std::move(choice.display)});
  }
  return rows;
}

/// The data centers with traffic first, then the one reached from here, then all that are known.
/// The list is ours, so it is there also when nobody says which one is reached.
Rows ColoRows(const Question& question, std::string& trouble) {
  Rows rows = TrafficRows(question);
  if (!rows.empty() && question.filter_is_old) {
    trouble = "the shares are those of the filter typed last, \"" + question.filter + "\"";
  }
  const auto listed = [&rows](std::string_view code) {
    return std::ranges::find(rows, code, &Row::value) != rows.end();
  };
  const auto nearest = NearestColo(question);
  if (nearest && !listed(*nearest)) {
    const Colo* const colo = FindColo(*nearest);
    rows.push_back({*nearest, (colo == nullptr ? *nearest : Place(*colo)) +
                                  ": reached from this machine, not necessarily by your traffic"});
  } else if (!nearest) {
    trouble += (trouble.empty() ? "" : "; ") +
               std::string("which data center this machine reaches is unknown: ") +
               ClauseOf(nearest.error());
  }
  for (const Colo& colo : AllColos()) {
    if (!listed(colo.code)) rows.push_back({std::string(colo.code), Place(colo)});
  }
  return rows;
}

Result<Rows> BucketRows(api::PcapsApi& api, const Question& question) {
  auto buckets = api.ListBuckets(question.patience);
  if (!buckets) return Failure(buckets);
  Rows rows;
  for (const api::BucketOwnership& bucket : *buckets) {
    // Keys do not go into a dialog, which keeps and passes what was picked in the clear.
    const std::string url = DropKeys(bucket.destination_conf);
    if (url.empty()) continue;
    const std::string state = bucket.IsValidated() ? "" : " (" + bucket.status + ")";
    rows.push_back({url, url + state});
  }
  if (rows.empty()) {
    return Fail("no bucket is registered yet", "do it with: cloudflaredump register-bucket");
  }
  return rows;
}

Result<Rows> CaptureRows(api::PcapsApi& api, const std::string& account_id,
                         const Question& question) {
  const StartedCaptures started(system::ProcessEnvironment);
  auto jobs = ListCaptures(api, started, account_id, question.patience);
  if (!jobs) return Failure(jobs);
  Rows rows;
  for (const api::PcapJob& job : *jobs) {
    if (!api::IsPcapId(job.id)) continue;
    const auto at = job.submitted_at();
    const std::string when =
        at ? FormatRfc3339(std::chrono::floor<std::chrono::seconds>(*at)) : "at an unknown time";
    const std::string where = job.colo               ? "full at " + CleanLine(*job.colo, 20)
                              : job.type == "simple" ? "sample of all data centers"
                                                     : CleanLine(job.type, 20);
    rows.push_back(
        {job.id, Format("%s, %s, %s, %s, %s", when.c_str(), where.c_str(), FilterOf(job).c_str(),
                        CleanLine(job.status, 30).c_str(), job.id.c_str())});
  }
  if (rows.empty()) return Fail("the account has no captures yet");
  return rows;
}

Result<Rows> ApiRows(config::Opt pick, const Question& question) {
  auto access = FindAccess(question.settings);
  if (!access) return Failure(access);
  api::PcapsApi api(question.engine.http(), question.engine.loop(), *access);
  auto rows = pick == config::Opt::kPcapIdPick ? CaptureRows(api, access->account_id, question)
                                               : BucketRows(api, question);
  if (!rows && rows.error().kind == Error::Kind::kInterrupted) {
    return Fail(http::HostOf(access->base_url) + " did not answer in time", "try again");
  }
  return rows;
}

/// What was asked for, as far as it can be said without the network.
struct Asked {
  config::InterfaceKind kind = config::InterfaceKind::kFull;
  const config::Option* option = nullptr;
  std::string interface_name;
  std::string filter;  ///< what Wireshark passed, if it did
};

/// All values of the list `asked`; what went wrong is left in `trouble`.
Result<Rows> Ask(const Asked& asked, const Result<config::Arguments>& arguments,
                 std::string& trouble) {
  if (!arguments) return Failure(arguments);
  // What is wrong with other fields of the dialog is said when the capture starts.
  config::OptionValues identity;
  for (const config::Opt id :
       {config::Opt::kAccountId, config::Opt::kApiToken, config::Opt::kApiEmail,
        config::Opt::kApiKey, config::Opt::kProfile}) {
    identity[static_cast<std::size_t>(id)] = arguments->values[static_cast<std::size_t>(id)];
  }
  auto settings = config::Settings::Load(identity, asked.kind, system::ProcessEnvironment);
  if (!settings) return Failure(settings);
  auto engine = Engine::Make(*settings, system::ProcessEnvironment);
  if (!engine) return Failure(engine);
  system::EventLoop& loop = (*engine)->loop();
  const Bounded bounded(loop, loop.FromReal(kMostWait));
  const auto typed =
      config::TypedFilter(asked.interface_name, loop.Now(), system::ProcessEnvironment);
  const bool from_memory = asked.filter.empty() && typed && !typed->empty();
  const Question question{.settings = *settings,
                          .engine = **engine,
                          .patience = bounded.patience(),
                          .filter = from_memory ? *typed : asked.filter,
                          .filter_is_old = from_memory};
  if (asked.option->id == config::Opt::kColoPick) return ColoRows(question, trouble);
  return ApiRows(asked.option->id, question);
}

void Print(const Asked& asked, const Rows& rows, const std::string& trouble) {
  const unsigned number = config::DialogNumber(asked.option->id, asked.kind);
  const std::string first = trouble.empty() ? "as typed" : "as typed; " + CleanLine(trouble, 300);
  frontend::Sentence("value")
      .With("arg", number)
      .With("value", config::kAsTyped)
      .With("display", first)
      .With("default", "true")
      .Print();
  for (const Row& row : rows) {
    // A value that a sentence would change could not be used.
    if (CleanLine(row.value, 1000) != row.value) continue;
    frontend::Sentence("value")
        .With("arg", number)
        .With("value", row.value)
        .With("display", row.display)
        .Print();
  }
}

}  // namespace

int RunExtcapReload(int argc, char** argv) {
  std::string name;
  std::string interface_name;
  std::string filter;
  std::string ignored;
  bool config = false;
  const config::ExtraArgument extra[] = {
      {.name = "extcap-config", .flag = &config},
      {.name = "extcap-interface", .text = &interface_name},
      {.name = "extcap-reload-option", .text = &name},
      {.name = "extcap-capture-filter", .text = &filter},
      {.name = "extcap-version", .text = &ignored},
  };
  const auto arguments = config::ParseExtcapArguments(argc, argv, extra);
  const auto interface = config::FindInterface(interface_name);
  std::string_view bare = name;
  while (bare.starts_with('-')) bare.remove_prefix(1);
  const Asked asked{.kind = interface ? interface->kind : config::InterfaceKind::kFull,
                    .option = config::FindOption(bare),
                    .interface_name = interface_name,
                    .filter = filter};
  const bool known = interface && asked.option != nullptr &&
                     asked.option->type == config::OptionType::kPick &&
                     config::AppliesTo(*asked.option, asked.kind);
  if (!known) return 0;  // of a later Wireshark's, or nothing that we declared
  std::string trouble;
  auto rows = Ask(asked, arguments, trouble);
  if (!rows) {
    trouble = SentenceOf(rows.error());
    trouble.pop_back();  // a row of a list has no period
  }
  Print(asked, rows ? *rows : Rows(), trouble);
  return 0;
}

}  // namespace cloudflaredump::capture
