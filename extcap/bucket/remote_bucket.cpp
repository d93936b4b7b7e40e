// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/remote_bucket.h"

#include <algorithm>
#include <charconv>

#include "common/text.h"
#include "extcap/bucket/object_digest.h"
#include "extcap/http/url.h"

namespace cloudflaredump::bucket {
namespace {

/// So many pages that cannot be read are no accident.
constexpr int kMostUnreadable = 3;

constexpr std::size_t kMaxErrorBody = std::size_t{64} << 10;

/// The first byte's number in "bytes 5-9/10"; nothing for another text.
std::optional<std::uint64_t> RangeStart(const std::string* content_range) {
  constexpr std::string_view kBytes = "bytes ";
  if (content_range == nullptr || !content_range->starts_with(kBytes)) return std::nullopt;
  const std::string_view range = std::string_view(*content_range).substr(kBytes.size());
  return ParseNumber(range.substr(0, range.find('-')));
}

/// A prefix that libcurl signs rightly: it ends before a plus.
std::string WithoutPlus(const std::string& prefix) {
  return prefix.substr(0, prefix.find('+'));
}

}  // namespace

/// One GET of an object, from an offset.
class RemoteBucket::ObjectRead : public http::HttpReceiver {
 public:
  ObjectRead(RemoteBucket& bucket, Read id, const StoredObject& object, std::uint64_t offset,
             ObjectReceiver& receiver)
      : bucket_(bucket),
        id_(id),
        object_(object),
        offset_(offset),
        at_(offset),
        receiver_(receiver) {}

  void Start() {
    const std::string path = ObjectPath(object_.key);
    if (http::HasDotSegment(path)) {
      return EndSoon(Fail("the object " + CleanLine(object_.key, 120) + " of the bucket " +
                              bucket_.context_.bucket +
                              " cannot be asked for, because of the . or .. in its name",
                          "copy it to a folder "
                          "and read from there"));
    }
    Result<http::HttpRequest> signed_request = bucket_.Request(path);
    if (!signed_request) return EndSoon(Failure(signed_request));
    http::HttpRequest& request = *signed_request;
    // What was listed, or nothing: bytes of two states of an object must not be put together.
    if (!object_.etag.empty()) request.headers.emplace_back("If-Match", object_.etag);
    if (offset_ > 0) {
      request.headers.emplace_back("Range", "bytes=" + std::to_string(offset_) + "-");
    }
    // Google unpacks a gzip object for whoever does not ask for it as it is.
    request.accept_gzip = bucket_.context_.kind == StoreKind::kGcs;
    request.max_body = std::max<std::size_t>(object_.size, request.max_body);
    transfer_ = bucket_.http_.Start(std::move(request), *this);
  }

  void Stop() {
    bucket_.http_.Cancel(transfer_);
    bucket_.loop_.Cancel(task_);
  }

  void OnHead(const http::HttpHead& head) override {
    head_ = head;
    if (IsAnotherObject(head)) {
      end_ = Changed();
    } else if (head.status == 200) {
      skip_ = offset_;  // a store that does not know ranges
    } else if (head.status == 206 && RangeStart(head.Find("content-range")) != offset_) {
      end_ = Fail(NameOf(bucket_.context_) + " sent another part of " +
                  CleanLine(object_.key, 120) + " than was asked for");
    }
  }

  Result<void> OnBody(std::span<const std::byte> bytes) override {
    if (!end_) return end_;
    if (head_.status != 200 && head_.status != 206) {
      if (error_body_.size() < kMaxErrorBody) {
        error_body_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      }
      return {};
    }
    const std::size_t skipped = std::min<std::uint64_t>(skip_, bytes.size());
    skip_ -= skipped;
    bytes = bytes.subspan(skipped);
    if (bytes.empty()) return {};
    if (bytes.size() > object_.size - at_) return end_ = Changed();
    at_ += bytes.size();
    return receiver_.OnObjectBytes(bytes);
  }

  void OnEnd(Result<http::HttpEnd> end) override {
    ObjectEnd told{.result = {}};
    if (const std::string* const wish = head_.Find("retry-after")) told.retry_after = *wish;
    if (head_.status == 200 || head_.status == 206) told.md5 = ToldMd5(head_);
    told.result = Judge(end);
    ObjectReceiver& receiver = receiver_;
    bucket_.reads_.erase(id_);  // this object is gone from here on
    receiver.OnObjectEnd(std::move(told));
  }

 private:
  /// Ends a read that was not asked for, from the loop.
  void EndSoon(std::unexpected<Error> why) {
    end_ = std::move(why);
    task_ = bucket_.loop_.CallAt(bucket_.loop_.Steady(), [this] { OnEnd(http::HttpEnd{}); });
  }

  std::unexpected<Error> Changed() const {
    return Fail("the object " + CleanLine(object_.key, 120) + " of the bucket " +
                bucket_.context_.bucket + " is not what it was when it was listed");
  }

  /// The store says that If-Match or Range do not fit, or sends what was not listed.
  bool IsAnotherObject(const http::HttpHead& head) const {
    if (head.status == 412 || head.status == 416) return true;
    const std::string* const etag = head.Find("etag");
    return (head.status == 200 || head.status == 206) && etag != nullptr && !object_.etag.empty() &&
           BareEtag(*etag) != BareEtag(object_.etag);
  }

  Result<void> Judge(const Result<http::HttpEnd>& end) const {
    if (!end_) return end_;
    if (!end) return Failure(end);
    if (head_.status != 200 && head_.status != 206) {
      return std::unexpected(StoreError(bucket_.context_, StoreAction::kRead, object_.key, head_,
                                        error_body_, bucket_.loop_.Now()));
    }
    if (at_ == object_.size) return {};
    if (end->end_is_certain) return Changed();
    return Fail("the object " + CleanLine(object_.key, 120) + " broke off after " +
                    WithThousands(at_) + " of " + WithThousands(object_.size) + " bytes",
                Error::Kind::kPassing);
  }

  RemoteBucket& bucket_;
  const Read id_;
  const StoredObject object_;
  const std::uint64_t offset_;
  std::uint64_t at_;        ///< The next byte of the object to deliver.
  std::uint64_t skip_ = 0;  ///< Bytes of the body before it.
  ObjectReceiver& receiver_;
  http::Http::Transfer transfer_ = 0;
  system::EventLoop::Id task_ = 0;
  http::HttpHead head_;
  std::string error_body_;
  Result<void> end_;  ///< An Error once we know that the read fails.
};

RemoteBucket::RemoteBucket(const DestinationConf& conf, StoreAddress address, KeySource keys,
                           Duration patience, http::Http& http, system::EventLoop& loop)
    : context_{.kind = conf.kind,
               .bucket = conf.bucket,
               .directory = conf.directory,
               .region = address.region,
               .jurisdiction = conf.jurisdiction,
               .key_source = keys.name(),
               .server = address.server,
               .bearer = keys.is_bearer()},
      directory_(conf.directory.empty() ? "" : conf.directory + "/"),
      address_(std::move(address)),
      keys_(std::move(keys)),
      patience_(patience),
      http_(http),
      loop_(loop) {}

RemoteBucket::~RemoteBucket() {
  for (const auto& [id, read] : reads_) read->Stop();
}

Result<http::HttpRequest> RemoteBucket::Request(const std::string& path_and_query) {
  const Result<BucketKeys> keys = keys_.At(loop_.Now());
  if (!keys) return Failure(keys);
  http::HttpRequest request;
  request.url = address_.url + path_and_query;
  request.ca_file = address_.ca_file;
  if (!keys->bearer_token.empty()) {
    request.headers.emplace_back("Authorization", "Bearer " + keys->bearer_token);
    return request;
  }
  request.sigv4 = http::SigV4Keys{.access_key_id = keys->access_key_id,
                                  .secret_access_key = keys->secret_access_key,
                                  .session_token = keys->session_token,
                                  .region = address_.region};
  return request;
}

Result<ListingPage> RemoteBucket::ListPage(const Parameters& parameters,
                                           const std::function<bool()>& stop) {
  const std::string query = "/?" + CanonicalQuery(parameters);
  http::Backoff backoff(loop_, patience_);
  for (int unreadable = 0;;) {
    const Result<http::HttpRequest> request = Request(query);
    const Result<http::HttpAnswer> answer =
        request ? http::Fetch(http_, loop_, *request, stop) : Failure(request);
    std::string retry_after;
    Error error;
    if (!answer) {
      error = answer.error();
    } else if (answer->head.status == 200) {
      Result<ListingPage> page = ParseListing(answer->body);
      if (page) return page;
      // Half a page, or a proxy's: the next one may be whole, but not after many tries.
      error = {.what = "what " + http::HostOf(address_.url) +
                       " answered cannot be read as the listing of " + context_.bucket + ": " +
                       ClauseOf(page.error()),
               .kind = ++unreadable < kMostUnreadable ? page.error().kind : Error::Kind::kFinal};
    } else {
      error = StoreError(context_, StoreAction::kList, {}, answer->head, answer->body, loop_.Now());
      if (const std::string* const wish = answer->head.Find("retry-after")) retry_after = *wish;
    }
    if (error.kind != Error::Kind::kPassing) return std::unexpected(error);
    if (backoff.WaitForNextTry(retry_after, stop)) continue;
    if (stop()) return Stopped();
    return std::unexpected(error);
  }
}

Result<void> RemoteBucket::Probe(const std::function<bool()>& stop) {
  auto page = ListPage({{"list-type", "2"},
                        {"encoding-type", "url"},
                        {"max-keys", "1"},
                        {"prefix", WithoutPlus(directory_)}},
                       stop);
  return page ? Result<void>() : Failure(page);
}

Result<std::vector<StoredObject>> RemoteBucket::List(const std::string& prefix,
                                                     const std::function<bool()>& stop) {
  const std::string wanted = directory_ + prefix;
  std::map<std::string, StoredObject> objects;  // a key may stand on two pages
  std::string last;
  Parameters next;
  for (std::size_t pages = 1;; ++pages) {
    Parameters parameters = {
        {"list-type", "2"}, {"encoding-type", "url"}, {"prefix", WithoutPlus(wanted)}};
    parameters.insert(parameters.end(), next.begin(), next.end());
    const Result<ListingPage> page = ListPage(parameters, stop);
    if (!page) return Failure(page);
    for (const StoredObject& object : page->objects) {
      if (!object.key.starts_with(wanted) || object.key.ends_with('/')) continue;
      objects.insert_or_assign(object.key, object);
    }
    if (!page->truncated) break;
    if (objects.size() > kMostObjects || pages == kMostPages) {
      return Fail("the bucket " + context_.bucket + " has too many objects below " +
                      (wanted.empty() ? "its root" : CleanLine(wanted, 120)),
                  "write captures into a directory of their own");
    }
    auto behind = NextPage(*page, last);
    if (!behind) return Failure(behind);
    next = *std::move(behind);
  }
  std::vector<StoredObject> list;
  list.reserve(objects.size());
  for (auto& [key, object] : objects) list.push_back(std::move(object));
  return list;
}

/// How the page behind `page` is asked for: by its last key, or by the server's token where there
/// is no key, or none that can be sent. libcurl 8.14 to 8.18 signs %2B in a query wrongly, so a
/// plus is never sent in one. `last` is the last key so far.
Result<RemoteBucket::Parameters> RemoteBucket::NextPage(const ListingPage& page,
                                                        std::string& last) const {
  const std::string& token = page.continuation_token;
  const bool can_send_token = !token.empty() && token.find('+') == std::string::npos;
  if (page.objects.empty() && can_send_token) return Parameters{{"continuation-token", token}};
  if (page.objects.empty() || page.objects.back().key <= last) {
    return Fail("the listing of " + context_.bucket + " does not come to an end: " +
                http::HostOf(address_.url) + " sends the same keys again");
  }
  last = page.objects.back().key;
  if (last.find('+') != std::string::npos && can_send_token) {
    return Parameters{{"continuation-token", token}};
  }
  return Parameters{{"start-after", last}};
}

Bucket::Read RemoteBucket::StartRead(const StoredObject& object, std::uint64_t offset,
                                     ObjectReceiver& receiver) {
  const Read id = ++last_;
  auto& read = reads_[id];
  read = std::make_unique<ObjectRead>(*this, id, object, offset, receiver);
  read->Start();
  return id;
}

void RemoteBucket::Cancel(Read read) {
  const auto found = reads_.find(read);
  if (found == reads_.end()) return;
  found->second->Stop();
  reads_.erase(found);
}

}  // namespace cloudflaredump::bucket
