// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as the files of a capture: a reader of a file in memory, and one of a file in a store
// or on a disk with a window of any size, must give the same packets and the same damage; a merge
// must give each of them once; and what the writer makes of them must stay within its limits.
//
// The input: how many files there are, the size of windows, then each file as two bytes of length
// and its bytes; the last file is what is left.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "extcap/pcap/file_store.h"
#include "extcap/pcap/merge.h"
#include "extcap/pcap/pcapng_writer.h"

namespace cloudflaredump {
namespace {

using Bytes = std::span<const std::byte>;

struct Seen {
  std::uint64_t nanoseconds;
  std::size_t file;
  std::uint32_t original;
  std::vector<std::byte> bytes;

  auto operator<=>(const Seen&) const = default;
};

/// The packets of one file, sorted, and what is lost of it.
struct Reading {
  std::vector<Seen> packets;
  std::string loss;

  bool operator==(const Reading&) const = default;
};

void Check(bool holds) {
  if (!holds) std::abort();
}

Seen See(std::uint64_t nanoseconds, std::size_t file, const pcap::PacketView& view) {
  return {.nanoseconds = nanoseconds,
          .file = file,
          .original = view.original_length,
          .bytes = {view.bytes.begin(), view.bytes.end()}};
}

using Order = pcap::FileReader::Order;

Reading ReadAll(std::unique_ptr<pcap::FileBytes> file, std::size_t number, std::size_t window,
                Order order) {
  pcap::FileReader reader(std::move(file), window, order);
  Reading reading;
  std::vector<std::byte> shared;
  bool last = false;
  std::uint64_t latest = 0;
  for (; reader.FindNext(); reader.Drop()) {
    Check(!last);
    last = reader.last();
    const Result<pcap::PacketView> view = reader.Load(shared);
    Check(view.has_value());
    reading.packets.push_back(See(reader.nanoseconds(), number, *view));
    Check(order == Order::kNearby || reader.nanoseconds() >= latest);
    latest = reader.nanoseconds();
  }
  Check(last == !reading.packets.empty());
  if (reader.damage()) reading.loss = ClauseOf(*reader.damage());
  std::sort(reading.packets.begin(), reading.packets.end());
  return reading;
}

std::unique_ptr<pcap::FileBytes> InMemory(Bytes file) {
  return std::make_unique<pcap::MemoryFile>(
      std::string(reinterpret_cast<const char*>(file.data()), file.size()));
}

std::unique_ptr<pcap::FileBytes> Store(pcap::FileStore& store, Bytes file) {
  auto arrival = store.Begin(file.size());
  Check(arrival && arrival->Append(file));
  return std::move(*arrival).Finish();
}

std::vector<Bytes> SplitFiles(Bytes input, std::size_t count) {
  std::vector<Bytes> files;
  while (files.size() + 1 < count && input.size() >= 2) {
    const std::size_t size = std::min<std::size_t>(
        std::to_integer<std::size_t>(input[0]) * 256 + std::to_integer<std::size_t>(input[1]),
        input.size() - 2);
    files.push_back(input.subspan(2, size));
    input = input.subspan(2 + size);
  }
  files.push_back(input);
  return files;
}

void CheckBlock(const pcap::PacketView& view) {
  std::string block;
  Check(pcap::AppendPacket(block, 0, view, {"comment"}) ==
        (view.bytes.size() <= pcap::kLargestPacket));
  Check(block.size() <= pcap::kLargestBlock && block.size() % 4 == 0);
}

/// The merge of files, of which each must be what `want` says.
std::vector<Seen> MergeAll(std::vector<std::unique_ptr<pcap::FileBytes>> files, std::size_t memory,
                           const std::vector<Reading>& want) {
  pcap::Merge merge(std::move(files), memory);
  std::vector<Seen> seen;
  std::vector<std::size_t> told(want.size());
  std::uint64_t latest = 0;
  const auto tell = [&] {
    for (const pcap::FileLoss& loss : merge.losses()) {
      Check(ClauseOf(loss.error) == want[loss.file].loss);
      ++told[loss.file];
    }
  };
  while (merge.Next()) {
    const pcap::MergedPacket& packet = merge.packet();
    Check(packet.late == (packet.nanoseconds < latest));
    latest = std::max(latest, packet.nanoseconds);
    seen.push_back(See(packet.nanoseconds, packet.file, packet.view));
    CheckBlock(packet.view);
    tell();
  }
  tell();
  for (std::size_t file = 0; file < want.size(); ++file) {
    const auto& loss = merge.report(file).loss;
    Check((loss ? ClauseOf(*loss) : "") == want[file].loss);
    Check(merge.report(file).packets == want[file].packets.size());
    Check(told[file] == (want[file].loss.empty() ? 0 : 1));
  }
  std::sort(seen.begin(), seen.end());
  return seen;
}

void Test(Bytes input) {
  if (input.size() < 2) return;
  const std::size_t count = 1 + std::to_integer<std::size_t>(input[0]) % 5;
  const std::size_t window = std::to_integer<std::size_t>(input[1]) * 64;
  const std::vector<Bytes> files = SplitFiles(input.subspan(2), count);
  pcap::FileStore store(0);
  std::vector<Reading> readings;
  std::vector<Seen> all;
  std::vector<std::unique_ptr<pcap::FileBytes>> in_memory, stored;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const Reading reading = ReadAll(InMemory(files[i]), i, 65536, Order::kNearby);
    for (const Order order : {Order::kNearby, Order::kWhole}) {
      Check(ReadAll(Store(store, files[i]), i, window, order) == reading);
    }
    Check(pcap::Summarize(*Store(store, files[i])).packets == reading.packets.size());
    all.insert(all.end(), reading.packets.begin(), reading.packets.end());
    readings.push_back(reading);
    in_memory.push_back(InMemory(files[i]));
    stored.push_back(Store(store, files[i]));
  }
  std::sort(all.begin(), all.end());
  Check(MergeAll(std::move(in_memory), pcap::Merge::kMemory, readings) == all);
  Check(MergeAll(std::move(stored), window, readings) == all);
}

}  // namespace
}  // namespace cloudflaredump

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cloudflaredump::Test(std::as_bytes(std::span(data, size)));
  return 0;
}
