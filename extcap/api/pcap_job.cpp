// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/api/pcap_job.h"

#include <gio/gio.h>
#include <jansson.h>

#include <algorithm>
#include <memory>

#include "common/json.h"
#include "common/text.h"

namespace cloudflaredump::api {
namespace {

constexpr std::size_t kShortestId = 16;
constexpr std::size_t kLongestId = 64;
constexpr std::uint64_t kLongestTime = 31536000;  // seconds

/// An address as GLib writes it, without a prefix of its whole length; other texts as they are.
std::string CanonicalAddress(const std::string& text) {
  const std::size_t slash = text.find('/');
  const bool six = text.find(':') != std::string::npos;
  if (slash != std::string::npos && text.substr(slash) != (six ? "/128" : "/32")) return text;
  GInetAddress* const address = g_inet_address_new_from_string(text.substr(0, slash).c_str());
  if (address == nullptr) return text;
  const std::unique_ptr<char, decltype(&g_free)> written(g_inet_address_to_string(address), g_free);
  g_object_unref(address);
  return std::string(written.get());
}

/// Bears that a server writes a filter in another form than it was sent.
FilterV1 Canonical(FilterV1 filter) {
  for (auto* const address : {&filter.source_address, &filter.destination_address}) {
    if (*address) *address = CanonicalAddress(**address);
  }
  return filter;
}

/// Leaves a limit of 0 unsaid: no capture has one, but a server may write what it does not know so.
std::optional<std::uint64_t> JsonLimit(const json_t* object, const char* key) {
  const auto limit = JsonNumber(object, key);
  return limit == 0U ? std::nullopt : limit;
}

}  // namespace

JobPhase PcapJob::phase() const {
  const auto is = [this](const char* word) {
    return g_ascii_strcasecmp(status.c_str(), word) == 0;
  };
  if (is("success") || is("complete")) return JobPhase::kDone;
  return is("failed") ? JobPhase::kFailed : JobPhase::kGoing;
}

std::optional<WallTime> PcapJob::submitted_at() const {
  return ParseRfc3339(submitted);
}

bool IsPcapId(std::string_view id) {
  if (id.size() < kShortestId || id.size() > kLongestId) return false;
  return std::ranges::all_of(id, [](char c) { return g_ascii_isalnum(c) || c == '-'; });
}

PcapJob ReadPcapJob(const json_t* object) {
  PcapJob job;
  job.id = JsonText(object, "id").value_or("");
  job.type = JsonText(object, "type").value_or("");
  job.system = JsonText(object, "system").value_or("");
  job.status = JsonText(object, "status").value_or("");
  job.submitted = JsonText(object, "submitted").value_or("");
  // Nobody asks for more than a year: times are added to it.
  job.time_limit = JsonLimit(object, "time_limit");
  if (job.time_limit > kLongestTime) job.time_limit.reset();
  job.packet_limit = JsonLimit(object, "packet_limit");
  job.byte_limit = JsonLimit(object, "byte_limit");
  job.offset_time = JsonText(object, "offset_time");
  job.colo = JsonText(object, "colo_name");
  if (!job.colo) job.colo = JsonText(object, "colo");
  job.destination_conf = JsonText(object, "destination_conf");
  job.error_message = JsonText(object, "error_message");
  job.packets_captured = JsonNumber(object, "packets_captured");
  job.stop_requested = JsonText(object, "stop_requested");
  ReadFilterV1(json_object_get(object, "filter_v1"), job.filter_v1);
  return job;
}

std::string WritePcapRequest(const PcapRequest& request) {
  const bool full = request.type == PcapRequest::Type::kFull;
  const Json body(json_object());
  const auto set = [&body](const char* key, json_t* value) {
    json_object_set_new(body.get(), key, value);
  };
  set("type", json_string(full ? "full" : "simple"));
  set("system", json_string("magic-transit"));
  set("time_limit", MakeJson(request.time_limit));
  if (request.packet_limit) set("packet_limit", MakeJson(*request.packet_limit));
  if (full) {
    if (request.byte_limit) set("byte_limit", MakeJson(*request.byte_limit));
    if (request.send_colo) set("colo", MakeJson(request.colo));
    if (request.send_colo_name) set("colo_name", MakeJson(request.colo));
    set("destination_conf", MakeJson(request.destination_conf));
  } else if (request.offset_time) {
    set("offset_time", MakeJson(FormatRfc3339(*request.offset_time)));
  }
  set("filter_v1", FilterV1Json(request.filter_v1));
  return DumpJson(body.get());
}

void FillIn(PcapJob& job, const PcapRequest& request) {
  if (!job.time_limit) job.time_limit = request.time_limit;
  if (!job.packet_limit) job.packet_limit = request.packet_limit;
  if (!job.byte_limit) job.byte_limit = request.byte_limit;
  if (!job.offset_time && request.offset_time)
    job.offset_time = FormatRfc3339(*request.offset_time);
  if (job.filter_v1 == FilterV1()) job.filter_v1 = request.filter_v1;
}

bool IsSameFilter(const FilterV1& a, const FilterV1& b) {
  return Canonical(a) == Canonical(b);
}

bool IsColo(const PcapJob& job, const std::string& colo) {
  return !job.colo || g_ascii_strcasecmp(job.colo->c_str(), colo.c_str()) == 0;
}

bool Covers(const FilterV1& wide, const FilterV1& narrow) {
  const FilterV1 a = Canonical(wide);
  const FilterV1 b = Canonical(narrow);
  return std::ranges::all_of(FilterV1Fields(), [&](const FilterV1Field& field) {
    return std::visit([&](auto member) { return !(a.*member) || a.*member == b.*member; },
                      field.member);
  });
}

bool CameFrom(const PcapJob& job, const PcapRequest& request) {
  const bool full = request.type == PcapRequest::Type::kFull;
  if (job.type != (full ? "full" : "simple")) return false;
  // What an answer leaves out contradicts nothing.
  const auto agrees = [](const auto& told, const auto& asked) { return !told || told == asked; };
  if (!agrees(job.time_limit, std::optional(request.time_limit))) return false;
  if (!agrees(job.packet_limit, request.packet_limit)) return false;
  if (!IsSameFilter(job.filter_v1, request.filter_v1)) return false;
  if (full) {
    return agrees(job.byte_limit, request.byte_limit) && IsColo(job, request.colo);
  }
  if (!job.offset_time || !request.offset_time) return true;
  return ParseRfc3339(*job.offset_time) == request.offset_time;
}

std::optional<PcapJob> FindMade(const std::vector<PcapJob>& jobs, const std::vector<PcapJob>& known,
                                const PcapRequest& request) {
  for (const PcapJob& job : jobs) {
    const bool old = std::ranges::any_of(known, [&](const PcapJob& k) { return k.id == job.id; });
    if (!old && IsPcapId(job.id) && CameFrom(job, request)) return job;
  }
  return std::nullopt;
}

}  // namespace cloudflaredump::api
