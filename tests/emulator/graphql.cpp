// SPDX-License-Identifier: GPL-2.0-or-later
#include "tests/emulator/graphql.h"

#include <glib.h>

#include <algorithm>

#include "tests/emulator/authentication.h"

namespace cloudflare_emulator {
namespace {

using namespace std::chrono_literals;
using Kind = GraphqlValue::Kind;

constexpr const char* kNode = "magicTransitNetworkAnalyticsAdaptiveGroups";

Answer GraphqlAnswer(int status, Json data, Json errors) {
  const Json body(json_object());
  Set(body.get(), "data", std::move(data));
  Set(body.get(), "errors", std::move(errors));
  return {.status = status, .body = DumpJson(body.get())};
}

Answer GraphqlFailure(int status, const std::string& words, Time now) {
  Json extensions(json_object());
  Set(extensions.get(), "timestamp", JsonText(FormatRfc3339(now)));
  if (status == 429) Set(extensions.get(), "code", JsonText("budget"));
  Json error(json_object());
  Set(error.get(), "message", JsonText(words));
  Set(error.get(), "path", Json(json_null()));
  Set(error.get(), "extensions", std::move(extensions));
  Json errors(json_array());
  json_array_append_new(errors.get(), error.release());
  return GraphqlAnswer(status, Json(json_null()), std::move(errors));
}

const GraphqlValue* Find(const std::vector<GraphqlValue>& members, const std::string& name) {
  const auto found = std::ranges::find(members, name, &GraphqlValue::name);
  return found == members.end() ? nullptr : &*found;
}

const GraphqlField* Only(const std::vector<GraphqlField>& selection, const std::string& name) {
  return selection.size() == 1 && selection[0].name == name ? &selection[0] : nullptr;
}

/// The text of a string, or of a variable that is declared as one.
std::optional<std::string> TextArgument(const GraphqlValue* value, const json_t* variables) {
  if (value == nullptr) return std::nullopt;
  if (value->kind == Kind::kString) return value->text;
  if (value->kind != Kind::kVariable) return std::nullopt;
  return TextOf(json_object_get(variables, value->text.c_str()));
}

/// The first variable that is declared with a type that these pages do not show, or is not given.
std::optional<std::string> BadVariable(const GraphqlQuery& query, const json_t* variables) {
  for (const auto& [name, type] : query.variables) {
    const bool known = type == "string!" || type == "string" || type == "Time!" || type == "Time" ||
                       type == "uint64!" || type == "uint64";
    if (!known || !json_object_get(variables, name.c_str())) return name;
  }
  return std::nullopt;
}

}  // namespace

Answer Graphql::Ask(const Request& request, const Moment& now) {
  // Reading is all that can be done here, though the method is POST.
  Request reading = request;
  reading.method = "GET";
  if (auto refusal = CheckCredentials(reading, access_)) {
    if (refusal->status == 400) return *std::move(refusal);
    return GraphqlFailure(401, "Unauthorized", now.wall);
  }
  if (!Spend(now.monotonic)) {
    return GraphqlFailure(429, "rate limiter budget depleted, try again after 5 minutes", now.wall);
  }
  auto data = Data(request, now);
  if (!data) return GraphqlFailure(data.error().status, data.error().words, now.wall);
  return GraphqlAnswer(200, *std::move(data), Json(json_null()));
}

bool Graphql::Spend(Span now) {
  const Span window = Seconds(300 / options_.speed);
  while (!spent_.empty() && now - spent_.front() >= window) spent_.pop_front();
  if (spent_.size() >= options_.budget) return false;
  spent_.push_back(now);
  return true;
}

Graphql::Read<Json> Graphql::Data(const Request& request, const Moment& now) {
  const Json body = ParseJson(request.body);
  const auto text = TextOf(json_object_get(body.get(), "query"));
  if (!text) return std::unexpected(Refused{400, "error parsing args: no query"});
  const auto query = ParseGraphql(*text);
  if (!query) return std::unexpected(Refused{400, "error parsing args: " + query.error()});
  const json_t* const variables = json_object_get(body.get(), "variables");
  if (const auto bad = BadVariable(*query, variables)) {
    return std::unexpected(Refused{400, "error parsing args: variable " + *bad});
  }
  const GraphqlField* const viewer = Only(query->selection, "viewer");
  const GraphqlField* const accounts =
      viewer != nullptr ? Only(viewer->selection, "accounts") : nullptr;
  if (accounts == nullptr) return std::unexpected(Refused{400, "unknown field in query"});
  auto account = Account(*accounts, variables, now);
  if (!account) return account;
  Json list(json_array());
  json_array_append_new(list.get(), account->release());
  Json in_viewer(json_object());
  Set(in_viewer.get(), accounts->alias.c_str(), std::move(list));
  Json data(json_object());
  Set(data.get(), viewer->alias.c_str(), std::move(in_viewer));
  return data;
}

Graphql::Read<Json> Graphql::Account(const GraphqlField& accounts, const json_t* variables,
                                     const Moment& now) {
  const GraphqlValue* const filter = Find(accounts.arguments, "filter");
  const GraphqlValue* const tag =
      filter != nullptr && filter->kind == Kind::kObject && filter->members.size() == 1
          ? Find(filter->members, "accountTag")
          : nullptr;
  const auto account = TextArgument(tag, variables);
  if (!account) return std::unexpected(Refused{400, "error parsing args for \"accounts\""});
  if (*account != access_.account || options_.access == AnalyticsAccess::kDenied) {
    return std::unexpected(Refused{403, "not authorized for that account"});
  }
  Json object(json_object());
  for (const GraphqlField& field : accounts.selection) {
    if (field.name != "settings" && field.name != kNode) {
      return std::unexpected(Refused{400, "unknown field \"" + field.name + "\""});
    }
    auto value = field.name == kNode ? Rows(field, now.wall) : Settings(field);
    if (!value) return value;
    // JSON names a key once.
    if (json_object_get(object.get(), field.alias.c_str()) != nullptr) {
      return std::unexpected(Refused{400, "error parsing args: two fields " + field.alias});
    }
    Set(object.get(), field.alias.c_str(), *std::move(value));
  }
  return object;
}

Graphql::Read<Json> Graphql::Settings(const GraphqlField& settings) const {
  const GraphqlField* const node = Only(settings.selection, kNode);
  if (node == nullptr || !node->arguments.empty() || !settings.arguments.empty()) {
    return std::unexpected(Refused{400, "unknown field in settings"});
  }
  Json values(json_object());
  for (const GraphqlField& field : node->selection) {
    Json value;
    if (field.name == "enabled") {
      value.reset(json_boolean(options_.access != AnalyticsAccess::kAbsent));
    } else if (field.name == "maxDuration") {
      value.reset(json_integer(options_.max_duration));
    } else if (field.name == "notOlderThan") {
      value.reset(json_integer(options_.not_older_than));
    } else if (field.name == "maxPageSize") {
      value.reset(json_integer(options_.max_page_size));
    } else if (field.name == "maxNumberOfFields") {
      constexpr json_int_t kFields = 50;
      value.reset(json_integer(kFields));
    } else if (field.name == "availableFields") {
      value.reset(json_array());
      for (const std::string& name : AvailableFields(options_.tells_interval)) {
        json_array_append_new(value.get(), JsonText(name).release());
      }
    } else {
      return std::unexpected(Refused{400, "unknown field \"" + field.name + "\""});
    }
    Set(values.get(), field.alias.c_str(), std::move(value));
  }
  Json object(json_object());
  Set(object.get(), node->alias.c_str(), std::move(values));
  return object;
}

Graphql::Read<void> Graphql::CheckSpan(const AnalyticsFilter& filter, Time now) const {
  if (!filter.start() || !filter.end()) {
    return std::unexpected(Refused{400, "error parsing args: filter has no time range"});
  }
  if (*filter.end() - *filter.start() > std::chrono::seconds(options_.max_duration)) {
    return std::unexpected(
        Refused{400, Text("query time range is too large, should be shorter than %llds",
                          static_cast<long long>(options_.max_duration))});
  }
  if (*filter.start() < now - std::chrono::seconds(options_.not_older_than)) {
    return std::unexpected(Refused{400, Text("cannot request data older than %llds",
                                             static_cast<long long>(options_.not_older_than))});
  }
  return {};
}

Graphql::Read<Json> Graphql::Rows(const GraphqlField& node, Time now) const {
  if (options_.access == AnalyticsAccess::kAbsent) {
    return std::unexpected(
        Refused{403, "account " + access_.account + " does not have access to the path"});
  }
  const GraphqlValue* const limit = Find(node.arguments, "limit");
  const GraphqlValue* const wanted = Find(node.arguments, "filter");
  const auto rows = limit != nullptr && limit->kind == Kind::kInt
                        ? g_ascii_strtoll(limit->text.c_str(), nullptr, 10)
                        : 0;
  if (rows < 1 || rows > options_.max_page_size) {
    return std::unexpected(
        Refused{400, Text("limit must be positive number and not greater than %lld",
                          static_cast<long long>(options_.max_page_size))});
  }
  const auto selection = ReadSelection(node);
  if (!selection) return std::unexpected(Refused{400, selection.error()});
  if (selection->sample_interval && !options_.tells_interval) {
    return std::unexpected(Refused{400, "unknown field \"sampleInterval\""});
  }
  const auto filter = AnalyticsFilter::Read(wanted != nullptr ? *wanted : GraphqlValue());
  if (!filter) return std::unexpected(Refused{400, filter.error()});
  if (auto good = CheckSpan(*filter, now); !good) return std::unexpected(good.error());
  std::vector<AnalyticsSample> samples;
  const Time known = std::min(*filter->end(), now - Seconds(options_.lag));
  for (const Record& record : traffic_.Between(*filter->start(), known)) {
    auto sample = SampleOf(record, places_);
    if (sample && filter->Holds(*sample)) samples.push_back(*std::move(sample));
  }
  return GroupSamples(samples, *selection, static_cast<std::uint64_t>(options_.interval),
                      static_cast<std::size_t>(rows));
}

}  // namespace cloudflare_emulator
