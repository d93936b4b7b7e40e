// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/part_fetcher.h"

#include <algorithm>

namespace cloudflaredump {

/// One object on its way.
class PartFetcher::Part : public ObjectReceiver {
 public:
  enum class State : std::uint8_t {
    kQueued,    ///< Waits for a place.
    kReading,   ///< Has one.
    kRetrying,  ///< Waits after a fault.
    kParked,    ///< Paused, without a place.
    kEnded,
  };

  Part(PartFetcher& fetcher, std::size_t number, StoredObject what)
      : object(std::move(what)),
        backoff(fetcher.loop_, fetcher.options_.patience),
        fetcher_(fetcher),
        number_(number) {}

  Result<void> OnObjectBytes(std::span<const std::byte> bytes) override {
    got += bytes.size();
    fetcher_.bytes_ += bytes.size();
    backoff.Reset();
    return fetcher_.receiver_.OnPartBytes(number_, bytes);
  }

  void OnObjectEnd(ObjectEnd end) override {
    fetcher_.reading_.erase(number_);
    fetcher_.ScheduleFill();
    const bool transient = !end.result && end.result.error().kind == Error::Kind::kTransient;
    if (!transient) return fetcher_.End(*this, std::move(end.result));
    // Cut off exactly at the end: nothing is missing.
    if (got > 0 && got == object.size) return fetcher_.End(*this, {});
    const std::optional<Duration> wait = backoff.NextWait(end.retry_after);
    if (!wait) return fetcher_.End(*this, std::move(end.result));
    state = State::kRetrying;
    timer = fetcher_.loop_.CallAt(fetcher_.loop_.Steady() + *wait, [this] {
      timer = 0;
      fetcher_.Enqueue(*this, true);
    });
  }

  std::size_t number() const { return number_; }

  const StoredObject object;
  State state = State::kQueued;
  bool paused = false;
  std::uint64_t got = 0;  ///< Bytes delivered: where the next read begins.
  Bucket::Read read = 0;
  EventLoop::Id timer = 0;
  Backoff backoff;

 private:
  PartFetcher& fetcher_;
  const std::size_t number_;
};

PartFetcher::PartFetcher(Bucket& bucket, EventLoop& loop, PartReceiver& receiver, Options options)
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

}  // namespace cloudflaredump
