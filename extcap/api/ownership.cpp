// SPDX-License-Identifier: GPL-2.0-or-later
// The part of PcapsApi that registers buckets: /pcaps/ownership….
#include <jansson.h>

#include "common/json.h"
#include "extcap/api/pcaps_ask.h"

namespace cloudflaredump::api {
namespace {

BucketOwnership ReadOwnership(const json_t* object) {
  return {.id = JsonText(object, "id").value_or(""),
          .status = JsonText(object, "status").value_or(""),
          .destination_conf = JsonText(object, "destination_conf").value_or(""),
          .filename = JsonText(object, "filename").value_or("")};
}

/// {"key":"value",…} of texts.
std::string WriteBody(std::initializer_list<std::pair<const char*, std::string>> members) {
  const Json body(json_object());
  for (const auto& [key, value] : members) {
    json_object_set_new(body.get(), key, MakeJson(value));
  }
  return DumpJson(body.get());
}

}  // namespace

Result<std::vector<BucketOwnership>> PcapsApi::ListBuckets(const Patience& patience) {
  constexpr const char* kDoing = "list the registered buckets";
  using Buckets = std::vector<BucketOwnership>;
  return Ask<Buckets>(Request("GET", "/ownership"), kDoing, patience,
                      [&](const http::HttpAnswer& answer) -> Result<Buckets> {
                        auto result = ReadResult(answer, kDoing);
                        if (!result) return Failure(result);
                        Buckets buckets;
                        // With none registered the result is null.
                        for (std::size_t i = 0; i < json_array_size(result->get()); ++i) {
                          buckets.push_back(ReadOwnership(json_array_get(result->get(), i)));
                        }
                        return buckets;
                      });
}

Result<BucketOwnership> PcapsApi::PostOwnership(const std::string& path, const std::string& body,
                                                const char* doing, const Patience& patience) {
  http::HttpRequest post = Request("POST", path);
  post.headers.emplace_back("Content-Type", "application/json");
  post.body = body;
  auto answer = AskOnce(post, doing, patience);
  if (!answer) return Failure(answer);
  auto result = ReadResult(*answer, doing);
  if (!result) return Failure(result);
  return ReadOwnership(result->get());
}

Result<BucketOwnership> PcapsApi::RegisterBucket(const std::string& destination_conf,
                                                 const Patience& patience) {
  return PostOwnership("/ownership", WriteBody({{"destination_conf", destination_conf}}),
                       "register the bucket", patience);
}

Result<BucketOwnership> PcapsApi::ValidateBucket(const std::string& destination_conf,
                                                 const std::string& challenge,
                                                 const Patience& patience) {
  return PostOwnership(
      "/ownership/validate",
      WriteBody({{"destination_conf", destination_conf}, {"ownership_challenge", challenge}}),
      "validate the bucket", patience);
}

}  // namespace cloudflaredump::api
