// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/file_copies.h"

#include <algorithm>
#include <array>
#include <map>
#include <string_view>
#include <utility>

#include "common/text.h"
#include "extcap/pcap/file_reader.h"
#include "extcap/pcap/pcap_format.h"

namespace cloudflaredump::capture {
namespace {

constexpr std::uint64_t kHeader = pcap::kFileHeaderSize;
constexpr std::size_t kPiece = std::size_t{64} << 10;

/// How often, in packets, a stop is asked for.
constexpr std::uint64_t kPacketsPerLook = 1000;

/// What tells most files apart at once: their size and the start of their first record.
using Beginning = std::pair<std::uint64_t, std::array<std::byte, 64>>;

std::optional<Beginning> BeginningOf(pcap::FileBytes& file) {
  Beginning beginning{file.size(), {}};
  const std::size_t size = std::min<std::uint64_t>(beginning.second.size(), file.size() - kHeader);
  if (!file.Read(kHeader, std::span(beginning.second).first(size))) return std::nullopt;
  return beginning;
}

using Stop = std::function<bool()>;

/// Whether two files of one size have the same records of the same kind; false after a stop.
bool SameRecords(pcap::FileBytes& one, pcap::FileBytes& other, const Stop& stop) {
  std::vector<std::byte> a(kPiece);
  std::vector<std::byte> b(kPiece);
  const auto same = [&](std::uint64_t from, std::uint64_t size) {
    const auto left = std::span(a).first(size);
    const auto right = std::span(b).first(size);
    return !stop() && one.Read(from, left) && other.Read(from, right) &&
           std::ranges::equal(left, right);
  };
  // Of the header, what the records' meaning hangs on: byte order and precision, link type.
  if (!same(0, pcap::kMagicSize) || !same(kHeader - 4, 4)) return false;
  for (std::uint64_t at = kHeader; at < one.size(); at += kPiece) {
    if (!same(at, std::min<std::uint64_t>(kPiece, one.size() - at))) return false;
  }
  return true;
}

/// The sum of the hashes of all records, so that their order does not count; nothing if the file is
/// damaged, or after a stop.
std::optional<std::uint64_t> DigestOf(pcap::FileBytes& file, const Stop& stop) {
  std::uint64_t digest = 0;
  std::vector<std::byte> shared;
  pcap::FileReader reader(pcap::Borrow(file), kPiece);
  for (std::uint64_t number = 1; reader.FindNext(); reader.Drop(), ++number) {
    if (number % kPacketsPerLook == 0 && stop()) return std::nullopt;
    const auto packet = reader.Load(shared);
    if (!packet) return std::nullopt;
    const std::string_view bytes(reinterpret_cast<const char*>(packet->bytes.data()),
                                 packet->bytes.size());
    // mergecap may write microseconds of files that have nanoseconds.
    const std::uint64_t time = reader.nanoseconds() / 1000;
    digest += std::hash<std::string_view>()(bytes) ^
              (time * 0x9e3779b97f4a7c15 + packet->original_length);
  }
  if (reader.damage()) return std::nullopt;
  return digest;
}

std::string Named(const CollectedFile& file) {
  return CleanLine(file.object.key, 100);
}

void LeaveOutEqual(std::vector<CollectedFile>& files, const Stop& stop,
                   std::vector<std::string>& left_out) {
  std::map<std::uint64_t, std::size_t> sizes;
  for (const CollectedFile& file : files) ++sizes[file.bytes->size()];
  std::map<Beginning, std::vector<std::size_t>> alike;
  std::vector<CollectedFile> kept;
  for (CollectedFile& file : files) {
    const bool alone = file.bytes->size() <= kHeader || sizes[file.bytes->size()] == 1;
    const auto beginning = alone ? std::nullopt : BeginningOf(*file.bytes);
    if (beginning) {
      std::vector<std::size_t>& others = alike[*beginning];
      const auto twin = std::ranges::find_if(others, [&](std::size_t other) {
        return SameRecords(*kept[other].bytes, *file.bytes, stop);
      });
      if (twin != others.end()) {
        left_out.push_back(Named(file) + ", a copy of " + Named(kept[*twin]));
        continue;
      }
      others.push_back(kept.size());
    }
    kept.push_back(std::move(file));
  }
  files = std::move(kept);
}

void LeaveOutUnion(std::vector<CollectedFile>& files, const Stop& stop,
                   std::vector<std::string>& left_out) {
  const auto records = [](const CollectedFile& file) {
    return file.bytes->size() < kHeader ? 0 : file.bytes->size() - kHeader;
  };
  std::uint64_t all = 0;
  for (const CollectedFile& file : files) all += records(file);
  const auto whole = std::ranges::find_if(files, [&](const CollectedFile& file) {
    return records(file) > 0 && 2 * records(file) == all;
  });
  if (whole == files.end()) return;
  std::uint64_t others = 0;
  for (auto file = files.begin(); file != files.end(); ++file) {
    if (file == whole) continue;
    const auto digest = DigestOf(*file->bytes, stop);
    if (!digest) return;
    others += *digest;
  }
  if (DigestOf(*whole->bytes, stop) != others) return;
  left_out.push_back(Named(*whole) + ", which holds the packets of the others together");
  files.erase(whole);
}

}  // namespace

std::vector<std::string> LeaveOutCopies(std::vector<CollectedFile>& files, const Stop& stop) {
  std::vector<std::string> left_out;
  LeaveOutEqual(files, stop, left_out);
  if (files.size() > 2) LeaveOutUnion(files, stop, left_out);
  return left_out;
}

}  // namespace cloudflaredump::capture
