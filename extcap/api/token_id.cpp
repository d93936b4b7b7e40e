// SPDX-License-Identifier: GPL-2.0-or-later
// The part of PcapsApi that asks for the API token's own id: …/tokens/verify.
#include "common/json.h"
#include "common/text.h"
#include "extcap/api/pcaps_ask.h"

namespace cloudflaredump::api {

Result<std::string> PcapsApi::TokenId(const std::string& account_id, const Patience& patience) {
  if (access_.token.empty()) return Fail("an e-mail address with an API key is not a token");
  constexpr const char* kDoing = "ask for the ID of the API token";
  const auto read = [&](const http::HttpAnswer& answer) -> Result<std::string> {
    auto result = ReadResult(answer, kDoing);
    if (!result) return Failure(result);
    const auto id = JsonText(result->get(), "id");
    if (!id) return Fail(host_ + " does not say the ID of the API token");
    return *id;
  };
  const auto ask = [&](const std::string& path) {
    return Ask<std::string>(RequestAt("GET", path), kDoing, patience, read);
  };
  Result<std::string> id = ask("/user/tokens/verify");
  if (id || id.error().kind != Error::Kind::kFinal) return id;
  return ask("/accounts/" + PercentEncode(account_id) + "/tokens/verify");
}

}  // namespace cloudflaredump::api
