// SPDX-License-Identifier: GPL-2.0-or-later
//
// An arbitrary text as the address of a bucket: what is taken has a form without keys that means
// the same, and no mistake shows a key.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <initializer_list>

#include "extcap/bucket/destination_conf.h"
#include "extcap/bucket/store_address.h"
#include "extcap/http/url.h"

using namespace cloudflaredump;

namespace {

void Check(bool holds) {
  if (!holds) std::abort();
}

/// The form without keys is read as the same place.
void CheckRoundTrip(const std::string& text, const bucket::DestinationConf& conf) {
  const Result<bucket::DestinationConf> again = bucket::ParseReadFrom(bucket::WithoutKeys(text));
  Check(again.has_value());
  Check(again->kind == conf.kind && again->bucket == conf.bucket && again->region == conf.region);
  Check(again->jurisdiction == conf.jurisdiction);
  Check(again->account_id == conf.account_id && again->secret_access_key.empty());
  // Blanks at the very end of an address are not taken for a part of it.
  if (!conf.directory.ends_with(' ') && !conf.directory.ends_with('\t')) {
    Check(again->directory == conf.directory);
  }
}

/// A bucket's name and region stay what they are in a URL.
void CheckAddress(const bucket::DestinationConf& conf) {
  const Result<bucket::StoreAddress> address = bucket::FindStore(conf, "", "us-east-1");
  Check(address.has_value());
  const std::optional<http::Url> url = http::ParseUrl(address->url + bucket::ObjectPath("key"));
  Check(url && url->scheme == "https" && url->port.empty());
  const auto is_below = [&](const char* domain) { return url->host.ends_with(domain); };
  Check(std::ranges::any_of(
      std::initializer_list<const char*>{".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu",
                                         ".c2s.ic.gov", ".sc2s.sgov.gov", ".cloud.adc-e.uk",
                                         ".csp.hci.ic.gov", "storage.googleapis.com",
                                         ".r2.cloudflarestorage.com"},
      is_below));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  for (const auto parse : {&bucket::ParseDestinationConf, &bucket::ParseReadFrom}) {
    const Result<bucket::DestinationConf> conf = parse(text);
    const bool folder = conf && conf->kind == bucket::StoreKind::kFolder;
    // The path of a folder is nothing that Cloudflare could be told.
    if (conf && !(folder && parse == &bucket::ParseReadFrom)) CheckRoundTrip(text, *conf);
    if (conf && !folder) CheckAddress(*conf);
    if (!conf) {
      Check(conf.error().kind == Error::Kind::kUsage);
      for (const char c : SentenceOf(conf.error())) Check(static_cast<unsigned char>(c) >= ' ');
    }
  }
  return 0;
}
