// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/analytics_memory.h"

#include <jansson.h>

#include "common/json.h"
#include "extcap/api/api_answer.h"
#include "extcap/system/log.h"
#include "extcap/system/private_file.h"

namespace cloudflaredump::capture {
namespace {

constexpr Duration kRemembered = std::chrono::hours(24);
constexpr std::size_t kMostAccounts = 50;

std::string CachePath(const system::Environment& environment) {
  const char* const cache = environment("XDG_CACHE_HOME");
  const bool set = cache != nullptr && *cache != '\0';
  return (set ? std::string(cache) : system::HomeFolder(environment) + "/.cache") +
         "/cloudflaredump/analytics.json";
}

/// Names the account at one API: the same id may be known to an emulator, too.
std::string KeyOf(const api::ApiAccess& access) {
  return access.account_id + " " + http::HostOf(access.base_url);
}

/// The file's object; an empty one for what cannot be read.
Json ReadAll(const std::string& path) {
  const auto read = system::ReadRegularFile("memory of the analytics' limits", path);
  if (!read || !*read) return Json(json_object());
  Json all(json_loadb((*read)->bytes.data(), (*read)->bytes.size(), 0, nullptr));
  return json_is_object(all.get()) ? std::move(all) : Json(json_object());
}

void WriteAll(const std::string& path, const Json& all) {
  auto written = system::ReplacePrivateFile(path, DumpJson(all.get(), JSON_INDENT(1)));
  if (!written) {
    system::Log(system::LogLevel::kInfo, "the analytics' bounds are not remembered: %s",
                ClauseOf(written.error()).c_str());
  }
}

std::optional<std::uint64_t> NumberOf(const json_t* object, const char* key) {
  const json_t* const number = json_object_get(object, key);
  if (!json_is_integer(number) || json_integer_value(number) < 1) return std::nullopt;
  return static_cast<std::uint64_t>(json_integer_value(number));
}

void PutNumber(json_t* object, const char* key, const std::optional<std::uint64_t>& number) {
  if (number) {
    json_object_set_new(object, key, MakeJson(*number));
  }
}

}  // namespace

AnalyticsMemory::AnalyticsMemory(const system::Environment& environment)
    : path_(CachePath(environment)) {}

std::optional<api::AnalyticsBounds> AnalyticsMemory::Find(const api::ApiAccess& access,
                                                          WallTime now) const {
  const Json all = ReadAll(path_);
  const json_t* const one = json_object_get(all.get(), KeyOf(access).c_str());
  const auto asked = ParseRfc3339(JsonText(one, "at").value_or(""));
  if (!asked || now < *asked || now - *asked >= kRemembered) return std::nullopt;
  return api::AnalyticsBounds{
      .enabled = json_is_true(json_object_get(one, "enabled")),
      .tells_sample_interval = json_is_true(json_object_get(one, "tells_sample_interval")),
      .max_duration = NumberOf(one, "max_duration"),
      .not_older_than = NumberOf(one, "not_older_than"),
      .max_page_size = NumberOf(one, "max_page_size")};
}

void AnalyticsMemory::Remember(const api::ApiAccess& access, const api::AnalyticsBounds& bounds,
                               WallTime now) {
  json_t* const one = json_pack("{s:s, s:b, s:b}", "at", FormatRfc3339(now).c_str(), "enabled",
                                bounds.enabled ? 1 : 0, "tells_sample_interval",
                                bounds.tells_sample_interval ? 1 : 0);
  PutNumber(one, "max_duration", bounds.max_duration);
  PutNumber(one, "not_older_than", bounds.not_older_than);
  PutNumber(one, "max_page_size", bounds.max_page_size);
  const Json all = ReadAll(path_);
  if (json_object_size(all.get()) >= kMostAccounts) json_object_clear(all.get());
  json_object_set_new(all.get(), KeyOf(access).c_str(), one);
  WriteAll(path_, all);
}

void AnalyticsMemory::Forget(const api::ApiAccess& access) {
  const Json all = ReadAll(path_);
  if (json_object_del(all.get(), KeyOf(access).c_str()) == 0) WriteAll(path_, all);
}

Result<api::AnalyticsBounds> FindBounds(api::AnalyticsApi& analytics, const api::ApiAccess& access,
                                        AnalyticsMemory& memory, WallTime now,
                                        const api::Patience& patience) {
  if (const auto known = memory.Find(access, now)) return *known;
  auto bounds = analytics.Bounds(patience);
  if (bounds) memory.Remember(access, *bounds, now);
  return bounds;
}

}  // namespace cloudflaredump::capture
