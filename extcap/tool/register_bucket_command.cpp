// SPDX-License-Identifier: GPL-2.0-or-later
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "common/redact.h"
#include "common/text.h"
#include "extcap/bucket/bucket.h"
#include "extcap/capture/bucket_source.h"
#include "extcap/tool/api_call.h"
#include "extcap/tool/commands.h"

namespace cloudflaredump::tool {
namespace {

using namespace std::chrono_literals;

constexpr const char* kRegisterBucketSummary =
    "Register a bucket for full captures: Cloudflare writes a challenge to the\n"
    "bucket, which is read back and returned to prove ownership. DESTINATION_CONF is\n"
    "s3://BUCKET/DIRECTORY?region=REGION, gs://BUCKET/DIRECTORY or\n"
    "r2://BUCKET/DIRECTORY?account-id=ACCOUNT.\n"
    "\n"
    "Do not put keys in DESTINATION_CONF: others can see the command line. If standard\n"
    "input is not a terminal, its first two lines may be the access key ID and the\n"
    "secret. Otherwise, keys come from the same places as for a capture: the\n"
    "configuration file, the environment, ~/.aws for S3, and the stores' own tools. Keys\n"
    "for R2 are also sent to Cloudflare, as it writes with them.";

constexpr std::size_t kLargestChallenge = std::size_t{64} << 10;
/// How long the challenge may take to appear, and the validation ("five to ten minutes").
constexpr Duration kChallengeAppears = 120s;
constexpr Duration kValidationTakes = 15min;

/// Reads standard input up to two lines or its end, in the loop, so that a signal can end the wait.
Result<std::string> ReadTwoLines(capture::Engine& engine) {
  constexpr std::size_t kMost = 8192;
  std::string text;
  while (std::ranges::count(text, '\n') < 2 && text.size() < kMost) {
    bool ready = false;
    system::EventLoop& loop = engine.loop();
    const system::EventLoop::Id watch =
        loop.Watch(STDIN_FILENO, POLLIN, [&ready](short) { ready = true; });
    const auto over = [&] { return ready || engine.stop().AtLeast(system::StopLevel::kStop); };
    while (!loop.RunUntil(over, loop.Steady() + Duration(1h))) {
    }
    loop.Cancel(watch);
    if (!ready) return Stopped();
    char bytes[1024];
    const ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(bytes, static_cast<std::size_t>(n));
  }
  return text;
}

/// Reads the keys from standard input, if it has two lines.
Result<bucket::BucketKeys> KeysFromInput(capture::Engine& engine) {
  bucket::BucketKeys keys;
  if (isatty(STDIN_FILENO) != 0) return keys;
  const auto text = ReadTwoLines(engine);
  if (!text) return Failure(text);
  const auto lines = Split(*text, '\n');
  keys.access_key_id = lines.empty() ? "" : Trim(lines[0]);
  keys.secret_access_key = lines.size() < 2 ? "" : Trim(lines[1]);
  RegisterSecret(keys.secret_access_key);
  RegisterSecret(keys.access_key_id);
  keys.source = "standard input";
  if (keys.access_key_id.empty() || keys.secret_access_key.empty()) return bucket::BucketKeys();
  return keys;
}

class Registration {
 public:
  Registration(ApiCall& call, std::string text, bucket::DestinationConf conf,
               bucket::BucketSettings settings)
      : call_(call),
        text_(std::move(text)),
        conf_(std::move(conf)),
        settings_(std::move(settings)) {}

  Result<void> Run() {
    const auto text = WithKeys();
    if (!text) return Failure(text);
    auto bucket = bucket::OpenBucket(conf_, settings_, system::ProcessEnvironment,
                                     call_.engine->http(), call_.engine->loop());
    if (!bucket) return Failure(bucket);
    auto registered = call_.api->RegisterBucket(*text, call_.patience());
    if (!registered) return Failure(registered);
    // No challenge comes where the bucket is registered already.
    if (registered->IsValidated()) return AwaitValidation(*registered);
    std::printf("Cloudflare is writing the challenge %s\n",
                CleanLine(registered->filename).c_str());
    auto challenge = ReadChallenge(**bucket, registered->filename);
    if (!challenge) return Failure(challenge);
    RegisterSecret(Trim(*challenge));
    auto validated =
        call_.api->ValidateBucket(text_, std::string(Trim(*challenge)), call_.patience());
    if (!validated) return Failure(validated);
    return AwaitValidation(*validated);
  }

 private:
  /// What is sent to Cloudflare for the registration: the address, for R2 with the keys it will
  /// write with, which are then those that we read with.
  Result<std::string> WithKeys() {
    if (conf_.kind != bucket::StoreKind::kR2) return text_;
    auto found = bucket::FindStoreKeys(conf_, settings_.keys, system::ProcessEnvironment,
                                       call_.engine->loop().Now());
    if (!found) return Failure(found);
    auto keys = found->keys.At(call_.engine->loop().Now());
    if (!keys) return Failure(keys);
    settings_.keys.r2 = *keys;
    return text_ + "&access-key-id=" + PercentEncode(keys->access_key_id) +
           "&secret-access-key=" + PercentEncode(keys->secret_access_key);
  }

  Result<std::string> ReadChallenge(bucket::Bucket& bucket, const std::string& filename) {
    system::EventLoop& loop = call_.engine->loop();
    const auto stop = call_.engine->stop().Stopping();
    // Cloudflare may name the file with its folder.
    const std::string name = filename.substr(filename.rfind('/') + 1);
    if (name.empty()) return Fail("Cloudflare did not name a challenge file", "try again later");
    const system::SteadyTime until = loop.Steady() + kChallengeAppears;
    for (;;) {
      auto objects = bucket.List(name, stop);
      if (!objects) return Failure(objects);
      if (!objects->empty()) {
        return bucket::ReadObject(bucket, loop, objects->front(), kLargestChallenge, stop);
      }
      if (loop.Steady() >= until) {
        return Fail(Format("Cloudflare's challenge %s did not appear in the bucket within %s",
                           CleanLine(name).c_str(), FormatSpan(kChallengeAppears).c_str()),
                    "check that Cloudflare may write to it (on S3: s3:PutObject for "
                    "cloudflare-logpush) and try again");
      }
      if (loop.RunUntil(stop, loop.Steady() + Duration(3s))) return Stopped();
    }
  }

  Result<void> AwaitValidation(api::BucketOwnership ownership) {
    system::EventLoop& loop = call_.engine->loop();
    const system::SteadyTime until = loop.Steady() + kValidationTakes;
    while (!ownership.IsValidated()) {
      if (ownership.status == "failed") {
        return Fail("Cloudflare reports that the validation failed", "register the bucket again");
      }
      if (loop.Steady() >= until) {
        return Fail("Cloudflare has not validated the bucket yet",
                    "run cloudflaredump check later");
      }
      if (loop.RunUntil(call_.engine->stop().Stopping(), loop.Steady() + Duration(5s))) {
        return Stopped();
      }
      auto buckets = call_.api->ListBuckets(call_.patience());
      if (!buckets) return Failure(buckets);
      const auto ours = std::ranges::find_if(
          *buckets, [&](const api::BucketOwnership& other) { return other.id == ownership.id; });
      if (ours != buckets->end()) ownership = *ours;
    }
    std::printf("ok: %s is registered; use it with --destination-conf %s\n", text_.c_str(),
                ShellQuote(text_).c_str());
    return {};
  }

  ApiCall& call_;
  std::string text_;  ///< destination_conf without keys, as the user typed it
  bucket::DestinationConf conf_;
  bucket::BucketSettings settings_;
};

Result<void> Register(ApiCall& call) {
  auto conf = bucket::ParseDestinationConf(call.words.front());
  if (!conf) return Failure(conf);
  if (!conf->access_key_id.empty() || !conf->secret_access_key.empty()) {
    return Fail(
        "others can see keys on the command line",
        "leave out access-key-id and secret-access-key, and put the keys in the environment, "
        "the configuration file or standard input",
        Error::Kind::kUsage);
  }
  auto typed = KeysFromInput(*call.engine);
  if (!typed) return Failure(typed);
  bucket::BucketSettings settings =
      capture::BucketSettingsOf(call.settings, *call.api, call.engine->stop(), 5s);
  if (typed->HasPair()) {
    bucket::KeySettings& keys = settings.keys;
    (conf->kind == bucket::StoreKind::kR2    ? keys.r2
     : conf->kind == bucket::StoreKind::kGcs ? keys.gcs
                                             : keys.s3) = *std::move(typed);
  }
  return Registration(call, call.words.front(), *conf, std::move(settings)).Run();
}

}  // namespace

int RegisterBucketCommand(int argc, char** argv) {
  auto call = ApiCall::Prepare(
      argc, argv,
      {.usage = "DESTINATION_CONF", .summary = kRegisterBucketSummary, .options = kBucketOptions},
      {1,
       "register-bucket takes one destination_conf, such as "
       "'s3://BUCKET/DIRECTORY?region=us-east-1'"});
  if (!call) return Complain(call.error());
  auto done = Register(*call);
  return done ? 0 : Complain(done.error());
}

}  // namespace cloudflaredump::tool
