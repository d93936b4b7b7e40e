// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/api/pcap_job.h"

#include <glib.h>
#include <jansson.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "common/text.h"

namespace cloudflaredump::api {
namespace {

constexpr std::size_t kShortestId = 16;
constexpr std::size_t kLongestId = 64;
constexpr std::uint64_t kLongestTime = 31536000;  // seconds

/// A text member, also one sent as null or with another type: then unset.
std::optional<std::string> Text(const json_t* object, const char* key) {
  const json_t* const value = json_object_get(object, key);
  if (!json_is_string(value)) return std::nullopt;
  return std::string(json_string_value(value), json_string_length(value));
}

/// A number member, also one sent as a text. The schema says `number`, so 60.0 is 60; negative ones
/// and fractions are unset.
std::optional<std::uint64_t> Number(const json_t* object, const char* key) {
  const json_t* const value = json_object_get(object, key);
  if (json_is_integer(value) && json_integer_value(value) >= 0) {
    return static_cast<std::uint64_t>(json_integer_value(value));
  }
  if (json_is_real(value)) {
    const double real = json_real_value(value);
    constexpr double kLargestExact = 9007199254740992;  // 2^53
    if (real >= 0 && real <= kLargestExact &&
        real == static_cast<double>(static_cast<std::uint64_t>(real))) {
      return static_cast<std::uint64_t>(real);
    }
  }
  if (json_is_string(value)) return ParseNumber(json_string_value(value));
  return std::nullopt;
}

FilterV1 ReadFilter(const json_t* object) {
  return {.source_address = Text(object, "source_address"),
          .destination_address = Text(object, "destination_address"),
          .source_port = Number(object, "source_port"),
          .destination_port = Number(object, "destination_port"),
          .protocol = Number(object, "protocol")};
}

json_t* Integer(std::uint64_t number) {
  return json_integer(static_cast<json_int_t>(number));
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
  job.id = Text(object, "id").value_or("");
  job.type = Text(object, "type").value_or("");
  job.system = Text(object, "system").value_or("");
  job.status = Text(object, "status").value_or("");
  job.submitted = Text(object, "submitted").value_or("");
  // Nobody asks for more than a year: times are added to it.
  job.time_limit = Number(object, "time_limit");
  if (job.time_limit > kLongestTime) job.time_limit.reset();
  job.packet_limit = Number(object, "packet_limit");
  job.byte_limit = Number(object, "byte_limit");
  job.offset_time = Text(object, "offset_time");
  job.colo = Text(object, "colo_name");
  if (!job.colo) job.colo = Text(object, "colo");
  job.destination_conf = Text(object, "destination_conf");
  job.error_message = Text(object, "error_message");
  job.packets_captured = Number(object, "packets_captured");
  job.stop_requested = Text(object, "stop_requested");
  job.filter_v1 = ReadFilter(json_object_get(object, "filter_v1"));
  return job;
}

json_t* FilterV1Json(const FilterV1& filter) {
  json_t* const object = json_object();
  if (filter.source_address) {
    json_object_set_new(object, "source_address", json_string(filter.source_address->c_str()));
  }
  if (filter.source_port) json_object_set_new(object, "source_port", Integer(*filter.source_port));
  if (filter.destination_address) {
    json_object_set_new(object, "destination_address",
                        json_string(filter.destination_address->c_str()));
  }
  if (filter.destination_port) {
    json_object_set_new(object, "destination_port", Integer(*filter.destination_port));
  }
  if (filter.protocol) json_object_set_new(object, "protocol", Integer(*filter.protocol));
  return object;
}

std::string WritePcapRequest(const PcapRequest& request) {
  const bool full = request.type == PcapRequest::Type::kFull;
  json_t* const body = json_object();
  json_object_set_new(body, "type", json_string(full ? "full" : "simple"));
  json_object_set_new(body, "system", json_string("magic-transit"));
  json_object_set_new(body, "time_limit", Integer(request.time_limit));
  if (request.packet_limit) {
    json_object_set_new(body, "packet_limit", Integer(*request.packet_limit));
  }
  if (full) {
    if (request.byte_limit) json_object_set_new(body, "byte_limit", Integer(*request.byte_limit));
    if (request.send_colo) json_object_set_new(body, "colo", json_string(request.colo.c_str()));
    if (request.send_colo_name) {
      json_object_set_new(body, "colo_name", json_string(request.colo.c_str()));
    }
    json_object_set_new(body, "destination_conf", json_string(request.destination_conf.c_str()));
  } else if (request.offset_time) {
    json_object_set_new(body, "offset_time",
                        json_string(FormatRfc3339(*request.offset_time).c_str()));
  }
  json_object_set_new(body, "filter_v1", FilterV1Json(request.filter_v1));
  char* const raw = json_dumps(body, JSON_COMPACT);
  json_decref(body);
  std::string text = raw == nullptr ? "" : raw;
  free(raw);  // jansson's own allocator is malloc
  return text;
}

bool CameFrom(const PcapJob& job, const PcapRequest& request) {
  const bool full = request.type == PcapRequest::Type::kFull;
  if (job.type != (full ? "full" : "simple")) return false;
  // What an answer leaves out contradicts nothing.
  const auto agrees = [](const auto& told, const auto& asked) { return !told || told == asked; };
  if (!agrees(job.time_limit, std::optional(request.time_limit))) return false;
  if (!agrees(job.packet_limit, request.packet_limit)) return false;
  if (job.filter_v1 != request.filter_v1) return false;
  if (full) {
    return agrees(job.byte_limit, request.byte_limit) &&
           agrees(job.colo, std::optional(request.colo));
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
