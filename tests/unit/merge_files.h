// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "extcap/pcap/merge.h"
#include "tests/unit/pcap_bytes.h"
#include "tests/unit/unit_test.h"

namespace cloudflaredump {

/// A file that is read through a window, as one on a disk is, and whose bytes a test can lose.
class WindowFile final : public pcap::FileBytes {
 public:
  explicit WindowFile(Bytes bytes) : bytes_(std::move(bytes)) {}

  std::uint64_t size() const override { return bytes_.size(); }
  Result<void> Read(std::uint64_t offset, std::span<std::byte> to) override {
    assert_true(offset <= size() && to.size() <= size() - offset);
    if (offset + to.size() > lost_from) return Fail("Input/output error");
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), to.size(), to.begin());
    return {};
  }

  std::uint64_t lost_from = ~std::uint64_t{0};  ///< Bytes from here on cannot be read.

 private:
  const Bytes bytes_;
};

using FileList = std::vector<std::unique_ptr<pcap::FileBytes>>;

/// A packet as a test expects it, or as the merge gave it.
struct Expected {
  std::uint64_t nanoseconds = 0;
  std::size_t file = 0;
  std::uint32_t original = 0;
  std::string data;

  bool operator==(const Expected&) const = default;
};

inline Expected Copy(const pcap::MergedPacket& packet) {
  return {.nanoseconds = packet.nanoseconds,
          .file = packet.file,
          .original = packet.view.original_length,
          .data = ToText(packet.view.bytes)};
}

inline FileList InMemory(const std::vector<Bytes>& files) {
  FileList list;
  for (const Bytes& file : files) list.push_back(std::make_unique<pcap::MemoryFile>(ToText(file)));
  return list;
}

inline FileList ThroughWindows(const std::vector<Bytes>& files) {
  FileList list;
  for (const Bytes& file : files) list.push_back(std::make_unique<WindowFile>(file));
  return list;
}

/// All that a merge gives.
inline std::vector<Expected> Drain(pcap::Merge& merge) {
  std::vector<Expected> given;
  while (merge.Next()) given.push_back(Copy(merge.packet()));
  assert_false(merge.Next());
  return given;
}

inline std::vector<Expected> MergeAll(FileList files, std::size_t memory = pcap::Merge::kMemory) {
  pcap::Merge merge(std::move(files), memory);
  return Drain(merge);
}

/// The data of each packet in the order given, with blanks between.
inline std::string Order(const std::vector<Expected>& packets) {
  std::string order;
  for (const Expected& packet : packets) order += (order.empty() ? "" : " ") + packet.data;
  return order;
}

inline void AssertSame(const std::vector<Expected>& got, const std::vector<Expected>& want) {
  assert_int_equal(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (!(got[i] == want[i])) {
      fail_msg("packet %zu: %llu ns of file %zu (%zu bytes), expected %llu ns of file %zu", i,
               static_cast<unsigned long long>(got[i].nanoseconds), got[i].file, got[i].data.size(),
               static_cast<unsigned long long>(want[i].nanoseconds), want[i].file);
    }
  }
}

/// Makes files of random packets, and what a merge of them must give.
class RandomFiles {
 public:
  struct Shape {
    std::size_t files = 5;
    std::size_t packets = 60;  ///< In one file, at most.
    std::size_t longest = 300;
    std::size_t disorder = 0;  ///< Places by which a packet may be too far back in its file.
    bool damage = false;       ///< Damages about half of the files.
  };

  RandomFiles(std::mt19937& random, const Shape& shape) : random_(random), shape_(shape) {
    for (std::size_t file = 0; file < shape.files; ++file) MakeFile(file);
    std::stable_sort(expected.begin(), expected.end(), [](const Expected& a, const Expected& b) {
      return std::pair(a.nanoseconds, a.file) < std::pair(b.nanoseconds, b.file);
    });
  }

  std::vector<Bytes> files;
  std::vector<Expected> expected;
  std::vector<bool> damaged;

 private:
  struct Record {
    std::uint64_t nanoseconds;
    std::uint32_t original;
    std::string data;
  };

  std::size_t Below(std::size_t limit) { return random_() % limit; }

  /// Records in the order of the file: of time, but for pieces of `disorder` packets, shuffled.
  std::vector<Record> MakeRecords(std::uint64_t tick) {
    std::vector<Record> records(Below(shape_.packets + 1));
    std::uint64_t now = 1'790'000'000'000'000'000;
    for (Record& record : records) {
      now += Below(4) * tick;
      record = {.nanoseconds = now,
                .original = static_cast<std::uint32_t>(shape_.longest + 1 + Below(1000)),
                .data = std::string(Below(shape_.longest + 1), static_cast<char>(random_()))};
    }
    for (std::size_t at = 0; shape_.disorder > 1 && at < records.size(); at += shape_.disorder) {
      const std::size_t end = std::min(at + shape_.disorder, records.size());
      std::shuffle(records.begin() + static_cast<std::ptrdiff_t>(at),
                   records.begin() + static_cast<std::ptrdiff_t>(end), random_);
    }
    return records;
  }

  void MakeFile(std::size_t number) {
    const bool nanoseconds = random_() % 2 == 0;
    const std::uint64_t tick = nanoseconds ? 1 : 1000;
    PcapBytes file({.magic = nanoseconds ? 0xa1b23c4dU : 0xa1b2c3d4U,
                    .big_endian = random_() % 2 == 0,
                    .link_type = nanoseconds ? 101U : 1U});
    const std::vector<Record> records = MakeRecords(tick);
    std::vector<std::size_t> ends;
    for (const Record& record : records) {
      file.Record(static_cast<std::uint32_t>(record.nanoseconds / 1'000'000'000),
                  static_cast<std::uint32_t>(record.nanoseconds % 1'000'000'000 / tick),
                  record.data, record.original);
      ends.push_back(file.bytes().size());
    }
    Bytes bytes = file.bytes();
    std::size_t good = bytes.size();
    damaged.push_back(shape_.damage && random_() % 2 == 0);
    if (damaged.back()) good = Damage(bytes, ends);
    for (std::size_t i = 0; i < records.size() && ends[i] <= good; ++i) {
      expected.push_back({records[i].nanoseconds, number, records[i].original, records[i].data});
    }
    files.push_back(std::move(bytes));
  }

  /// Cuts the file inside of a header or record, or puts rubbish in the place of a record header;
  /// returns where the damage begins.
  std::size_t Damage(Bytes& bytes, const std::vector<std::size_t>& ends) {
    if (random_() % 2 == 0) {
      std::size_t cut = Below(bytes.size());
      while (cut == pcap::kFileHeaderSize ||
             std::find(ends.begin(), ends.end(), cut) != ends.end()) {
        --cut;
      }
      bytes.resize(cut);
      return cut;
    }
    const std::size_t last = Below(ends.size() + 1);
    const std::size_t at = last == 0 ? pcap::kFileHeaderSize : ends[last - 1];
    bytes.resize(at);
    const bool zeros = random_() % 2 == 0;
    bytes.resize(at + 16 + Below(500), zeros ? std::byte{0} : std::byte{0xee});
    return at;
  }

  std::mt19937& random_;
  Shape shape_;
};

}  // namespace cloudflaredump
