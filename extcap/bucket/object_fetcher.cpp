// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/object_fetcher.h"

#include <utility>

#include "common/text.h"
#include "extcap/bucket/object_digest.h"

namespace cloudflaredump::bucket {
namespace {

/// So often an object is read whose bytes are damaged each time.
constexpr int kMostDamaged = 3;

/// Less than this in a minute is no progress: a server that trickles would keep a capture forever.
constexpr std::uint64_t kLeastProgress = std::uint64_t{16} << 10;
constexpr Duration kProgressTime = std::chrono::minutes(1);

/// So many reads in a row may each end after some bytes, but less than kLeastProgress.
constexpr int kMostShortReads = 30;

}  // namespace

/// One object on its way.
class ObjectFetcher::Object : public ObjectReceiver {
 public:
  Object(ObjectFetcher& fetcher, std::size_t number, StoredObject what)
      : fetcher_(fetcher),
        number_(number),
        object_(std::move(what)),
        has_md5_(LooksLikeMd5(object_.etag)),
        backoff_(fetcher.loop_, fetcher.options_.patience) {}
  ~Object() override {
    fetcher_.bucket_.Cancel(read_);
    fetcher_.loop_.Cancel(timer_);
  }

  void Start() {
    read_from_ = got_;
    read_ = fetcher_.bucket_.StartRead(object_, got_, *this);
    WatchProgress();
  }

  void StartLater(Duration wait) {
    timer_ = fetcher_.loop_.CallAt(fetcher_.loop_.Steady() + wait, [this] {
      timer_ = 0;
      fetcher_.queue_.push_front(this);
      fetcher_.ScheduleFill();
    });
  }

  Result<void> OnObjectBytes(std::span<const std::byte> bytes) override {
    got_ += bytes.size();
    fetcher_.bytes_ += bytes.size();
    backoff_.Reset();
    if (has_md5_) digest_.Add(bytes);
    return fetcher_.receiver_.OnFetchBytes(number_, bytes);
  }

  void OnObjectEnd(ObjectEnd end) override {
    read_ = 0;
    fetcher_.loop_.Cancel(std::exchange(timer_, 0));
    --fetcher_.reading_;
    fetcher_.ScheduleFill();
    const bool cut = !end.result && end.result.error().kind == Error::Kind::kPassing;
    // Cut off exactly at the end: nothing is missing.
    if (cut && got_ > 0 && got_ == object_.size) end.result = {};
    if (end.result && has_md5_ && !end.md5.empty() && digest_.Take() != end.md5) {
      end.result = Damaged();
    }
    CountShortReads();
    const bool again = !end.result && end.result.error().kind == Error::Kind::kPassing &&
                       short_reads_ < kMostShortReads;
    if (const auto wait = again ? backoff_.NextWait(end.retry_after) : std::nullopt) {
      return StartLater(*wait);
    }
    ++fetcher_.ended_;
    fetcher_.receiver_.OnFetchEnd(number_, std::move(end.result));
  }

 private:
  void CountShortReads() {
    if (got_ >= read_from_ + kLeastProgress) {
      short_reads_ = 0;
    } else if (got_ > read_from_) {
      ++short_reads_;
    }
  }

  /// Ends a read that trickles; what is missing is read anew, as after any other cut.
  void WatchProgress() {
    const auto then = fetcher_.loop_.Steady() + fetcher_.loop_.FromReal(kProgressTime);
    timer_ = fetcher_.loop_.CallAt(then, [this, before = got_] {
      if (got_ >= before + kLeastProgress) return WatchProgress();
      fetcher_.bucket_.Cancel(std::exchange(read_, 0));
      OnObjectEnd({.result = Fail(Format("the bucket sent %s bytes of %s in a minute",
                                         WithThousands(got_ - before).c_str(),
                                         CleanLine(object_.key, 120).c_str()),
                                  "check the network connection", Error::Kind::kPassing)});
    });
  }

  /// The bytes are not those that the store has: they are read again, a few times.
  std::unexpected<Error> Damaged() {
    const std::string what = "the bytes of " + CleanLine(object_.key, 120) +
                             " have another MD5 than the bucket tells (its ETag)";
    if (++damaged_reads_ == kMostDamaged) {
      return Fail(
          what + " at each try",
          "to read it as it is, copy it to a folder and give that with the option read-from");
    }
    fetcher_.bytes_ -= std::exchange(got_, 0);
    fetcher_.receiver_.OnFetchRestart(number_);
    return Fail(what, Error::Kind::kPassing);
  }

  ObjectFetcher& fetcher_;
  const std::size_t number_;
  const StoredObject object_;
  const bool has_md5_;
  std::uint64_t got_ = 0;        ///< Bytes delivered: where the next read begins.
  std::uint64_t read_from_ = 0;  ///< The same when this read began.
  int short_reads_ = 0;
  Bucket::Read read_ = 0;
  system::EventLoop::Id timer_ = 0;  ///< For the next try, or for WatchProgress.
  http::Backoff backoff_;
  ObjectDigest digest_;
  int damaged_reads_ = 0;
};

ObjectFetcher::ObjectFetcher(Bucket& bucket, system::EventLoop& loop, FetchReceiver& receiver,
                             Options options)
    : bucket_(bucket), loop_(loop), receiver_(receiver), options_(options) {}

ObjectFetcher::~ObjectFetcher() {
  loop_.Cancel(fill_);
}

void ObjectFetcher::Add(StoredObject object) {
  bytes_in_all_ += object.size;
  objects_.push_back(std::make_unique<Object>(*this, objects_.size(), std::move(object)));
  queue_.push_back(objects_.back().get());
  ScheduleFill();
}

void ObjectFetcher::ScheduleFill() {
  if (fill_ == 0) fill_ = loop_.CallAt(loop_.Steady(), [this] { Fill(); });
}

void ObjectFetcher::Fill() {
  fill_ = 0;
  for (; !queue_.empty() && reading_ < options_.max_at_once; ++reading_) {
    Object& object = *queue_.front();
    queue_.pop_front();
    object.Start();
  }
}

}  // namespace cloudflaredump::bucket
