// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/result.h"
#include "extcap/api/api_answer.h"
#include "extcap/api/pcap_job.h"
#include "extcap/http/http.h"

namespace cloudflaredump::api {

/// A bucket as Cloudflare knows it, registered or being registered.
struct BucketOwnership {
  std::string id;
  std::string status;            ///< pending, success, failed
  std::string destination_conf;  ///< may hold keys (R2): redact
  std::string filename;          ///< of the challenge that Cloudflare writes into the bucket

  [[nodiscard]] bool IsValidated() const { return status == "success"; }
};

/// Where the API is and who asks.
struct ApiAccess {
  std::string base_url;  ///< "https://api.cloudflare.com/client/v4", no slash at the end
  std::string account_id;
  std::string token;  ///< a bearer token; if empty, email and key
  std::string email;
  std::string key;
};

/// Names and values.
using Headers = std::vector<std::pair<std::string, std::string>>;

/// The headers that tell the API who asks. They are secret.
Headers AuthorizationOf(const ApiAccess& access);

/// How long faults may be borne.
struct Patience {
  Duration retry_budget;       ///< for tries after the first failure
  std::function<bool()> stop;  ///< asked after every event; true ends the call (kInterrupted)
  /// Called once a second with the time left while a wait goes on that the server asked for.
  std::function<void(Duration)> countdown = {};
  /// Until then "not found" is not final: what is asked for was made a moment ago.
  system::SteadyTime fresh_until = {};
};

/// How many captures of an account the API lists.
inline constexpr std::size_t kLongestList = 50;

/// Cloudflare's packet-capture API (/accounts/{account_id}/pcaps…). One thread. Each call waits for
/// its answer inside the event loop. GETs are repeated within the Patience's budget on faults of
/// the network, 429 (after Retry-After) and 5xx; nothing else is. Errors are sentences for the user
/// with Cloudflare's own code and message, cleaned.
class PcapsApi {
 public:
  /// `http` and `loop` must outlive this object.
  PcapsApi(http::Http& http, system::EventLoop& loop, ApiAccess access);

  /// Calls `told` with each warning that an answer carries in its `messages`, once each.
  void OnMessage(std::function<void(const std::string&)> told) { on_message_ = std::move(told); }

  /// POST. Never repeated blindly: when its answer was lost the list is read first, and a capture
  /// that `request` could have made and that is not among `known` (a list read before) is taken for
  /// it. The Error says so if it cannot be known whether a capture was made.
  Result<PcapJob> Create(const PcapRequest& request, const std::vector<PcapJob>& known,
                         const Patience& patience);

  Result<PcapJob> Get(const std::string& id, const Patience& patience);

  /// The status of the last answer; 0 if there was none.
  int last_status() const { return status_; }

  /// The last kLongestList captures, newest first (by `submitted`; the API's order is not
  /// documented).
  Result<std::vector<PcapJob>> List(const Patience& patience);

  /// The whole PCAP of a sample, at most 64 MiB. Not checked for being pcap.
  struct Download {
    std::string bytes;
    bool end_is_certain = true;
  };
  Result<Download> DownloadSample(const std::string& id, const Patience& patience);

  /// PUT …/stop of a full capture. One that is over already is stopped.
  Result<void> Stop(const std::string& id, const Patience& patience);

  /// The buckets that were registered, validated or not.
  Result<std::vector<BucketOwnership>> ListBuckets(const Patience& patience);

  /// Asks Cloudflare to write an ownership challenge into the bucket. Sent once.
  Result<BucketOwnership> RegisterBucket(const std::string& destination_conf,
                                         const Patience& patience);

  /// Proves ownership by the challenge's contents; `destination_conf` without keys. Sent once.
  Result<BucketOwnership> ValidateBucket(const std::string& destination_conf,
                                         const std::string& challenge, const Patience& patience);

  /// The id of the API token that asks (/user/tokens/verify; for a token that belongs to an
  /// account, that of `account_id`). An Error without a token: a user's e-mail and key have no such
  /// id.
  Result<std::string> TokenId(const std::string& account_id, const Patience& patience);

 private:
  Result<BucketOwnership> PostOwnership(const std::string& path, const std::string& body,
                                        const char* doing, const Patience& patience);
  Result<http::HttpAnswer> AskOnce(const http::HttpRequest& request, const char* doing,
                                   const Patience& patience);
  /// Asks until `read` is content with the answer, which it turns into the result.
  template <class T>
  Result<T> Ask(const http::HttpRequest& request, const char* doing, const Patience& patience,
                const std::function<Result<T>(const http::HttpAnswer&)>& read);
  /// `made` says whether the answer means that a capture was made, but names no id that can be
  /// read, and asking again would not change that.
  Result<PcapJob> PostOnce(const PcapRequest& request, const Patience& patience, bool& made);
  /// Names a clock that is wrong, if that is why the answer is a refusal.
  void BlameClock(const http::HttpAnswer& answer, Error& error) const;
  Result<std::optional<PcapJob>> FindLost(const PcapRequest& request,
                                          const std::vector<PcapJob>& known,
                                          const Patience& patience, Duration lag);
  /// A request for a path of the account's captures.
  http::HttpRequest Request(const char* method, const std::string& path) const;
  /// A request for any path of the API.
  http::HttpRequest RequestAt(const char* method, const std::string& path) const;
  /// The envelope's result; its messages are told.
  Result<Json> ReadResult(const http::HttpAnswer& answer, const char* doing);

  http::Http& http_;
  system::EventLoop& loop_;
  ApiAccess access_;
  std::string host_;         ///< of base_url, for sentences
  std::string retry_after_;  ///< of the last answer
  int status_ = 0;           ///< the same; 0 if there was none
  std::function<void(const std::string&)> on_message_;
  std::set<std::string> messages_;  ///< that were told
};

}  // namespace cloudflaredump::api
