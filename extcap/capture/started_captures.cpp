// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/started_captures.h"

#include <fcntl.h>
#include <glib.h>
#include <jansson.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

#include "common/json.h"
#include "common/redact.h"
#include "common/text.h"
#include "extcap/system/log.h"
#include "extcap/system/private_file.h"

namespace cloudflaredump::capture {
namespace {

/// Of each type: enough for `latest` and for what a bad day leaves to stop.
constexpr std::size_t kMostRecords = 100;

/// A filter with hundreds of addresses is not worth its place in each record.
constexpr std::size_t kLongestFilter = 1024;

/// How many full captures are looked for that the account's list does not have.
constexpr std::size_t kMostRecent = 5;

std::string StatePath(const system::Environment& environment) {
  const char* const state = environment("XDG_STATE_HOME");
  if (state != nullptr && *state != '\0') {
    return std::string(state) + "/cloudflaredump/started.json";
  }
  return system::HomeFolder(environment) + "/.local/state/cloudflaredump/started.json";
}

std::string Member(const json_t* object, const char* key) {
  return JsonText(object, key).value_or("");
}

json_t* ToJson(const StartedCapture& capture) {
  json_t* const object = json_object();
  const auto put = [object](const char* key, const std::string& value) {
    json_object_set_new(object, key, MakeJson(value));
  };
  put("key", capture.key);
  put("account_id", capture.account_id);
  put("pcap_id", capture.pcap_id);
  put("type", capture.type);
  put("request", capture.request);
  if (capture.filter) put("filter", *capture.filter);
  put("at", capture.at);
  json_object_set_new(object, "needs_stop", json_boolean(capture.needs_stop));
  if (capture.run_ended) json_object_set_new(object, "run_ended", json_true());
  return object;
}

/// Leaves the newest records of each type.
void KeepNewest(std::vector<StartedCapture>& captures) {
  std::map<std::string, std::size_t> counts;
  std::ranges::reverse(captures);
  std::erase_if(captures, [&counts](const StartedCapture& capture) {
    return ++counts[capture.type] > kMostRecords;
  });
  std::ranges::reverse(captures);
}

/// Makes the folder of `path` if it is missing.
void MakeFolder(const std::string& path) {
  char* const folder = g_path_get_dirname(path.c_str());
  g_mkdir_with_parents(folder, 0700);
  g_free(folder);
}

/// The records, as far as the text is a list in JSON, else null.
Json ParseArray(const std::string& text) {
  Json array(json_loadb(text.data(), text.size(), 0, nullptr));
  return json_is_array(array.get()) ? std::move(array) : Json();
}

/// The records in the list. The file is ours, but anybody may have edited it: what does not read is
/// no record.
std::vector<StartedCapture> RecordsIn(const json_t* array) {
  std::vector<StartedCapture> captures;
  for (std::size_t i = 0; i < json_array_size(array); ++i) {
    const json_t* const object = json_array_get(array, i);
    StartedCapture capture{.key = Member(object, "key"),
                           .account_id = Member(object, "account_id"),
                           .pcap_id = Member(object, "pcap_id"),
                           .type = Member(object, "type"),
                           .request = Member(object, "request"),
                           .filter = JsonText(object, "filter"),
                           .at = Member(object, "at"),
                           .needs_stop = json_is_true(json_object_get(object, "needs_stop")),
                           .run_ended = json_is_true(json_object_get(object, "run_ended"))};
    if (!capture.pcap_id.empty() && !api::IsPcapId(capture.pcap_id)) continue;
    captures.push_back(std::move(capture));
  }
  return captures;
}

/// Puts aside a file that is no record: it may name captures that still have to be stopped.
void KeepUnreadable(const std::string& path) {
  std::string kept = path + ".unreadable";
  for (int n = 2; access(kept.c_str(), F_OK) == 0; ++n)
    kept = Format("%s.unreadable-%d", path.c_str(), n);
  if (rename(path.c_str(), kept.c_str()) != 0) return;
  system::Log(
      system::LogLevel::kWarning,
      "the record of captures %s is not a list in JSON; it is kept as %s, and a new one begins",
      CleanLine(path).c_str(), CleanLine(kept).c_str());
}

int OpenLock(const std::string& path) {
  return open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

}  // namespace

api::PcapJob StartedCapture::AsJob() const {
  const Json object(json_loadb(request.data(), request.size(), 0, nullptr));
  return api::ReadPcapJob(object.get());
}

bool StartedCapture::Asked(const api::PcapJob& job) const {
  const api::PcapJob asked = AsJob();
  // Clocks differ; a request is answered within seconds.
  constexpr Duration kAround = std::chrono::minutes(5);
  const auto asked_at = ParseRfc3339(at);
  const auto submitted = job.submitted_at();
  const bool then =
      !asked_at || !submitted ||
      std::chrono::abs(std::chrono::duration_cast<Duration>(*submitted - *asked_at)) < kAround;
  return then && job.type == asked.type && job.time_limit == asked.time_limit &&
         api::IsSameFilter(job.filter_v1, asked.filter_v1) &&
         api::IsColo(job, asked.colo.value_or(""));
}

Turn::~Turn() {
  if (fd_ >= 0) close(fd_);
}

bool Turn::Take() const {
  return fd_ >= 0 && flock(fd_, LOCK_EX) == 0;
}

bool Turn::TryTake() const {
  return fd_ >= 0 && flock(fd_, LOCK_EX | LOCK_NB) == 0;
}

StartedCaptures::StartedCaptures(const system::Environment& environment)
    : path_(StatePath(environment)) {}

std::vector<StartedCapture> StartedCaptures::Read() const {
  const auto read = system::ReadRegularFile("record of captures", path_);
  return read && *read ? RecordsIn(ParseArray((*read)->bytes).get())
                       : std::vector<StartedCapture>();
}

template <class Change>
void StartedCaptures::Update(const Change& change) {
  MakeFolder(path_);
  // Held for a few milliseconds by whoever has it, so it is waited for as it is.
  const Turn lock(OpenLock(path_ + ".lock"));
  lock.Take();
  const auto before = system::ReadRegularFile("record of captures", path_);
  // What cannot be read at the moment is not written over.
  if (!before) return Warn(before.error());
  const Json known = *before ? ParseArray((*before)->bytes) : Json();
  if (*before && !(*before)->bytes.empty() && known == nullptr) KeepUnreadable(path_);
  std::vector<StartedCapture> captures = RecordsIn(known.get());
  change(captures);
  KeepNewest(captures);
  const Json array(json_array());
  for (const StartedCapture& capture : captures) {
    json_array_append_new(array.get(), ToJson(capture));
  }
  auto written = system::ReplacePrivateFile(path_, DumpJson(array.get(), JSON_INDENT(1)));
  if (!written) Warn(written.error());
}

void StartedCaptures::Warn(const Error& error) {
  if (std::exchange(warned_, true)) return;
  system::Log(system::LogLevel::kWarning, "recovery is off: %s", ClauseOf(error).c_str());
}

std::string StartedCaptures::Intend(const std::string& account_id, const api::PcapRequest& request,
                                    const std::string& filter, WallTime now, Use use) {
  api::PcapRequest shown = request;
  shown.destination_conf.clear();  // R2 destinations carry keys
  char* const uuid = g_uuid_string_random();
  StartedCapture capture{.key = uuid,
                         .account_id = account_id,
                         .pcap_id = {},
                         .type = request.type == api::PcapRequest::Type::kFull ? "full"
                                 : use == Use::kLive                           ? "live"
                                                                               : "simple",
                         .request = api::WritePcapRequest(shown),
                         .filter = {},
                         .at = FormatRfc3339(now)};
  g_free(uuid);
  // What hides a secret is not the filter any more.
  if (use == Use::kOne && filter.size() <= kLongestFilter && Redact(filter) == filter) {
    capture.filter = filter;
  }
  Update([&](std::vector<StartedCapture>& captures) { captures.push_back(capture); });
  return capture.key;
}

void StartedCaptures::Started(const std::string& key, const std::string& pcap_id) {
  Update([&](std::vector<StartedCapture>& captures) {
    for (StartedCapture& capture : captures) {
      if (capture.key == key) capture.pcap_id = pcap_id;
    }
  });
}

void StartedCaptures::NeedsStop(const std::string& key, bool needs_stop) {
  Update([&](std::vector<StartedCapture>& captures) {
    for (StartedCapture& capture : captures) {
      if (capture.key == key) capture.needs_stop = needs_stop;
    }
  });
}

void StartedCaptures::RunEnded(const std::vector<std::string>& pcap_ids) {
  Update([&](std::vector<StartedCapture>& captures) {
    for (StartedCapture& capture : captures) {
      if (std::ranges::find(pcap_ids, capture.pcap_id) != pcap_ids.end()) capture.run_ended = true;
    }
  });
}

void StartedCaptures::Forget(const std::string& key) {
  Update([&](std::vector<StartedCapture>& captures) {
    std::erase_if(captures, [&](const StartedCapture& capture) { return capture.key == key; });
  });
}

std::unique_ptr<Turn> StartedCaptures::AwaitTurn(system::EventLoop& loop,
                                                 const std::function<bool()>& stop) const {
  using namespace std::chrono_literals;
  MakeFolder(path_);
  const int fd = OpenLock(path_ + ".turn");
  if (fd < 0) return nullptr;
  auto turn = std::make_unique<Turn>(fd);
  while (!turn->TryTake()) {
    const auto pause = loop.FromReal(50ms);
    if (loop.RunUntil(stop, loop.Steady() + pause)) return nullptr;
  }
  return turn;
}

std::optional<std::string> StartedCaptures::Latest(const std::string& account_id) const {
  const std::vector<StartedCapture> captures = Read();
  for (auto capture = captures.rbegin(); capture != captures.rend(); ++capture) {
    if (capture->account_id != account_id || capture->type == "live") continue;
    if (!capture->pcap_id.empty()) return capture->pcap_id;
  }
  return std::nullopt;
}

std::vector<std::string> StartedCaptures::RecentFull(const std::string& account_id) const {
  std::vector<std::string> ids;
  const std::vector<StartedCapture> captures = Read();
  for (auto capture = captures.rbegin(); capture != captures.rend(); ++capture) {
    if (capture->account_id != account_id || capture->type != "full") continue;
    if (!capture->pcap_id.empty()) ids.push_back(capture->pcap_id);
    if (ids.size() == kMostRecent) break;
  }
  return ids;
}

std::vector<std::string> StartedCaptures::SamplesOfEndedRuns(const std::string& account_id,
                                                             WallTime until) const {
  std::vector<std::string> ids;
  for (const StartedCapture& capture : Read()) {
    const auto at = ParseRfc3339(capture.at);
    const bool ended = capture.run_ended || (at && *at <= until);
    if (capture.account_id != account_id || capture.type == "full" || !ended) continue;
    ids.push_back(capture.pcap_id);
  }
  return ids;
}

std::optional<std::string> StartedCaptures::FilterOf(const std::string& pcap_id) const {
  for (const StartedCapture& capture : Read()) {
    if (capture.pcap_id == pcap_id) return capture.filter;
  }
  return std::nullopt;
}

void StartedCaptures::RecallLimits(api::PcapJob& job) const {
  for (const StartedCapture& capture : Read()) {
    if (capture.pcap_id != job.id) continue;
    const api::PcapJob asked = capture.AsJob();
    if (!job.packet_limit) job.packet_limit = asked.packet_limit;
    if (!job.byte_limit) job.byte_limit = asked.byte_limit;
  }
}

std::vector<StartedCapture> StartedCaptures::ToStop(const std::string& account_id) const {
  std::vector<StartedCapture> captures = Read();
  std::erase_if(captures, [&](const StartedCapture& capture) {
    const bool unanswered = capture.type == "full" && capture.pcap_id.empty();
    return capture.account_id != account_id || (!capture.needs_stop && !unanswered);
  });
  return captures;
}

bool StartedCaptures::Has(const std::string& pcap_id) const {
  return std::ranges::any_of(
      Read(), [&](const StartedCapture& capture) { return capture.pcap_id == pcap_id; });
}

}  // namespace cloudflaredump::capture
