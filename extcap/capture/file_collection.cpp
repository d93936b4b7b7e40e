// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/file_collection.h"

#include <algorithm>
#include <map>

#include "common/text.h"
#include "extcap/bucket/object_fetcher.h"
#include "extcap/capture/job_watch.h"
#include "extcap/pcap/file_reader.h"
#include "extcap/pcap/gunzip.h"
#include "extcap/system/anonymous_file.h"

namespace cloudflaredump::capture {
namespace {

using namespace std::chrono_literals;

/// How long files are looked for that Cloudflare's packet count says are missing.
constexpr Duration kLateFiles = 60s;

/// Names left-out files up to this number one by one.
constexpr std::size_t kMostFilesNamed = 3;

}  // namespace

/// Fetches objects into the store.
class FileCollection::Fetch : public bucket::FetchReceiver {
 public:
  explicit Fetch(FileCollection& collection) : collection_(collection) {}

  Result<void> Run(const std::vector<bucket::StoredObject>& objects) {
    const CaptureContext& context = collection_.context_;
    bucket::ObjectFetcher fetcher(*collection_.place_.bucket, context.loop, *this,
                                  {.max_at_once = 16, .patience = context.WithJob().retry_budget});
    for (const bucket::StoredObject& object : objects) {
      auto arrival = collection_.store_.Begin(object.size);
      if (!arrival) return Failure(arrival);
      files_.push_back({.arrival = *std::move(arrival)});
      fetcher.Add(object);
    }
    const auto over = [&] { return fetcher.done() || context.stop.WaitIsOver()(); };
    while (!context.loop.RunUntil(over, context.loop.Steady() + Duration(500ms))) Tell(fetcher);
    Tell(fetcher);
    return context.stop.AtLeast(system::StopLevel::kLeave) ? Stopped() : Result<void>();
  }

  std::unique_ptr<pcap::FileBytes> Take(std::size_t number) {
    if (files_[number].bytes == nullptr) {
      OnFetchEnd(number, Fail("it was not fetched to its end when the time to stop had come"));
    }
    return std::move(files_[number].bytes);
  }

 private:
  struct File {
    pcap::FileStore::Arrival arrival;
    std::unique_ptr<pcap::FileBytes> bytes = nullptr;  ///< when it has ended
  };

  Result<void> OnFetchBytes(std::size_t object, std::span<const std::byte> bytes) override {
    return files_[object].arrival.Append(bytes);
  }
  void OnFetchRestart(std::size_t object) override { files_[object].arrival.Restart(); }
  void OnFetchEnd(std::size_t object, Result<void> end) override {
    File& file = files_[object];
    file.bytes = std::move(file.arrival).Finish();
    if (!end) file.bytes->SetLoss(std::move(end).error());
  }

  void Tell(const bucket::ObjectFetcher& fetcher) const {
    const std::uint64_t all = fetcher.bytes_in_all();
    const std::uint64_t percent = all == 0 ? 100 : fetcher.bytes() * 100 / all;
    collection_.context_.Tell(Format("downloading file %zu of %zu, %llu%%",
                                     std::min(fetcher.ended() + 1, fetcher.objects()),
                                     fetcher.objects(), static_cast<unsigned long long>(percent)));
  }

  FileCollection& collection_;
  std::vector<File> files_;
};

Result<void> FileCollection::Run() {
  context_.Tell("waiting for the files in the bucket");
  if (auto gathered = Gather(); !gathered) return gathered;
  for (const std::string& copy : LeaveOutCopies(files_, [this] { return WaitIsOver(); })) {
    left_out_.push_back(copy);
  }
  return {};
}

Result<void> FileCollection::Gather() {
  const config::Settings& settings = context_.settings;
  const auto pause = std::chrono::seconds(settings.Number(config::Opt::kListingInterval));
  const system::SteadyTime until =
      context_.loop.Steady() + std::chrono::seconds(settings.Number(config::Opt::kMaxWait));
  const bool expected = job_.packets_captured != 0 && !IsEmptyCapture(job_);
  std::optional<system::SteadyTime> late_until;
  std::optional<bucket::CaptureFiles> before;
  // A folder is listed at no cost, so that all that is left out can be said.
  bucket::SearchScope scope =
      place_.folder.empty() ? bucket::SearchScope::kNamed : bucket::SearchScope::kDirectory;
  const auto enough = [this] { return context_.stop.WaitIsOver()() || give_up_(); };
  for (;;) {
    auto listed = bucket::ListCaptureFiles(*place_.bucket, job_.id, scope, enough);
    if (!listed && listed.error().kind == Error::Kind::kInterrupted && !files_.empty()) return {};
    if (!listed) return Failure(listed);
    if (auto added = Add(listed->files); !added) return added;
    const bool agreed =
        before && before->files == listed->files && (!expected || !listed->files.empty());
    before = *std::move(listed);
    const system::SteadyTime next = context_.loop.Steady() + pause;
    if (context_.stop.AtLeast(system::StopLevel::kDeliver)) break;
    if (!expected || job_.packets_captured) {
      const auto counted = CountPackets(next);
      if (counted && *counted >= job_.packets_captured.value_or(0)) break;
    }
    if (agreed) {
      if (!job_.packets_captured || context_.stop.AtLeast(system::StopLevel::kStop)) break;
      // Files are missing: for a while they may still come, and under another name.
      if (!late_until) late_until = context_.loop.Steady() + kLateFiles;
      if (scope == bucket::SearchScope::kDirectory && next > *late_until) break;
      if (next > *late_until) scope = bucket::SearchScope::kDirectory;
      context_.Tell("waiting for files that the bucket does not show yet");
    }
    if (next > until) {
      NoteUnsettled(agreed);
      break;
    }
    if (context_.loop.RunUntil(enough, next)) {
      if (files_.empty() && give_up_()) return Stopped();
      break;
    }
  }
  if (const auto& odd = before->left_out; !odd.empty()) {
    std::string names;
    for (std::size_t i = 0; i < std::min(odd.size(), kMostFilesNamed); ++i) {
      names += (i == 0 ? "" : ", ") + CleanLine(odd[i], 100);
    }
    if (odd.size() > kMostFilesNamed) {
      names += Format(" and %zu more", odd.size() - kMostFilesNamed);
    }
    left_out_.push_back(names + ", not named like a file of the capture");
  }
  return {};
}

void FileCollection::NoteUnsettled(bool agreed) {
  if (files_.empty()) {
    losses_.push_back("no file of capture " + job_.id +
                      (context_.settings.Has(config::Opt::kReadFrom)
                           ? " appeared in the place that read-from names"
                           : " appeared in the bucket; if you read it elsewhere, name that place "
                             "with the option read-from"));
  } else if (!agreed) {
    losses_.push_back("files of capture " + job_.id +
                      " were still appearing in the bucket when max-wait was over");
  }
}

Result<void> FileCollection::Add(const std::vector<bucket::StoredObject>& listed) {
  // A file that was still being written when it was read first is read again.
  std::map<std::string, const bucket::StoredObject*> now;
  for (const bucket::StoredObject& object : listed) now[object.key] = &object;
  std::erase_if(files_, [&](const CollectedFile& file) {
    const auto found = now.find(file.object.key);
    return found != now.end() && *found->second != file.object;
  });
  for (const CollectedFile& file : files_) now.erase(file.object.key);
  std::vector<bucket::StoredObject> fresh;
  fresh.reserve(now.size());
  for (const auto& [key, object] : now) fresh.push_back(*object);
  if (fresh.empty()) return {};
  if (auto fits = CheckSize(fresh); !fits) return fits;
  if (place_.folder.empty()) return FetchAll(fresh);
  for (const bucket::StoredObject& object : fresh) {
    TakeIn(object, disk_.Open(place_.folder + "/" + object.key));
  }
  return {};
}

std::uint64_t FileCollection::MostBytes() const {
  return job_.byte_limit && *job_.byte_limit < kMostBytes / 4
             ? 4 * *job_.byte_limit + pcap::FileStore::kMemory
             : kMostBytes;
}

Result<void> FileCollection::CheckSize(const std::vector<bucket::StoredObject>& fresh) const {
  if (files_.size() + fresh.size() > kMostFiles) {
    return Fail(Format("capture %s has %s files, and at most %s are read", job_.id.c_str(),
                       WithThousands(files_.size() + fresh.size()).c_str(),
                       WithThousands(kMostFiles).c_str()),
                "merge them by hand, or read a folder with some of them (option read-from)");
  }
  if (!place_.folder.empty()) return {};
  std::uint64_t bytes = 0;
  for (const CollectedFile& file : files_) bytes += file.object.size;
  for (const bucket::StoredObject& object : fresh) {
    bytes += std::min(object.size, kMostBytes + 1);  // the sum of kMostFiles cannot overflow
  }
  const std::uint64_t most = MostBytes();
  if (bytes > most) {
    return Fail(Format("the files of capture %s have more than %s bytes in all", job_.id.c_str(),
                       WithThousands(most).c_str()),
                "copy them to a folder, and read them from there with the option read-from");
  }
  const std::uint64_t free = system::FreeBytesForTemporaryFiles();
  if (bytes > pcap::FileStore::kMemory && bytes > free / 10 * 9) {
    return Fail(Format("the files of capture %s have %s bytes in all, and the disk for temporary "
                       "files has %s left",
                       job_.id.c_str(), WithThousands(bytes).c_str(), WithThousands(free).c_str()),
                "set TMPDIR to a folder with room for the capture");
  }
  return {};
}

Result<void> FileCollection::FetchAll(const std::vector<bucket::StoredObject>& fresh) {
  Fetch fetch(*this);
  if (auto fetched = fetch.Run(fresh); !fetched) return fetched;
  for (std::size_t i = 0; i < fresh.size(); ++i) TakeIn(fresh[i], fetch.Take(i));
  return {};
}

void FileCollection::TakeIn(const bucket::StoredObject& object,
                            std::unique_ptr<pcap::FileBytes> bytes) {
  originals_.Keep(object.key, *bytes);
  if (pcap::IsGzip(*bytes)) {
    auto unpacked = pcap::Gunzip(*bytes, store_, std::min(MostBytes(), kMostBytes / 4),
                                 [this] { return WaitIsOver(); });
    if (unpacked) {
      bytes = *std::move(unpacked);
    } else {
      bytes->SetLoss(unpacked.error());
    }
  }
  files_.push_back({.object = object, .bytes = std::move(bytes)});
}

std::optional<std::uint64_t> FileCollection::CountPackets(system::SteadyTime until) {
  std::uint64_t packets = 0;
  for (CollectedFile& file : files_) {
    if (!file.packets) {
      // Nobody is kept waiting for a count: two listings that agree do as well.
      const auto late = [&] { return WaitIsOver() || context_.loop.Steady() >= until; };
      if (late()) return std::nullopt;
      const std::uint64_t counted = pcap::Summarize(*file.bytes, late).packets;
      if (late()) return std::nullopt;
      file.packets = counted;
    }
    packets += *file.packets;
  }
  return packets;
}

bool FileCollection::WaitIsOver() const {
  return context_.loop.RunUntil(context_.stop.WaitIsOver(), context_.loop.Steady());
}

bool FileCollection::AllFailed() const {
  return !files_.empty() && std::ranges::all_of(files_, [](const CollectedFile& file) {
    return file.bytes->size() == 0 && file.bytes->loss() != nullptr;
  });
}

}  // namespace cloudflaredump::capture
