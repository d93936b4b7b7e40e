// SPDX-License-Identifier: GPL-2.0-or-later
//
// What a store answers, as an arbitrary text: once as a listing, of which the files of a capture
// are selected, once as an error.
#include <cstdint>
#include <cstdlib>

#include "extcap/bucket/capture_files.h"
#include "extcap/bucket/listing.h"
#include "extcap/bucket/store_error.h"

using namespace cloudflaredump;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const Result<bucket::ListingPage> page = bucket::ParseListing(text)) {
    for (const bucket::StoredObject& object : page->objects) {
      if (object.key.empty()) std::abort();
    }
    const bucket::CaptureFiles found = bucket::SelectCaptureFiles(page->objects, "", "k");
    if (found.files.size() + found.left_out.size() > page->objects.size()) std::abort();
    // What was selected stays selected.
    if (bucket::SelectCaptureFiles(found.files, "", "k").files != found.files) std::abort();
  }
  const bucket::StoreContext store{
      .bucket = "pcaps", .region = "us-east-1", .key_source = "a profile"};
  for (const int status : {301, 400, 403, 404, 503}) {
    const http::HttpHead head{.status = status, .headers = {}};
    const Error error =
        bucket::StoreError(store, bucket::StoreAction::kList, "", head, text, WallTime());
    for (const char c : SentenceOf(error)) {
      if (static_cast<unsigned char>(c) < ' ' || c == '{') std::abort();
    }
    if (SentenceOf(error).empty() || SentenceOf(error).size() > 2000) std::abort();
  }
  return 0;
}
