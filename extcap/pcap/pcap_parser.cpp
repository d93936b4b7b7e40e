// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/pcap_parser.h"

#include <algorithm>

namespace cloudflaredump::pcap {

Result<void> PcapParser::Push(std::span<const std::byte> bytes, const Take& take) {
  if (damage_) return std::unexpected(*damage_);
  if (header_ || ReadHeader(bytes)) {
    while (ReadRecord(bytes, take)) {
    }
  }
  if (damage_) return std::unexpected(*damage_);
  return {};
}

Result<void> PcapParser::Finish() const {
  if (damage_) return std::unexpected(*damage_);
  if (!header_) return std::unexpected(CutFileHeader(pending_.size()));
  if (pending_.empty()) return {};
  std::uint64_t need = kRecordHeaderSize;
  if (pending_.size() >= need) need += ReadRecordHeader(pending_.data(), *header_).captured;
  return std::unexpected(CutRecord(good_bytes_, packets_, pending_.size(), need));
}

bool PcapParser::ReadHeader(std::span<const std::byte>& bytes) {
  const std::byte* at = Peek(bytes, kMagicSize);
  if (at == nullptr) return false;
  damage_ = RefuseMagic(std::span<const std::byte, kMagicSize>(at, kMagicSize));
  if (damage_) return false;
  at = Peek(bytes, kFileHeaderSize);
  if (at == nullptr) return false;
  const auto header =
      ReadFileHeader(std::span<const std::byte, kFileHeaderSize>(at, kFileHeaderSize));
  if (!header) {
    damage_ = header.error();
    return false;
  }
  header_ = *header;
  Drop(bytes, kFileHeaderSize);
  good_bytes_ = kFileHeaderSize;
  return true;
}

bool PcapParser::ReadRecord(std::span<const std::byte>& bytes, const Take& take) {
  const std::byte* at = Peek(bytes, kRecordHeaderSize);
  if (at == nullptr) return false;
  const RecordHeader record = ReadRecordHeader(at, *header_);
  if (IsDamaged(record)) {
    damage_ = DamagedRecord(record, good_bytes_, packets_);
    return false;
  }
  const std::size_t size = kRecordHeaderSize + record.captured;
  at = Peek(bytes, size);
  if (at == nullptr) return false;
  Packet packet{.ticks = record.ticks, .original_length = record.original};
  packet.bytes.assign(at + kRecordHeaderSize, at + size);
  Drop(bytes, size);
  good_bytes_ += size;
  ++packets_;
  take(std::move(packet));
  return true;
}

const std::byte* PcapParser::Peek(std::span<const std::byte>& bytes, std::size_t size) {
  if (pending_.empty() && bytes.size() >= size) return bytes.data();
  if (pending_.size() < size) {
    const auto piece = bytes.first(std::min(size - pending_.size(), bytes.size()));
    pending_.insert(pending_.end(), piece.begin(), piece.end());
    bytes = bytes.subspan(piece.size());
  }
  return pending_.size() >= size ? pending_.data() : nullptr;
}

void PcapParser::Drop(std::span<const std::byte>& bytes, std::size_t size) {
  if (pending_.empty()) {
    bytes = bytes.subspan(size);
  } else {
    pending_.clear();
  }
}

}  // namespace cloudflaredump::pcap
