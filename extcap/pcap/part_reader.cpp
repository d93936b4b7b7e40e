// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/part_reader.h"

#include <algorithm>
#include <cstring>

namespace cloudflaredump::pcap {

PartReader::PartReader(std::unique_ptr<PartSource> source, std::size_t window)
    : source_(std::move(source)),
      capacity_(std::max(window, kLeastWindow)),
      reach_(capacity_ / 4) {}

PartReader::State PartReader::FindNext() {
  while (!SeesEnough()) {
    const Step step = Look();
    if (step == Step::kWaiting) return State::kWaiting;
    if (step == Step::kBlocked) return State::kReady;
  }
  return Held() == 0 ? State::kEnded : State::kReady;
}

PartReader::State PartReader::LoadNext(std::vector<std::byte>& shared) {
  if (entries_[first_].outside && loaded_ == nullptr) {
    if (const Result<void> loaded = LoadOutside(shared); !loaded) {
      Drop();
      End(loaded.error());
      return State::kEnded;
    }
  }
  while (Held() == 1 && !ended_) {
    if (Look() == Step::kWaiting) return State::kWaiting;
  }
  return State::kReady;
}

PacketView PartReader::packet() const {
  const Entry& entry = entries_[first_];
  const std::byte* const record = loaded_ != nullptr ? loaded_ : &window_[entry.offset];
  return {.ticks = entry.ticks,
          .original_length = entry.original,
          .bytes = {record + kRecordHeaderSize, entry.captured}};
}

std::uint64_t PartReader::nanoseconds() const {
  return Nanoseconds(entries_[first_].ticks, header_->precision);
}

void PartReader::Drop() {
  const Entry& entry = entries_[first_];
  if (entry.outside) {
    loaded_ = nullptr;
  } else {
    held_bytes_ -= entry.size();
  }
  ++first_;
  if (first_ == entries_.size() || first_ >= kReorder) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

bool PartReader::SeesEnough() const {
  if (ended_) return true;
  return Held() >= 2 && (Held() > kReorder || held_bytes_ > reach_);
}

PartReader::Step PartReader::Look() {
  if (!header_) return LookAtFileHeader();
  // What follows a packet outside of the window comes to light when that one is loaded.
  if (blocked_) return Step::kBlocked;
  return LookAtRecord();
}

PartReader::Step PartReader::LookAtFileHeader() {
  Step step = Fill(kMagicSize);
  if (step == Step::kDone) {
    const std::span<const std::byte, kMagicSize> magic(&window_[next_], kMagicSize);
    if (std::optional<Error> refused = RefuseMagic(magic)) return End(std::move(refused));
    step = Fill(kFileHeaderSize);
  }
  if (step == Step::kEnded && !ended_) return EndOfFile(CutFileHeader(Remaining()));
  if (step != Step::kDone) return step;
  const auto header =
      ReadFileHeader(std::span<const std::byte, kFileHeaderSize>(&window_[next_], kFileHeaderSize));
  if (!header) return End(header.error());
  header_ = *header;
  next_ += kFileHeaderSize;
  offset_ = kFileHeaderSize;
  return Step::kDone;
}

PartReader::Step PartReader::LookAtRecord() {
  Step step = Fill(kRecordHeaderSize);
  if (step == Step::kEnded && !ended_) {
    if (Remaining() == 0) return EndOfFile(std::nullopt);
    return EndOfFile(CutRecord(offset_, packets_, Remaining(), kRecordHeaderSize));
  }
  if (step != Step::kDone) return step;

  const RecordHeader record = ReadRecordHeader(&window_[next_], *header_);
  if (IsDamaged(record)) return End(DamagedRecord(record, offset_, packets_));
  Entry entry{.ticks = record.ticks,
              .offset = 0,
              .captured = record.captured,
              .original = record.original,
              .outside = false};
  if (Remaining() < entry.size()) {
    if (!source_->Ended()) return Step::kWaiting;
    return EndOfFile(CutRecord(offset_, packets_, Remaining(), entry.size()));
  }
  // The next record's header must fit behind it, or nobody could say whether it is the last.
  if (held_bytes_ + entry.size() + kRecordHeaderSize > capacity_) {
    if (Held() >= 2) return Step::kBlocked;
    entry.outside = blocked_ = true;
  } else {
    step = Fill(entry.size());
    if (step != Step::kDone) return step;
    entry.offset = static_cast<std::uint32_t>(next_);
    next_ += entry.size();
    held_bytes_ += entry.size();
    offset_ += entry.size();
    ++packets_;
  }
  Insert(entry);
  return Step::kDone;
}

/// Makes `size` bytes lie in the window from next_ on. kEnded with ended_ unset: so many do not
/// come any more.
PartReader::Step PartReader::Fill(std::size_t size) {
  if (end_ - next_ >= size) return Step::kDone;
  if (Remaining() < size) {
    return source_->Ended() ? Step::kEnded : Step::kWaiting;
  }
  if (held_bytes_ + size > capacity_) return Step::kBlocked;
  if (const Result<void> read = ReadMore(); !read) return End(read.error());
  return end_ - next_ >= size ? Step::kDone : Step::kEnded;
}

Result<void> PartReader::ReadMore() {
  if (window_ == nullptr) {
    if (source_->Ended()) {
      const std::uint64_t whole = source_->Available() + kRecordHeaderSize;
      capacity_ = std::min<std::uint64_t>(capacity_, std::max<std::uint64_t>(whole, kLeastWindow));
    }
    window_ = std::make_unique_for_overwrite<std::byte[]>(capacity_);
  }
  Compact();
  const std::size_t room = std::min<std::uint64_t>(capacity_ - end_, source_->Available());
  const Result<std::size_t> got = source_->Read({&window_[end_], room});
  if (!got) return Failure(got);
  end_ += *got;
  return {};
}

/// Moves what is still needed of the window to its beginning.
void PartReader::Compact() {
  std::vector<Entry*> held;
  held.reserve(Held());
  for (std::size_t i = first_; i < entries_.size(); ++i) {
    if (!entries_[i].outside) held.push_back(&entries_[i]);
  }
  const auto by_offset = [](const Entry* a, const Entry* b) { return a->offset < b->offset; };
  if (!std::is_sorted(held.begin(), held.end(), by_offset)) {
    std::sort(held.begin(), held.end(), by_offset);
  }
  // Records that touch move as one.
  std::size_t to = 0;
  for (std::size_t i = 0; i < held.size();) {
    const std::size_t begin = held[i]->offset;
    std::size_t end = begin;
    const std::size_t moved = begin - to;
    for (; i < held.size() && held[i]->offset == end; ++i) {
      end += held[i]->size();
      held[i]->offset -= static_cast<std::uint32_t>(moved);
    }
    std::memmove(&window_[to], &window_[begin], end - begin);
    to += end - begin;
  }
  std::memmove(&window_[to], &window_[next_], end_ - next_);
  end_ = to + (end_ - next_);
  next_ = to;
}

void PartReader::Insert(const Entry& entry) {
  // A loaded packet is on its way out: nothing goes before it any more.
  const std::size_t foremost = first_ + (loaded_ != nullptr ? 1 : 0);
  std::size_t at = entries_.size();
  while (at > foremost && entries_[at - 1].ticks > entry.ticks) --at;
  entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(at), entry);
}

/// Reads the first packet, which is outside of the window, into `shared`.
Result<void> PartReader::LoadOutside(std::vector<std::byte>& shared) {
  const Entry& entry = entries_[first_];
  shared.resize(entry.size());
  const std::size_t have = std::min(end_ - next_, entry.size());
  std::memcpy(shared.data(), &window_[next_], have);
  next_ += have;
  const Result<std::size_t> got = source_->Read(std::span(shared).subspan(have));
  if (!got) return Failure(got);
  loaded_ = shared.data();
  blocked_ = false;
  offset_ += entry.size();
  ++packets_;
  return {};
}

std::uint64_t PartReader::Remaining() {
  return end_ - next_ + source_->Available();
}

/// Nobody looks further: `damage` says why, if it is not simply the end.
PartReader::Step PartReader::End(std::optional<Error> damage) {
  damage_ = std::move(damage);
  ended_ = true;
  return Step::kEnded;
}

/// All bytes were looked at. What became of the transfer says more than where its bytes stop.
PartReader::Step PartReader::EndOfFile(std::optional<Error> damage) {
  const Error* const failure = source_->Failure();
  return End(failure != nullptr ? *failure : std::move(damage));
}

}  // namespace cloudflaredump::pcap
