// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/part_collection.h"

#include <algorithm>
#include <set>

#include "common/text.h"
#include "extcap/bucket/part_fetcher.h"
#include "extcap/bucket/settled_listing.h"
#include "extcap/capture/job_watch.h"
#include "extcap/capture/originals.h"
#include "extcap/capture/part_delivery.h"
#include "extcap/pcap/file_parts.h"
#include "extcap/pcap/spool.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;

/// How long files are looked for that Cloudflare's packet count says are missing.
constexpr Duration kLateFiles = 60s;

/// Fetches one batch of parts into a spool while the merge reads from it.
class PartTransfers : public bucket::PartReceiver {
 public:
  PartTransfers(const CaptureContext& context, bucket::Bucket& bucket, Originals& originals,
                const std::vector<bucket::StoredObject>& objects)
      : context_(context),
        originals_(originals),
        fetcher_(bucket, context.loop, *this,
                 {.max_at_once = 16, .patience = context.WithJob().retry_budget}),
        moved_(objects.size(), 0) {
    for (const bucket::StoredObject& object : objects) {
      spool_.AddPart();
      fetcher_.Add(object);
      keys_.push_back(object.key);
    }
  }

  std::vector<std::unique_ptr<pcap::PartSource>> Sources() {
    std::vector<std::unique_ptr<pcap::PartSource>> sources;
    sources.reserve(keys_.size());
    for (std::size_t part = 0; part < keys_.size(); ++part) sources.push_back(spool_.Source(part));
    return sources;
  }

  /// Waits until something of `part` has come, or its end.
  Result<void> Await(std::size_t part) {
    const std::size_t before = moved_[part];
    return RunUntil([&] { return moved_[part] != before; });
  }

  /// Waits until every part has come to its end.
  Result<void> AwaitRest() {
    return RunUntil([&] { return fetcher_.ended() == fetcher_.parts(); });
  }

 private:
  Result<void> OnPartBytes(std::size_t part, std::span<const std::byte> bytes) override {
    ++moved_[part];
    originals_.Append(keys_[part], bytes);
    if (auto kept = spool_.Append(part, bytes); !kept) return kept;
    if (spool_.Full(part) && paused_.insert(part).second) fetcher_.Pause(part);
    return {};
  }

  void OnPartEnd(std::size_t part, Result<void> end) override {
    ++moved_[part];
    paused_.erase(part);
    originals_.Finish(keys_[part], end.has_value());
    if (end) {
      spool_.Finish(part);
    } else {
      spool_.Fail(part, end.error());
    }
  }

  Result<void> RunUntil(const std::function<bool()>& done) {
    // While the merge waits nobody may stay paused: the part may need a connection.
    for (const std::size_t paused : std::exchange(paused_, {})) fetcher_.Resume(paused);
    const auto over = [&] { return done() || context_.stop.AtLeast(system::StopLevel::kLeave); };
    while (!context_.loop.RunUntil(over, context_.loop.Steady() + Duration(500ms))) Tell();
    Tell();
    if (context_.stop.AtLeast(system::StopLevel::kLeave)) {
      return Stopped();
    }
    return {};
  }

  void Tell() {
    const std::uint64_t all = fetcher_.bytes_in_all();
    const std::uint64_t percent = all == 0 ? 100 : fetcher_.bytes() * 100 / all;
    context_.Tell(Format("downloading part %zu of %zu, %llu %%",
                         std::min(fetcher_.ended() + 1, fetcher_.parts()), fetcher_.parts(),
                         static_cast<unsigned long long>(percent)));
  }

  const CaptureContext& context_;
  Originals& originals_;
  pcap::Spool spool_;
  bucket::PartFetcher fetcher_;
  std::vector<std::string> keys_;
  std::vector<std::size_t> moved_;  ///< by part, how often something came
  std::set<std::size_t> paused_;
};

std::vector<bucket::StoredObject> Unseen(const std::vector<bucket::StoredObject>& objects,
                                         const std::set<std::string>& seen) {
  std::vector<bucket::StoredObject> unseen;
  std::ranges::copy_if(
      objects, std::back_inserter(unseen),
      [&](const bucket::StoredObject& object) { return !seen.contains(object.key); });
  return unseen;
}

/// What all batches of one collection share.
struct Collection {
  const CaptureContext& context;
  const PartsPlace& place;
  const api::PcapJob& job;
  PartDelivery& delivery;
  Outcome& outcome;
  Originals& originals;
  std::set<std::string> seen = {};  ///< keys that were delivered
};

/// Files of this machine are read where they are, unless they are to be copied anyway.
Result<void> DeliverFiles(const Collection& collection, const std::vector<std::string>& keys,
                          bool late) {
  pcap::FileParts files;
  std::vector<std::unique_ptr<pcap::PartSource>> sources;
  sources.reserve(keys.size());
  for (const std::string& key : keys) {
    sources.push_back(files.Add(collection.place.folder + "/" + key));
  }
  pcap::Merge merge(std::move(sources));
  return collection.delivery.Deliver(merge, keys, late, [](std::size_t) { return Result<void>(); });
}

/// Delivers one batch and remembers its keys.
Result<void> DeliverBatch(Collection& collection, const std::vector<bucket::StoredObject>& objects,
                          bool late) {
  std::vector<std::string> keys;
  for (const bucket::StoredObject& object : objects) {
    keys.push_back(object.key);
    collection.seen.insert(object.key);
  }
  const bool copied = collection.context.settings.Has(config::Opt::kKeepOriginals);
  if (!collection.place.folder.empty() && !copied) return DeliverFiles(collection, keys, late);
  PartTransfers transfers(collection.context, *collection.place.bucket, collection.originals,
                          objects);
  pcap::Merge merge(transfers.Sources());
  auto delivered = collection.delivery.Deliver(
      merge, keys, late, [&](std::size_t part) { return transfers.Await(part); });
  // Originals are wanted whole, also those that the merge gave up.
  if (delivered && copied) delivered = transfers.AwaitRest();
  return delivered;
}

bool Missing(const api::PcapJob& job, const Outcome& outcome) {
  return job.packets_captured && outcome.counts.received < *job.packets_captured;
}

/// Looks for files that were not there when the listing had settled.
Result<void> DeliverLate(Collection& collection) {
  const CaptureContext& context = collection.context;
  const auto pause = std::chrono::seconds(context.settings.Number(config::Opt::kListingInterval));
  const system::SteadyTime until = context.loop.Steady() + kLateFiles;
  for (;;) {
    auto objects = collection.place.bucket->List(collection.job.id, context.stop.Leaving());
    if (!objects) return Failure(objects);
    const auto late = Unseen(*objects, collection.seen);
    if (!late.empty()) {
      if (auto done = DeliverBatch(collection, late, true); !done) return done;
      continue;
    }
    const bool missing = Missing(collection.job, collection.outcome);
    if (!missing || context.loop.Steady() >= until) return {};
    context.Tell("waiting for files that the bucket does not show yet");
    if (context.loop.RunUntil(context.stop.StoppingSoon(), context.loop.Steady() + pause)) {
      return {};
    }
  }
}

}  // namespace

Result<void> CollectParts(const CaptureContext& context, const PartsPlace& place,
                          const api::PcapJob& job, bool exact_plan, const std::string& asked,
                          Outcome& outcome) {
  const config::Settings& settings = context.settings;
  context.Tell("waiting for the files in the bucket");
  const bool none_expected = job.packets_captured == 0 || IsEmptyCapture(job);
  auto listing = bucket::WaitForSettledListing(
      *place.bucket, context.loop, job.id,
      {.pause = std::chrono::seconds(settings.Number(config::Opt::kListingInterval)),
       .max_wait = std::chrono::seconds(settings.Number(config::Opt::kMaxWait)),
       .expect_objects = !none_expected},
      context.stop.Leaving());
  if (!listing) return Failure(listing);
  if (listing->objects.empty() && !none_expected) {
    outcome.losses.push_back("no file of capture " + job.id +
                             " appeared in the bucket; if it is read elsewhere, use --read-from");
  } else if (!listing->settled) {
    outcome.losses.push_back("files of capture " + job.id +
                             " were still appearing in the bucket when --max-wait was over");
  }
  Originals originals(context);
  PartDelivery delivery(context, job, exact_plan, outcome);
  Collection collection{.context = context,
                        .place = place,
                        .job = job,
                        .delivery = delivery,
                        .outcome = outcome,
                        .originals = originals};
  auto delivered = DeliverBatch(collection, listing->objects, false);
  if (delivered && !none_expected) delivered = DeliverLate(collection);
  outcome.Note(delivered);
  if (context.stop.AtLeast(system::StopLevel::kStop)) outcome.stopped = true;
  if (context.stop.AtLeast(system::StopLevel::kLeave)) return {};
  return delivery.Finish(asked);
}

Result<void> CollectOthersParts(const CaptureContext& context, http::Http& http,
                                const api::PcapJob& job, Outcome& outcome) {
  const config::Settings& settings = context.settings;
  const std::string written =
      job.destination_conf.value_or(settings.Text(config::Opt::kDestinationConf));
  if (written.empty() && !settings.Has(config::Opt::kReadFrom)) {
    return Fail(Format("Cloudflare does not say in which bucket the files of capture %s are",
                       job.id.c_str()),
                "give it with --read-from");
  }
  const auto parts = OpenSource(context, http, written, context.WithJob().retry_budget);
  if (!parts) return Failure(parts);
  const std::string at = job.colo ? " at " + CleanLine(*job.colo, 20) : "";
  return CollectParts(context, *parts, job, false, "full capture " + job.id + at, outcome);
}

}  // namespace cloudflaredump::capture
