// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/api/analytics.h"

#include <jansson.h>

#include <algorithm>

#include "common/json.h"
#include "common/text.h"
#include "extcap/api/answer_log.h"
#include "extcap/api/graphql_answer.h"
#include "extcap/api/pcaps_ask.h"

namespace cloudflaredump::api {
namespace {

constexpr const char* kNode = "magicTransitNetworkAnalyticsAdaptiveGroups";
constexpr std::size_t kLargestAnswer = std::size_t{16} << 20;

/// `value` as a GraphQL string; ours hold nothing that JSON writes otherwise.
std::string Quoted(const std::string& value) {
  const Json text(MakeJson(value));
  return DumpJson(text.get(), JSON_ENCODE_ANY);
}

void Add(std::string& list, const std::string& member) {
  list += (list.empty() ? "" : ", ") + member;
}

/// `field: "value"`, or `field_in: ["value", …]`; nothing for no values.
void AddAnyOf(std::string& filter, const std::string& field,
              const std::vector<std::string>& values) {
  if (values.size() == 1) Add(filter, field + ": " + Quoted(values.front()));
  if (values.size() < 2) return;
  std::string list;
  for (const std::string& value : values) Add(list, Quoted(value));
  Add(filter, field + "_in: [" + list + "]");
}

/// `name` is "Source" or "Destination", `port` the port's field.
void AddSide(std::string& filter, const SideMatch& side, const std::string& name,
             const std::string& port) {
  AddAnyOf(filter, "ip" + name + "Address", side.addresses);
  AddAnyOf(filter, "ip" + name + "Subnet", side.subnets);
  if (!side.like.empty()) Add(filter, "ip" + name + "Address_like: " + Quoted(side.like));
  if (side.port) Add(filter, port + ": " + std::to_string(*side.port));
}

std::string WriteMatch(const TrafficMatch& match) {
  std::string filter;
  AddSide(filter, match.source, "Source", "sourcePort");
  AddSide(filter, match.destination, "Destination", "destinationPort");
  if (match.protocol) Add(filter, "ipProtocol: " + std::to_string(*match.protocol));
  return filter;
}

std::string WriteFilter(const TrafficQuery& query) {
  std::string filter;
  Add(filter, "datetime_geq: " + Quoted(FormatRfc3339(query.start)));
  Add(filter, "datetime_lt: " + Quoted(FormatRfc3339(query.end)));
  Add(filter, "direction: \"ingress\"");
  std::string any;
  for (const TrafficMatch& match : query.matches) {
    const std::string one = WriteMatch(match);
    if (one.empty()) return filter;  // all packets fit
    Add(any, "{" + one + "}");
  }
  if (query.matches.size() == 1) Add(filter, WriteMatch(query.matches.front()));
  if (query.matches.size() > 1) Add(filter, "OR: [" + any + "]");
  return filter;
}

const char* AddressField(TrafficQuery::By by) {
  return by == TrafficQuery::By::kSource ? "ipSourceAddress" : "ipDestinationAddress";
}

std::string WriteQuery(const TrafficQuery& query, std::size_t number, bool with_sample_interval) {
  const std::string dimensions = query.by == TrafficQuery::By::kPlace
                                     ? "coloCode coloName outcome mitigationSystem"
                                     : AddressField(query.by);
  return Format("q%zu: %s(limit: %llu, filter: {", number, kNode,
                static_cast<unsigned long long>(query.limit)) +
         WriteFilter(query) + "}, orderBy: [sum_packets_DESC]) { sum { packets } " +
         (with_sample_interval ? "avg { sampleInterval } " : "") + "dimensions { " + dimensions +
         " } }";
}

/// The body of the POST: `selection` is what is asked of the account.
std::string WriteBody(const std::string& selection, const std::string& account_id) {
  const std::string query =
      "query CloudflaredumpTraffic($accountTag: string!) { viewer { accounts(filter: {accountTag: "
      "$accountTag}) { " +
      selection + " } } }";
  const Json body(json_pack("{s:s, s:{s:s}}", "query", query.c_str(), "variables", "accountTag",
                            account_id.c_str()));
  return DumpJson(body.get());
}

std::string TextOf(const json_t* object, const char* key) {
  return JsonText(object, key).value_or("");
}

std::optional<std::uint64_t> NumberOf(const json_t* object, const char* key) {
  if (!json_is_number(json_object_get(object, key))) return std::nullopt;
  const auto number = JsonNumber(object, key);
  return number && *number > 0 ? number : std::nullopt;
}

bool HasText(const json_t* array, std::string_view text) {
  for (std::size_t i = 0; i < json_array_size(array); ++i) {
    const char* const one = json_string_value(json_array_get(array, i));
    if (one != nullptr && one == text) return true;
  }
  return false;
}

AnalyticsBounds ReadBounds(const json_t* node) {
  return {.enabled = !json_is_false(json_object_get(node, "enabled")),
          .tells_sample_interval =
              HasText(json_object_get(node, "availableFields"), "avg_sampleInterval"),
          .max_duration = NumberOf(node, "maxDuration"),
          .not_older_than = NumberOf(node, "notOlderThan"),
          .max_page_size = NumberOf(node, "maxPageSize")};
}

/// A number of packets; 0 for what is none.
double Positive(const json_t* number) {
  return std::max(json_number_value(number), 0.0);
}

TrafficRow ReadRow(const json_t* row, TrafficQuery::By by) {
  const json_t* const dimensions = json_object_get(row, "dimensions");
  const json_t* const avg = json_object_get(row, "avg");
  return {.colo = TextOf(dimensions, "coloCode"),
          .site = TextOf(dimensions, "coloName"),
          .outcome = TextOf(dimensions, "outcome"),
          .system = TextOf(dimensions, "mitigationSystem"),
          .address = by == TrafficQuery::By::kPlace ? "" : TextOf(dimensions, AddressField(by)),
          .packets = Positive(json_object_get(json_object_get(row, "sum"), "packets")),
          .sample_interval = Positive(json_object_get(avg, "sampleInterval"))};
}

std::unexpected<Error> WithoutRows(const std::string& host) {
  return Fail("cannot ask Cloudflare's analytics: " + host + " answered without the rows",
              "look for a newer version of this program");
}

/// The Error of a request that had no answer.
std::unexpected<Error> AskedInVain(const Result<http::HttpAnswer>& answer) {
  Error error = answer.error();
  if (error.kind != Error::Kind::kInterrupted) {
    error.what = "cannot ask Cloudflare's analytics: " + error.what;
  }
  return std::unexpected(std::move(error));
}

}  // namespace

AnalyticsApi::AnalyticsApi(http::Http& http, system::EventLoop& loop, ApiAccess access)
    : http_(http), loop_(loop), access_(std::move(access)), host_(http::HostOf(access_.base_url)) {}

template <class T, class Read>
Result<T> AnalyticsApi::Ask(const std::string& selection, const Patience& patience,
                            const Read& read) {
  http::HttpRequest request;
  request.method = "POST";
  request.url = access_.base_url + "/graphql";
  request.headers = AuthorizationOf(access_);
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = WriteBody(selection, access_.account_id);
  request.max_body = kLargestAnswer;
  std::string retry_after;
  const auto account = Repeat(loop_, patience, retry_after, [&]() -> Result<Json> {
    retry_after.clear();
    LogBody("asked:", request.body);
    auto answer = http::Fetch(http_, loop_, request, patience.stop);
    if (!answer) return AskedInVain(answer);
    LogBody("answered:", answer->body);
    if (const std::string* const header = answer->head.Find("retry-after")) retry_after = *header;
    return ReadGraphqlAccount(*answer, host_);
  });
  if (!account) return Failure(account);
  return read(account->get());
}

Result<AnalyticsBounds> AnalyticsApi::Bounds(const Patience& patience) {
  const std::string selection =
      std::string("settings { ") + kNode +
      " { enabled maxDuration notOlderThan maxPageSize availableFields } }";
  return Ask<AnalyticsBounds>(selection, patience, [](const json_t* account) {
    return ReadBounds(json_object_get(json_object_get(account, "settings"), kNode));
  });
}

Result<std::vector<std::vector<TrafficRow>>> AnalyticsApi::Traffic(
    const std::vector<TrafficQuery>& queries, bool with_sample_interval, const Patience& patience) {
  using Answers = std::vector<std::vector<TrafficRow>>;
  std::string selection;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    selection += (i > 0 ? " " : "") + WriteQuery(queries[i], i, with_sample_interval);
  }
  return Ask<Answers>(selection, patience, [&](const json_t* account) -> Result<Answers> {
    Answers answers(queries.size());
    for (std::size_t i = 0; i < queries.size(); ++i) {
      const json_t* const rows = json_object_get(account, Format("q%zu", i).c_str());
      // What is not told must not be taken for "no samples".
      if (!json_is_array(rows)) return WithoutRows(host_);
      for (std::size_t k = 0; k < json_array_size(rows); ++k) {
        answers[i].push_back(ReadRow(json_array_get(rows, k), queries[i].by));
      }
    }
    return answers;
  });
}

}  // namespace cloudflaredump::api
