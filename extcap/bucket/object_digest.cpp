// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/object_digest.h"

#include <algorithm>
#include <array>

namespace cloudflaredump::bucket {

void ObjectDigest::Add(std::span<const std::byte> bytes) {
  g_checksum_update(sum_.get(), reinterpret_cast<const guchar*>(bytes.data()),
                    static_cast<gssize>(bytes.size()));
}

std::string ObjectDigest::Take() {
  std::string hex = g_checksum_get_string(sum_.get());
  g_checksum_reset(sum_.get());
  return hex;
}

std::string_view BareEtag(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') {
    etag = etag.substr(1, etag.size() - 2);
  }
  return etag;
}

bool LooksLikeMd5(std::string_view etag) {
  constexpr std::size_t kDigits = 32;
  const std::string_view bare = BareEtag(etag);
  return bare.size() == kDigits &&
         std::ranges::all_of(bare, [](char c) { return g_ascii_isxdigit(c); });
}

std::string ToldMd5(const http::HttpHead& head) {
  constexpr std::array kOtherwiseEncrypted = {"x-amz-server-side-encryption-customer-algorithm",
                                              "x-amz-server-side-encryption-aws-kms-key-id",
                                              "x-goog-encryption-kms-key-name",
                                              "x-goog-encryption-algorithm"};
  for (const char* const name : kOtherwiseEncrypted) {
    if (head.Find(name) != nullptr) return {};
  }
  const std::string* const kind = head.Find("x-amz-server-side-encryption");
  if (kind != nullptr && kind->starts_with("aws:kms")) return {};
  const std::string* const etag = head.Find("etag");
  if (etag == nullptr || etag->starts_with("W/") || !LooksLikeMd5(*etag)) return {};
  std::string md5(BareEtag(*etag));
  std::ranges::transform(md5, md5.begin(), g_ascii_tolower);
  return md5;
}

}  // namespace cloudflaredump::bucket
