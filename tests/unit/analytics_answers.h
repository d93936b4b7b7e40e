// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "extcap/api/analytics.h"
#include "tests/unit/api_fixture.h"

namespace cloudflaredump {

inline constexpr const char* kGraphqlUrl = "https://api.example/client/v4/graphql";

/// Who asks in tests.
inline api::ApiAccess TestAccess() {
  return {.base_url = "https://api.example/client/v4",
          .account_id = "acc123",
          .token = kTestToken,
          .email = {},
          .key = {}};
}

/// AnalyticsApi on an HTTP and a clock of the test's own.
struct AnalyticsFixture : ApiFixture {
  api::AnalyticsApi analytics{http, loop, TestAccess()};
};

/// An answer about the account, whose members are these.
inline FakeAnswer AccountAnswer(const std::string& members) {
  return {.body = R"({"data":{"viewer":{"accounts":[{)" + members + R"(}]}},"errors":null})"};
}

/// Rows of the queries of one request, each a JSON text without its brackets.
inline FakeAnswer RowsAnswer(const std::vector<std::string>& queries) {
  std::string members;
  for (std::size_t i = 0; i < queries.size(); ++i) {
    members += Format("%s\"q%zu\":[", i > 0 ? "," : "", i) + queries[i] + "]";
  }
  return AccountAnswer(members);
}

/// One row: packets that entered at `site`, of the data center of its first three letters.
inline std::string SiteRow(const std::string& site, long packets, const std::string& system = "") {
  std::string colo = site.substr(0, 3);
  for (char& c : colo) c = g_ascii_toupper(c);
  return Format(R"({"dimensions":{"coloCode":"%s","coloName":"%s","outcome":"%s",)"
                R"("mitigationSystem":"%s"},"sum":{"packets":%ld}})",
                colo.c_str(), site.c_str(), system.empty() ? "pass" : "drop", system.c_str(),
                packets);
}

/// One row of a query by destination address.
inline std::string AddressRow(const std::string& address, long packets) {
  return Format(R"({"dimensions":{"ipDestinationAddress":"%s"},"sum":{"packets":%ld}})",
                address.c_str(), packets);
}

/// A refusal in Cloudflare's form.
inline FakeAnswer GraphqlRefusal(int status, const std::string& message,
                                 const std::string& extensions = "") {
  return {.status = status,
          .body = R"({"data":null,"errors":[{"message":")" + message + R"(","path":["viewer"])" +
                  extensions + "}]}"};
}

}  // namespace cloudflaredump
