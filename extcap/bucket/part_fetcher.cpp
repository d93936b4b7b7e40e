// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/part_fetcher.h"

#include <algorithm>

#include "common/text.h"
#include "extcap/bucket/object_digest.h"

namespace cloudflaredump::bucket {
namespace {

/// Objects up to this size are held back until their MD5 was compared.
constexpr std::size_t kSmall = std::size_t{1} << 20;

/// So often such an object is read if its bytes are spoilt each time.
constexpr int kMostSpoilt = 3;

}  // namespace

/// One object on its way.
class PartFetcher::Part : public ObjectReceiver {
 public:
  enum class State : std::uint8_t {
    kQueued,    ///< Waits for a place.
    kReading,   ///< Has one.
    kRetrying,  ///< Waits after a fault.
    kParked,    ///< Paused, without a place.
    kHeldBack,  ///< Read to its end and paused before it was delivered.
    kEnded,
  };

  Part(PartFetcher& fetcher, std::size_t number, StoredObject what)
      : object(std::move(what)),
        backoff(fetcher.loop_, fetcher.options_.patience),
        fetcher_(fetcher),
        number_(number),
        has_md5_(LooksLikeMd5(object.etag)),
        holds_(has_md5_ && object.size <= kSmall) {}

  Result<void> OnObjectBytes(std::span<const std::byte> bytes) override {
    got += bytes.size();
    fetcher_.bytes_ += bytes.size();
    backoff.Reset();
    if (has_md5_) digest_.Add(bytes);
    if (!holds_) return fetcher_.receiver_.OnPartBytes(number_, bytes);
    held_.insert(held_.end(), bytes.begin(), bytes.end());
    return {};
  }

  void OnObjectEnd(ObjectEnd end) override {
    fetcher_.reading_.erase(number_);
    fetcher_.ScheduleFill();
    const bool cut = !end.result && end.result.error().kind == Error::Kind::kPassing;
    // Cut off exactly at the end: nothing is missing.
    if (cut && got > 0 && got == object.size) end.result = {};
    if (end.result && has_md5_ && !end.md5.empty() && digest_.Take() != end.md5) {
      end.result = Spoilt();
    }
    const bool again = !end.result && end.result.error().kind == Error::Kind::kPassing;
    const auto wait = again ? backoff.NextWait(end.retry_after) : std::nullopt;
    if (!wait) return Deliver(std::move(end.result));
    fetcher_.Retry(*this, *wait);
  }

  /// Gives what was held back, and the end.
  void Deliver(Result<void> end) {
    if (paused && !held_.empty()) {
      state = State::kHeldBack;
      end_ = std::move(end);
      return;
    }
    if (const std::vector<std::byte> held = std::exchange(held_, {}); !held.empty()) {
      auto taken = fetcher_.receiver_.OnPartBytes(number_, held);
      if (!taken && end) end = std::move(taken);
    }
    fetcher_.End(*this, std::move(end));
  }

  void DeliverHeldBack() { Deliver(std::move(end_)); }

  std::size_t number() const { return number_; }

  const StoredObject object;
  State state = State::kQueued;
  bool paused = false;
  std::uint64_t got = 0;  ///< Bytes delivered: where the next read begins.
  Bucket::Read read = 0;
  system::EventLoop::Id timer = 0;
  http::Backoff backoff;

 private:
  /// The bytes are not those that the store has. What is held is read again, a few times.
  std::unexpected<Error> Spoilt() {
    const std::string what = "the bytes of " + CleanLine(object.key, 120) +
                             " have another MD5 than the bucket tells (its ETag)";
    if (!holds_) return Fail(what + ", so some of its packets may be wrong");
    fetcher_.bytes_ -= got;
    got = 0;
    held_.clear();
    if (++spoilt_reads_ < kMostSpoilt) return Fail(what, Error::Kind::kPassing);
    return Fail(what + " at each try",
                "to read it as it is, copy it to a folder and use --read-from");
  }

  PartFetcher& fetcher_;
  const std::size_t number_;
  const bool has_md5_;
  const bool holds_;  ///< Nothing is delivered before the end.
  ObjectDigest digest_;
  int spoilt_reads_ = 0;
  std::vector<std::byte> held_;
  Result<void> end_;
};

PartFetcher::PartFetcher(Bucket& bucket, system::EventLoop& loop, PartReceiver& receiver,
                         Options options)
    : bucket_(bucket), loop_(loop), receiver_(receiver), options_(options) {}

PartFetcher::~PartFetcher() {
  for (std::size_t part = 0; part < parts_.size(); ++part) Cancel(part);
  loop_.Cancel(fill_);
}

std::size_t PartFetcher::Add(StoredObject object) {
  const std::size_t number = parts_.size();
  bytes_in_all_ += object.size;
  parts_.push_back(std::make_unique<Part>(*this, number, std::move(object)));
  Enqueue(*parts_.back(), false);
  return number;
}

void PartFetcher::Enqueue(Part& part, bool first) {
  part.state = Part::State::kQueued;
  queue_.insert(first ? queue_.begin() : queue_.end(), part.number());
  ScheduleFill();
}

void PartFetcher::ScheduleFill() {
  if (fill_ == 0) fill_ = loop_.CallAt(loop_.Steady(), [this] { Fill(); });
}

void PartFetcher::Fill() {
  fill_ = 0;
  while (!queue_.empty() && (reading_.size() < options_.max_at_once || ParkOne())) {
    Part& part = *parts_[queue_.front()];
    queue_.pop_front();
    if (part.paused) {
      part.state = Part::State::kParked;
      continue;
    }
    part.state = Part::State::kReading;
    reading_.insert(part.number());
    part.read = bucket_.StartRead(part.object, part.got, part);
  }
}

bool PartFetcher::ParkOne() {
  const auto paused =
      std::ranges::find_if(reading_, [this](std::size_t part) { return parts_[part]->paused; });
  if (paused == reading_.end()) return false;
  Part& part = *parts_[*paused];
  reading_.erase(paused);
  bucket_.Cancel(part.read);
  part.state = Part::State::kParked;
  return true;
}

void PartFetcher::Retry(Part& part, Duration wait) {
  part.state = Part::State::kRetrying;
  part.timer = loop_.CallAt(loop_.Steady() + wait, [this, &part] {
    part.timer = 0;
    Enqueue(part, true);
  });
}

void PartFetcher::End(Part& part, Result<void> end) {
  part.state = Part::State::kEnded;
  ++ended_;
  receiver_.OnPartEnd(part.number(), std::move(end));
}

void PartFetcher::Pause(std::size_t part) {
  Part& paused = *parts_[part];
  if (paused.paused || paused.state == Part::State::kEnded) return;
  paused.paused = true;
  if (paused.state != Part::State::kReading) return;
  bucket_.Pause(paused.read);
  if (!queue_.empty()) ScheduleFill();
}

void PartFetcher::Resume(std::size_t part) {
  Part& resumed = *parts_[part];
  if (!resumed.paused || resumed.state == Part::State::kEnded) return;
  resumed.paused = false;
  if (resumed.state == Part::State::kReading) bucket_.Resume(resumed.read);
  if (resumed.state == Part::State::kParked) Enqueue(resumed, true);
  if (resumed.state == Part::State::kHeldBack) {
    resumed.timer = loop_.CallAt(loop_.Steady(), [&resumed] {
      resumed.timer = 0;
      resumed.DeliverHeldBack();
    });
  }
}

void PartFetcher::Cancel(std::size_t part) {
  Part& ended = *parts_[part];
  if (ended.state == Part::State::kEnded) return;
  if (ended.state == Part::State::kReading) {
    reading_.erase(part);
    bucket_.Cancel(ended.read);
    if (!queue_.empty()) ScheduleFill();
  }
  if (ended.state == Part::State::kQueued) std::erase(queue_, part);
  loop_.Cancel(ended.timer);
  ended.state = Part::State::kEnded;
  ++ended_;
}

}  // namespace cloudflaredump::bucket
