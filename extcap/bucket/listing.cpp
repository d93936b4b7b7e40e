// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/listing.h"

#include <algorithm>

#include "common/text.h"
#include "extcap/bucket/xml_walk.h"

namespace cloudflaredump::bucket {
namespace {

/// S3 encodes keys as forms do: a blank may come as a plus, and a plus comes as %2B.
std::optional<std::string> DecodeKey(std::string key) {
  std::ranges::replace(key, '+', ' ');
  return PercentDecode(key);
}

/// Gathers a ListBucketResult element by element.
class PageBuilder {
 public:
  void TakeEnd(std::string_view path, const std::string& text) {
    constexpr std::string_view kObject = "/ListBucketResult/Contents";
    if (path == "/ListBucketResult") {
      whole_ = true;
    } else if (path == "/ListBucketResult/IsTruncated") {
      page_.truncated = Trim(text) == "true";
    } else if (path == "/ListBucketResult/NextContinuationToken") {
      page_.continuation_token = text;
    } else if (path == "/ListBucketResult/EncodingType") {
      encoded_ = Trim(text) == "url";
    } else if (path == kObject) {
      page_.objects.push_back(std::exchange(object_, {}));
      complete_ = complete_ && std::exchange(has_key_, false) && std::exchange(has_size_, false);
    } else if (path.starts_with(kObject)) {
      TakeMember(path.substr(kObject.size()), text);
    }
  }

  Result<ListingPage> Finish() {
    if (!whole_) return Fail("it is not a list of objects", Error::Kind::kPassing);
    if (!complete_) return Fail("it has an object without a key or a size");
    if (!encoded_) return std::move(page_);
    for (StoredObject& object : page_.objects) {
      std::optional<std::string> key = DecodeKey(std::move(object.key));
      if (!key) return Fail("it has a key that is not encoded as it should be");
      object.key = std::move(*key);
    }
    return std::move(page_);
  }

 private:
  void TakeMember(std::string_view name, const std::string& text) {
    if (name == "/Key") {
      object_.key = text;
      has_key_ = !text.empty();
    } else if (name == "/Size") {
      const std::optional<std::uint64_t> size = ParseNumber(Trim(text));
      has_size_ = size.has_value();
      object_.size = size.value_or(0);
    } else if (name == "/ETag") {
      object_.etag = Trim(text);
    }
  }

  ListingPage page_;
  StoredObject object_;
  bool has_key_ = false;
  bool has_size_ = false;
  bool complete_ = true;
  bool encoded_ = false;
  bool whole_ = false;
};

}  // namespace

Result<ListingPage> ParseListing(std::string_view xml) {
  PageBuilder builder;
  const Result<void> walked = WalkXml(
      xml, [&](std::string_view path, const std::string& text) { builder.TakeEnd(path, text); });
  if (!walked) return Failure(walked);
  return builder.Finish();
}

}  // namespace cloudflaredump::bucket
