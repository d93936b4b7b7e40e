// SPDX-License-Identifier: GPL-2.0-or-later
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "common/colos.h"
#include "common/redact.h"
#include "common/text.h"
#include "common/version.h"
#include "extcap/api/analytics.h"
#include "extcap/bucket/bucket.h"
#include "extcap/bucket/destination_conf.h"
#include "extcap/capture/bucket_ownership.h"
#include "extcap/capture/bucket_source.h"
#include "extcap/capture/engine.h"
#include "extcap/config/arguments.h"
#include "extcap/config/interfaces.h"
#include "extcap/tool/api_call.h"
#include "extcap/tool/commands.h"

namespace cloudflaredump::tool {
namespace {

using namespace std::chrono_literals;

constexpr const char* kCheckSummary =
    "Check the installation, configuration, credentials, Cloudflare's API and the\n"
    "registered buckets. The exit status is 1 if a line says NOT OK; a note is about\n"
    "what captures do without.";

/// Prints lines and keeps track of whether all were good.
class Report {
 public:
  void Ok(const std::string& line) const { Print("ok", line); }
  void Note(const std::string& line) const { Print("note", line); }
  void Bad(const std::string& line) {
    Print("NOT OK", line);
    good_ = false;
  }
  bool good() const { return good_; }

 private:
  static void Print(const char* mark, const std::string& line) {
    std::printf("%-6s  %s\n", mark, CleanLine(line, 1000).c_str());
  }
  bool good_ = true;
};

/// `mode` is access()'s; `elsewhere` shows that it is where this build would not have put it.
void CheckInstalled(const char* what, const std::string& path, int mode, const char* elsewhere,
                    Report& report) {
  if (access(path.c_str(), mode) == 0) {
    report.Ok(Format("the %s is installed: %s", what, path.c_str()));
  } else {
    report.Note(
        Format("there is no %s at %s; if %s, it is installed elsewhere; otherwise install "
               "the package or run: cmake --install build",
               what, path.c_str(), elsewhere));
  }
}

void CheckInstallation(Report& report) {
  report.Ok(kApplication);
  CheckInstalled("extcap", CLOUDFLAREDUMP_EXTCAP_DIR "/cloudflaredump", X_OK,
                 "tshark -D lists cloudflare-sample", report);
  CheckInstalled("plugin", CLOUDFLAREDUMP_PLUGIN_DIR "/cloudflare.so", R_OK,
                 "tshark -G plugins lists cloudflare.so", report);
}

void CheckConfiguration(const config::Settings& settings, Report& report) {
  report.Ok("configuration file " + settings.file() +
            (settings.file_exists() ? "" : " (does not exist; it is optional)"));
  for (const std::string& key : settings.unknown_keys()) {
    report.Bad("the configuration file has the unknown key " + key + "; is it misspelled?");
  }
  for (const config::Option& option : config::AllOptions()) {
    const config::Setting& setting = settings.At(option.id);
    if (setting.source == config::Source::kNone || setting.source == config::Source::kBuiltIn)
      continue;
    report.Ok(std::string(option.name) + " = " + config::ShownValue(option, setting.value) + "  (" +
              setting.where + ")");
  }
}

/// Checks the other interfaces, too: a setting may be valid on one kind and not on another.
void CheckEveryInterface(const config::OptionValues& given, Report& report) {
  for (const auto& [kind, name] :
       {std::pair(config::InterfaceKind::kSample, "cloudflare-sample"),
        std::pair(config::InterfaceKind::kDownload, "cloudflare-download")}) {
    const auto settings = config::Settings::Load(given, kind, system::ProcessEnvironment);
    if (!settings) report.Bad(std::string("on ") + name + ": " + SentenceOf(settings.error()));
  }
}

void CheckColos(const std::string& colos, Report& report) {
  for (const std::string_view piece : Split(colos, ',')) {
    const std::string_view name = Trim(piece);
    if (name.empty() || FindColo(name) != nullptr) continue;
    if (IsColoShape(name)) {
      report.Note("colos has \"" + std::string(name) +
                  "\", a data center that this version does not know; is it mistyped?");
      continue;
    }
    report.Bad("colos has \"" + CleanLine(name, 60) +
               "\", which is not a data center code; write them like this: colos = ORD,ord02,FRA");
  }
}

/// What became of looking into a place that files of captures are read from.
struct Look {
  std::optional<std::string> trouble = {};
  std::string keys = {};  ///< " with the keys from …", if it needs any
};

Look LookInto(const Result<bucket::DestinationConf>& conf, const bucket::BucketSettings& settings,
              capture::Engine& engine) {
  auto bucket = conf ? bucket::OpenBucket(*conf, settings, system::ProcessEnvironment,
                                          engine.http(), engine.loop())
                     : Result<std::unique_ptr<bucket::Bucket>>(Failure(conf));
  if (!bucket) return {.trouble = SentenceOf(bucket.error())};
  if (auto listed = (*bucket)->Probe(engine.stop().Stopping()); !listed) {
    return {.trouble = SentenceOf(listed.error())};
  }
  const std::string keys = (*bucket)->KeysFrom();
  return {.keys = keys.empty() ? "" : " with the keys from " + keys};
}

/// A registered bucket, and whether captures can use it.
struct Registered {
  bool usable = false;
  std::string line;
};

/// One that captures are read elsewhere from (`read_elsewhere`) need not be readable from here.
Registered LookAtRegistered(const api::BucketOwnership& ownership, bool read_elsewhere,
                            const bucket::BucketSettings& settings, capture::Engine& engine) {
  if (auto trouble = capture::OwnershipTrouble(ownership)) return {.line = *std::move(trouble)};
  const std::string name = "bucket " + RedactAddress(ownership.destination_conf) + " is validated";
  if (read_elsewhere) return {.usable = true, .line = name};
  const Look look =
      LookInto(bucket::ParseDestinationConf(ownership.destination_conf), settings, engine);
  if (look.trouble) return {.line = name + ", but reading it failed: " + *look.trouble};
  return {.usable = true, .line = name + " and can be read from here" + look.keys};
}

/// What keeps the buckets that full captures would use from being used is to be mended; about
/// others, which were mistyped or are a colleague's, there are notes.
void CheckBuckets(const config::Settings& settings,
                  const std::vector<api::BucketOwnership>& registered,
                  const bucket::BucketSettings& bucket_settings, capture::Engine& engine,
                  Report& report) {
  const std::string& chosen = settings.Text(config::Opt::kDestinationConf);
  const std::string& read_from = settings.Text(config::Opt::kReadFrom);
  if (!read_from.empty()) {
    const Look look = LookInto(bucket::ParseReadFrom(read_from), bucket_settings, engine);
    const std::string name = "read-from = " + RedactAddress(read_from);
    look.trouble ? report.Bad(name + ": " + *look.trouble)
                 : report.Ok(name + " can be read from here" + look.keys);
  }
  if (registered.empty() && chosen.empty()) {
    report.Note(
        "no bucket is registered; only full captures need one: run cloudflaredump "
        "register-bucket");
  }
  std::vector<Registered> looks;
  looks.reserve(registered.size());
  for (const api::BucketOwnership& ownership : registered) {
    looks.push_back(LookAtRegistered(ownership, !read_from.empty(), bucket_settings, engine));
  }
  const auto is_chosen = [&](const api::BucketOwnership& ownership) {
    return chosen.empty() ||
           bucket::WithoutKeys(ownership.destination_conf) == bucket::WithoutKeys(chosen);
  };
  bool any_chosen = false;
  bool any_usable = false;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    any_chosen |= is_chosen(registered[i]);
    any_usable |= looks[i].usable && is_chosen(registered[i]);
  }
  for (std::size_t i = 0; i < looks.size(); ++i) {
    if (looks[i].usable) {
      report.Ok(looks[i].line);
    } else if (any_usable || !is_chosen(registered[i])) {
      report.Note(looks[i].line);
    } else {
      report.Bad(looks[i].line);
    }
  }
  if (chosen.empty()) return;
  const auto trouble = any_chosen ? capture::SpelledOtherwise(registered, chosen)
                                  : capture::OwnershipTrouble(registered, chosen);
  if (trouble) report.Bad(*trouble);
}

/// An extra: captures do without it.
void CheckAnalytics(const api::ApiAccess& access, capture::Engine& engine,
                    const api::Patience& patience, Report& report) {
  api::AnalyticsApi analytics(engine.http(), engine.loop(), access);
  const auto bounds = analytics.Bounds(patience);
  const std::string gives =
      "it lets colos, the list of data centers and empty captures tell where traffic entered";
  if (!bounds) {
    report.Note("Account Analytics: Read (optional; " + gives + "): " + SentenceOf(bounds.error()));
  } else if (!bounds->enabled) {
    report.Note(
        "Account Analytics: Read is there, but the account has no analytics of Magic "
        "Transit's packets (optional; " +
        gives + ")");
  } else {
    report.Ok("Account Analytics: Read (optional; " + gives + ")");
  }
}

void CheckApi(const config::Settings& settings, capture::Engine& engine, Report& report) {
  auto access = capture::FindAccess(settings);
  if (!access) return report.Bad(SentenceOf(access.error()));
  report.Ok(access->token.empty() ? "credentials: email address and API key"
                                  : "credentials: an API token");
  api::PcapsApi api(engine.http(), engine.loop(), *access);
  const api::Patience patience{.retry_budget = 5s, .stop = engine.stop().Stopping()};
  auto jobs = api.List(patience);
  if (!jobs) return report.Bad(SentenceOf(jobs.error()));
  report.Ok(http::HostOf(access->base_url) + " answers, with " +
            Counted(jobs->size(), "earlier capture"));
  CheckAnalytics(*access, engine, patience, report);
  auto buckets = api.ListBuckets(patience);
  if (!buckets) return report.Bad(SentenceOf(buckets.error()));
  CheckBuckets(settings, *buckets, capture::BucketSettingsOf(settings, api, engine.stop(), 5s),
               engine, report);
}

}  // namespace

int CheckCommand(int argc, char** argv) {
  auto arguments =
      config::ParseArguments(argc, argv, {}, {.summary = kCheckSummary, .options = kBucketOptions});
  if (!arguments) return Complain(arguments.error());
  if (!arguments->words.empty()) {
    return Complain({.what = "check takes no arguments", .kind = Error::Kind::kUsage});
  }
  Report report;
  CheckInstallation(report);
  auto settings = config::Settings::Load(arguments->values, config::InterfaceKind::kFull,
                                         system::ProcessEnvironment);
  if (!settings) {
    report.Bad(SentenceOf(settings.error()));
    return 1;
  }
  CheckConfiguration(*settings, report);
  CheckEveryInterface(arguments->values, report);
  CheckColos(settings->Text(config::Opt::kColos), report);
  auto engine = capture::Engine::Make(*settings, system::ProcessEnvironment);
  if (engine) {
    CheckApi(*settings, **engine, report);
  } else {
    report.Bad(SentenceOf(engine.error()));
  }
  return report.good() ? 0 : 1;
}

}  // namespace cloudflaredump::tool
