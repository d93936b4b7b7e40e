// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <glib.h>

#include <map>
#include <string>

#include "common/text.h"
#include "tests/unit/fake_http.h"

namespace cloudflaredump {

/// A bucket in memory behind a FakeHttp: ListObjectsV2 with pages and URL-encoding, GetObject with
/// Range and If-Match, as S3 answers them. `url` is the bucket's, without a slash at its end.
class FakeStore {
 public:
  FakeStore(FakeHttp& http, std::string url) : url_(std::move(url)) {
    http.Serve("GET", url_ + "/*",
               [this](const http::HttpRequest& request) { return Answer(request); });
  }
  FakeStore(const FakeStore&) = delete;
  FakeStore& operator=(const FakeStore&) = delete;

  /// No MD5, as of a multipart upload.
  static std::string Etag(const std::string& body) {
    return "\"" + std::to_string(std::hash<std::string>()(body)) + "\"";
  }

  static std::string Md5Etag(const std::string& body) {
    char* const md5 = g_compute_checksum_for_data(
        G_CHECKSUM_MD5, reinterpret_cast<const guchar*>(body.data()), body.size());
    std::string etag = "\"" + std::string(md5) + "\"";
    g_free(md5);
    return etag;
  }

  /// What this store tells.
  std::string EtagOf(const std::string& body) const {
    return tells_md5 ? Md5Etag(body) : Etag(body);
  }

  std::map<std::string, std::string> objects;  ///< Bodies by key.
  std::size_t page_size = 1000;
  std::optional<std::uint64_t> listed_size;  ///< what listings say of each, if not the truth
  bool knows_ranges = true;
  bool knows_if_match = true;
  bool gives_tokens = true;
  bool tells_md5 = false;
  std::size_t listings = 0;
  std::size_t reads = 0;
  /// Changes what is about to be answered to a read.
  std::function<void(const std::string& key, FakeAnswer& answer)> on_read;

 private:
  using Parameters = std::map<std::string, std::string>;

  static std::string Header(const http::HttpRequest& request, const std::string& name) {
    for (const auto& [key, value] : request.headers) {
      if (key == name) return value;
    }
    return {};
  }

  FakeAnswer Answer(const http::HttpRequest& request) {
    std::string rest = request.url.substr(url_.size() + 1);
    if (!rest.starts_with("?")) return Read(request, *PercentDecode(rest));
    rest.erase(0, 1);
    Parameters parameters;
    for (const std::string_view piece : Split(rest, '&')) {
      const std::size_t equals = piece.find('=');
      parameters[std::string(piece.substr(0, equals))] = *PercentDecode(piece.substr(equals + 1));
    }
    return List(parameters);
  }

  FakeAnswer List(Parameters& parameters) {
    ++listings;
    std::string after = parameters["start-after"];
    // A token of this store is the last key in reverse.
    const std::string token = *PercentDecode(parameters["continuation-token"]);
    if (!token.empty()) after.assign(token.rbegin(), token.rend());
    std::string xml = "<ListBucketResult><EncodingType>url</EncodingType>";
    const std::size_t most =
        std::min<std::size_t>(page_size, ParseNumber(parameters["max-keys"]).value_or(page_size));
    std::size_t count = 0;
    std::string last;
    bool truncated = false;
    for (auto at = objects.upper_bound(after); at != objects.end(); ++at) {
      if (!at->first.starts_with(parameters["prefix"])) continue;
      if (count == most) {
        truncated = true;
        break;
      }
      ++count;
      last = at->first;
      xml += "<Contents><Key>" + PercentEncode(last) + "</Key><Size>" +
             std::to_string(listed_size.value_or(at->second.size())) + "</Size><ETag>" +
             EtagOf(at->second) + "</ETag></Contents>";
    }
    if (truncated && gives_tokens) {
      xml += "<NextContinuationToken>" + PercentEncode(std::string(last.rbegin(), last.rend())) +
             "</NextContinuationToken>";
    }
    xml += Format("<IsTruncated>%s</IsTruncated></ListBucketResult>", truncated ? "true" : "false");
    return {.body = xml};
  }

  FakeAnswer Read(const http::HttpRequest& request, const std::string& key) {
    ++reads;
    const auto found = objects.find(key);
    if (found == objects.end()) {
      return {.status = 404, .body = "<Error><Code>NoSuchKey</Code></Error>"};
    }
    const std::string etag = EtagOf(found->second);
    const std::string wanted = Header(request, "If-Match");
    if (knows_if_match && !wanted.empty() && wanted != etag) {
      return {.status = 412, .body = "<Error><Code>PreconditionFailed</Code></Error>"};
    }
    FakeAnswer answer{.body = found->second, .headers = {{"etag", etag}}};
    const std::string range = Header(request, "Range");
    if (knows_ranges && !range.empty()) {
      const std::size_t from = *ParseNumber(std::string_view(range).substr(6, range.size() - 7));
      if (from >= answer.body.size()) return {.status = 416};
      answer.status = 206;
      answer.headers.emplace_back(
          "content-range",
          Format("bytes %zu-%zu/%zu", from, answer.body.size() - 1, answer.body.size()));
      answer.body.erase(0, from);
    }
    if (on_read) on_read(key, answer);
    return answer;
  }

  const std::string url_;
};

}  // namespace cloudflaredump
