// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/file_store.h"

#include <algorithm>

#include "common/text.h"

namespace cloudflaredump::pcap {
namespace {

/// A file that has arrived, in the store's memory or on its disk.
class StoredFile final : public FileBytes {
 public:
  StoredFile(std::unique_ptr<std::byte[]> memory, const system::AnonymousFile* disk,
             std::uint64_t place, std::uint64_t size)
      : memory_(std::move(memory)), disk_(disk), place_(place), size_(size) {}

  std::uint64_t size() const override { return size_; }
  const std::byte* data() const override { return memory_.get(); }

  Result<void> Read(std::uint64_t offset, std::span<std::byte> to) override {
    if (memory_ != nullptr) {
      std::ranges::copy(std::span(memory_.get() + offset, to.size()), to.begin());
      return {};
    }
    const Result<std::size_t> got = disk_->ReadAt(place_ + offset, to);
    if (!got) return Failure(got);
    if (*got < to.size()) return Fail("the temporary file became shorter while it was read");
    return {};
  }

 private:
  const std::unique_ptr<std::byte[]> memory_;
  const system::AnonymousFile* const disk_;
  const std::uint64_t place_;
  const std::uint64_t size_;
};

}  // namespace

Result<void> MemoryFile::Read(std::uint64_t offset, std::span<std::byte> to) {
  std::ranges::copy(std::span(data() + offset, to.size()), to.begin());
  return {};
}

Result<FileStore::Arrival> FileStore::Begin(std::uint64_t most) {
  Arrival arrival(*this, most);
  if (most <= memory_left_) {
    memory_left_ -= most;
    arrival.memory_ = std::make_unique_for_overwrite<std::byte[]>(most);
    return arrival;
  }
  if (!disk_) {
    auto made = system::AnonymousFile::Make();
    if (!made) return Failure(made);
    disk_ = *std::move(made);
  }
  arrival.place_ = disk_size_;
  disk_size_ += most;
  return arrival;
}

Result<void> FileStore::Arrival::Append(std::span<const std::byte> bytes) {
  if (bytes.size() > most_ - size()) {
    return Fail("the file is larger than " + WithThousands(most_) + " bytes");
  }
  if (memory_ != nullptr) {
    std::ranges::copy(bytes, memory_.get() + size_);
    size_ += bytes.size();
    return {};
  }
  if (gathered_.size() + bytes.size() > kWrite) {
    if (auto written = Write(); !written) return written;
  }
  if (gathered_.empty()) gathered_.reserve(std::min<std::uint64_t>(kWrite, most_ - size_));
  gathered_.insert(gathered_.end(), bytes.begin(), bytes.end());
  return {};
}

void FileStore::Arrival::Restart() {
  size_ = 0;
  gathered_.clear();
}

Result<void> FileStore::Arrival::Write() {
  auto written = store_->disk_->WriteAt(place_ + size_, gathered_, &size_);
  gathered_.clear();
  return written;
}

std::unique_ptr<FileBytes> FileStore::Arrival::Finish() && {
  const Result<void> written = memory_ ? Result<void>() : Write();
  gathered_ = {};
  const system::AnonymousFile* const disk = store_->disk_ ? &*store_->disk_ : nullptr;
  auto file = std::make_unique<StoredFile>(std::move(memory_), disk, place_, size_);
  if (!written) file->SetLoss(written.error());
  return file;
}

}  // namespace cloudflaredump::pcap
