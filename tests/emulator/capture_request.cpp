// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/capture_request.h"

namespace cloudflare_emulator {
namespace {

constexpr double kSampleTimeLimit = 300;
constexpr double kFullTimeLimit = 86400;
constexpr double kPacketLimit = 10000;
constexpr double kByteLimit = 1e9;

/// Reads the members of one object and keeps the first complaint.
class Members {
 public:
  explicit Members(const json_t* object) : object_(object) {}

  const std::string& problem() const { return problem_; }
  void Complain(std::string problem) {
    if (problem_.empty()) problem_ = std::move(problem);
  }

  const json_t* Get(const char* name, bool required) {
    const json_t* value = json_object_get(object_, name);
    if (!value && required) Complain(Text("%s is required", name));
    return value;
  }

  std::optional<std::string> String(const char* name, bool required) {
    const json_t* value = Get(name, required);
    if (value && !json_is_string(value)) Complain(Text("%s must be a string", name));
    return TextOf(value);
  }

  /// A number from 1 to `most`; decimals are allowed, the schema says `number`.
  std::optional<double> Number(const char* name, double most, bool required) {
    const json_t* value = Get(name, required);
    if (!value) return std::nullopt;
    const double number = json_number_value(value);
    if (!json_is_number(value)) {
      Complain(Text("%s must be a number", name));
    } else if (number < 1 || number > most) {
      Complain(Text("%s must be from 1 to %.0f", name, most));
    }
    return number;
  }

 private:
  const json_t* object_;
  std::string problem_;
};

void ReadOffsetTime(Members& members, Time now, CaptureRequest& request) {
  constexpr auto kTolerance = std::chrono::seconds(5);
  const auto text = members.String("offset_time", false);
  if (!text) return;
  request.offset_time = ParseRfc3339(*text);
  if (!request.offset_time) {
    members.Complain("offset_time must be an RFC 3339 date-time");
  } else if (*request.offset_time > now + kTolerance) {
    members.Complain("offset_time must not be in the future");
  } else if (*request.offset_time < now - std::chrono::hours(24) - kTolerance) {
    members.Complain("offset_time must be within the last 24h");
  }
}

void ReadFilter(Members& members, bool accept_ipv6, CaptureRequest& request) {
  const auto filter = ReadFilterV1(members.Get("filter_v1", false), accept_ipv6);
  if (filter) {
    request.filter = *filter;
  } else {
    members.Complain(filter.error());
  }
}

void ReadType(Members& members, CaptureRequest& request) {
  const auto type = members.String("type", true);
  if (type && type != "simple" && type != "full") {
    members.Complain("type must be simple or full");
  }
  request.full = type == "full";
  const auto system = members.String("system", true);
  if (system && system != "magic-transit") members.Complain("system must be magic-transit");
}

void ReadSimple(Members& members, Time now, CaptureRequest& request) {
  request.time_limit = members.Number("time_limit", kSampleTimeLimit, true).value_or(0);
  request.packet_limit = members.Number("packet_limit", kPacketLimit, true);
  ReadOffsetTime(members, now, request);
}

/// Of the two names the option asks for one, or takes either. Both is no contradiction, unless the
/// option forbids the other name.
void ReadColo(Members& members, const CaptureOptions& options) {
  const bool wants_colo = options.colo_field == ColoField::kColo;
  const char* wanted = wants_colo ? "colo" : "colo_name";
  const char* other = wants_colo ? "colo_name" : "colo";
  auto colo = members.String(wanted, false);
  const auto also = members.String(other, false);
  if (options.colo_field == ColoField::kBoth && !colo) colo = also;
  if (options.colo_strict && also) members.Complain(Text("%s is not a known field", other));
  if (!colo) {
    members.Complain(Text("%s is required", wanted));
  } else if (!MatchWhole("[A-Za-z]{3}[0-9]{0,3}", *colo)) {
    members.Complain(Text("%s is no data center", wanted));
  }
}

void ReadFull(Members& members, const CaptureOptions& options, CaptureRequest& request) {
  request.time_limit = members.Number("time_limit", kFullTimeLimit, true).value_or(0);
  request.packet_limit = members.Number("packet_limit", kPacketLimit, false);
  request.byte_limit = members.Number("byte_limit", kByteLimit, false);
  ReadColo(members, options);
  request.destination_conf = members.String("destination_conf", true).value_or("");
}

}  // namespace

std::expected<CaptureRequest, ApiError> ReadCaptureRequest(const std::string& body, Time now,
                                                           const CaptureOptions& options) {
  const Json parsed = ParseJson(body);
  if (!parsed) return std::unexpected(ApiError{kCodeBadBody, "the body is not valid JSON"});
  if (!json_is_object(parsed.get())) {
    return std::unexpected(ApiError{kCodeBadBody, "the body must be a JSON object"});
  }
  CaptureRequest request;
  request.body = std::shared_ptr<const json_t>(json_incref(parsed.get()), [](const json_t* value) {
    json_decref(const_cast<json_t*>(value));
  });
  Members members(parsed.get());
  ReadType(members, request);
  if (request.full) {
    ReadFull(members, options, request);
  } else {
    ReadSimple(members, now, request);
  }
  ReadFilter(members, options.filter_ipv6, request);
  if (!members.problem().empty()) {
    return std::unexpected(ApiError{kCodeBadField, members.problem()});
  }
  return request;
}

}  // namespace cloudflare_emulator
