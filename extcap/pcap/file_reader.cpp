// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/file_reader.h"

#include <algorithm>
#include <cstring>

#include "common/text.h"

namespace cloudflaredump::pcap {
namespace {

constexpr std::size_t kSummaryWindow = 65536;

/// How often, in packets, the count of them may be stopped.
constexpr std::uint64_t kPacketsPerLook = 10000;

/// A file that somebody else owns.
class BorrowedFile final : public FileBytes {
 public:
  explicit BorrowedFile(FileBytes& file) : file_(file) {
    if (file.loss() != nullptr) SetLoss(*file.loss());
  }
  std::uint64_t size() const override { return file_.size(); }
  const std::byte* data() const override { return file_.data(); }
  Result<void> Read(std::uint64_t offset, std::span<std::byte> to) override {
    return file_.Read(offset, to);
  }

 private:
  FileBytes& file_;
};

}  // namespace

FileReader::FileReader(std::unique_ptr<FileBytes> file, std::size_t window, Order order)
    : file_(std::move(file)),
      order_(order),
      reach_(std::max(window, kLeastWindow) / 4),
      capacity_(std::min<std::uint64_t>(std::max(window, kLeastWindow),
                                        std::max<std::uint64_t>(file_->size(), kFileHeaderSize))) {
  if (order_ == Order::kWhole) {
    entries_.reserve(std::min(file_->size() / kRecordHeaderSize, kMostPacketsOfWhole));
  }
}

bool FileReader::FindNext() {
  while (!SeesEnough()) Look();
  return Held() > 0;
}

bool FileReader::SeesEnough() const {
  if (ended_) return true;
  return order_ == Order::kNearby && Held() >= 2 && (Held() > kReorder || held_bytes_ > reach_);
}

Result<PacketView> FileReader::Load(std::vector<std::byte>& shared) {
  const Entry entry = First();
  const std::uint64_t offset = entry.offset + kRecordHeaderSize;
  const std::byte* bytes = InMemory(offset, entry.captured);
  if (bytes == nullptr) {
    shared.resize(entry.captured);
    if (auto read = file_->Read(offset, shared); !read) {
      entries_.clear();
      first_ = held_bytes_ = 0;
      End(read.error());
      return Failure(read);
    }
    bytes = shared.data();
  }
  return PacketView{
      .ticks = entry.ticks, .original_length = entry.original, .bytes = {bytes, entry.captured}};
}

void FileReader::Prefetch() const {
  constexpr std::size_t kCacheLine = 64, kMost = 2048;
  const Entry& entry = First();
  const std::size_t size = std::min(entry.size(), kMost);
  const std::byte* const bytes = InMemory(entry.offset, size);
  if (bytes == nullptr) return;
  for (std::size_t at = 0; at < size; at += kCacheLine) __builtin_prefetch(bytes + at);
  const std::byte* const ahead = InMemory(offset_, kRecordHeaderSize);
  if (ahead != nullptr) __builtin_prefetch(ahead);
}

void FileReader::Drop() {
  held_bytes_ -= First().size();
  ++first_;
  if (order_ == Order::kWhole) return;
  if (first_ == entries_.size() || first_ >= kReorder) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

void FileReader::Look() {
  if (header_) return LookAtRecord();
  LookAtFileHeader();
}

void FileReader::LookAtFileHeader() {
  const std::uint64_t size = file_->size();
  if (size >= kMagicSize) {
    const std::byte* const magic = Header(0, kMagicSize);
    if (magic == nullptr) return;
    auto refused = RefuseMagic(std::span<const std::byte, kMagicSize>(magic, kMagicSize));
    if (refused) return End(std::move(refused));
  }
  if (size < kFileHeaderSize) return EndOfFile(CutFileHeader(size));
  const std::byte* const bytes = Header(0, kFileHeaderSize);
  if (bytes == nullptr) return;
  const auto header =
      ReadFileHeader(std::span<const std::byte, kFileHeaderSize>(bytes, kFileHeaderSize));
  if (!header) return End(header.error());
  header_ = *header;
  offset_ = kFileHeaderSize;
}

void FileReader::LookAtRecord() {
  const std::uint64_t left = file_->size() - offset_;
  if (left == 0) return EndOfFile(std::nullopt);
  if (order_ == Order::kWhole && packets_ == kMostPacketsOfWhole) {
    return End(Error{.what = "it has more than " + WithThousands(kMostPacketsOfWhole) +
                             " packets, and the others are lost"});
  }
  if (left < kRecordHeaderSize) {
    return EndOfFile(CutRecord(offset_, packets_, left, kRecordHeaderSize));
  }
  const std::byte* const bytes = Header(offset_, kRecordHeaderSize);
  if (bytes == nullptr) return;
  const RecordHeader record = ReadRecordHeader(bytes, *header_);
  if (IsDamaged(record)) return End(DamagedRecord(record, offset_, packets_));
  const Entry entry{.ticks = record.ticks,
                    .offset = offset_,
                    .captured = record.captured,
                    .original = record.original};
  if (left < entry.size()) return EndOfFile(CutRecord(offset_, packets_, left, entry.size()));
  offset_ += entry.size();
  held_bytes_ += entry.size();
  ++packets_;
  Insert(entry);
}

const std::byte* FileReader::InMemory(std::uint64_t offset, std::size_t size) const {
  if (const std::byte* const data = file_->data(); data != nullptr) return data + offset;
  if (offset < window_begin_ || offset + size > window_begin_ + window_size_) return nullptr;
  return &window_[offset - window_begin_];
}

const std::byte* FileReader::Header(std::uint64_t offset, std::size_t size) {
  if (const std::byte* const bytes = InMemory(offset, size); bytes != nullptr) return bytes;
  // The packets that are still held stay in the window, unless they fill most of it.
  std::uint64_t begin = offset;
  for (std::size_t i = first_; i < entries_.size(); ++i) {
    begin = std::min(begin, entries_[i].offset);
  }
  if (offset - begin > capacity_ / 2) begin = offset;
  if (auto moved = MoveWindow(begin); !moved) {
    End(moved.error());
    return nullptr;
  }
  return InMemory(offset, size);
}

/// Lets the window begin at `to`; what it has of that already is not read again.
Result<void> FileReader::MoveWindow(std::uint64_t to) {
  if (window_ == nullptr) window_ = std::make_unique_for_overwrite<std::byte[]>(capacity_);
  const std::uint64_t end = window_begin_ + window_size_;
  const std::size_t kept = to >= window_begin_ && to < end ? end - to : 0;
  if (kept > 0) std::memmove(&window_[0], &window_[to - window_begin_], kept);
  const std::size_t size = std::min<std::uint64_t>(capacity_, file_->size() - to);
  window_begin_ = to;
  window_size_ = kept;
  if (auto read = file_->Read(to + kept, {&window_[kept], size - kept}); !read) return read;
  window_size_ = size;
  return {};
}

void FileReader::Insert(const Entry& entry) {
  if (order_ == Order::kWhole) return entries_.push_back(entry);
  std::size_t at = entries_.size();
  while (at > first_ && entries_[at - 1].ticks > entry.ticks) --at;
  entries_.insert(entries_.begin() + static_cast<std::ptrdiff_t>(at), entry);
}

void FileReader::End(std::optional<Error> damage) {
  if (order_ == Order::kWhole && !ended_) {
    std::ranges::stable_sort(entries_, {}, &Entry::ticks);
  }
  damage_ = std::move(damage);
  ended_ = true;
}

void FileReader::EndOfFile(std::optional<Error> damage) {
  const Error* const loss = file_->loss();
  End(loss != nullptr ? *loss : std::move(damage));
}

std::unique_ptr<FileBytes> Borrow(FileBytes& file) {
  return std::make_unique<BorrowedFile>(file);
}

FileSummary Summarize(FileBytes& file, const std::function<bool()>& stop) {
  FileReader reader(Borrow(file), kSummaryWindow);
  FileSummary summary;
  for (; reader.FindNext(); reader.Drop()) {
    const std::uint64_t time = reader.nanoseconds();
    summary.first_nanoseconds =
        summary.packets == 0 ? time : std::min(summary.first_nanoseconds, time);
    summary.last_nanoseconds = std::max(summary.last_nanoseconds, time);
    if (++summary.packets % kPacketsPerLook == 0 && stop && stop()) break;
  }
  summary.header = reader.header();
  summary.damage = reader.damage();
  return summary;
}

}  // namespace cloudflaredump::pcap
