// SPDX-License-Identifier: GPL-2.0-or-later
// Any bytes as the parts of a capture: the parser, whole and in chunks, and the merge, of files
// that are all there and of transfers that arrive in pieces, must agree packet by packet, and what
// the writer makes of the packets must stay within its limits.
//
// The input: how many parts there are, the sizes of pieces, then each part as two bytes of length
// and its bytes; the last part is what is left.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <tuple>
#include <vector>

#include "extcap/pcap/merge.h"
#include "extcap/pcap/pcap_parser.h"
#include "extcap/pcap/pcapng_writer.h"
#include "extcap/pcap/spool.h"

namespace cloudflaredump {
namespace {

using Bytes = std::span<const std::byte>;

struct Seen {
  std::uint64_t nanoseconds;
  std::size_t part;
  std::uint32_t original;
  std::vector<std::byte> bytes;

  auto operator<=>(const Seen&) const = default;
};

struct Part {
  std::vector<Seen> packets;
  std::string loss;
};

void Check(bool holds) {
  if (!holds) std::abort();
}

Part Parse(Bytes file, std::size_t number, std::size_t chunk) {
  pcap::PcapParser parser;
  Part part;
  std::vector<pcap::Packet> packets;
  const auto take = [&](pcap::Packet&& packet) { packets.push_back(std::move(packet)); };
  Result<void> result;
  while (result && !file.empty()) {
    const Bytes piece = file.first(std::min(chunk, file.size()));
    result = parser.Push(piece, take);
    file = file.subspan(piece.size());
  }
  if (result) result = parser.Finish();
  if (!result) part.loss = ClauseOf(result.error());
  for (const pcap::Packet& packet : packets) {
    part.packets.push_back(
        {.nanoseconds = pcap::Nanoseconds(packet.ticks, parser.header()->precision),
         .part = number,
         .original = packet.original_length,
         .bytes = packet.bytes});
  }
  return part;
}

std::vector<Bytes> SplitParts(Bytes input, std::size_t count) {
  std::vector<Bytes> parts;
  while (parts.size() + 1 < count && input.size() >= 2) {
    const std::size_t size = std::min<std::size_t>(
        std::to_integer<std::size_t>(input[0]) * 256 + std::to_integer<std::size_t>(input[1]),
        input.size() - 2);
    parts.push_back(input.subspan(2, size));
    input = input.subspan(2 + size);
  }
  parts.push_back(input);
  return parts;
}

/// The merge of `files` through a spool, in pieces of `chunk` bytes.
std::vector<Seen> MergeAll(const std::vector<Bytes>& files, std::size_t chunk,
                           const std::vector<Part>& want) {
  pcap::Spool spool;
  std::vector<std::unique_ptr<pcap::PartSource>> sources;
  sources.reserve(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) sources.push_back(spool.Source(spool.AddPart()));
  pcap::Merge merge(std::move(sources), 1);
  std::vector<std::size_t> sent(files.size());
  std::vector<Seen> seen;
  std::uint64_t latest = 0;
  pcap::Merge::Step step;
  while ((step = merge.Next()) != pcap::Merge::Step::kEnd) {
    if (step == pcap::Merge::Step::kPacket) {
      const pcap::MergedPacket& packet = merge.packet();
      Check(packet.late == (packet.nanoseconds < latest));
      latest = std::max(latest, packet.nanoseconds);
      seen.push_back({.nanoseconds = packet.nanoseconds,
                      .part = packet.part,
                      .original = packet.view.original_length,
                      .bytes = {packet.view.bytes.begin(), packet.view.bytes.end()}});
      std::string block;
      Check(pcap::AppendPacket(block, 0, packet.view, {"comment"}) ==
            (packet.view.bytes.size() <= pcap::kLargestPacket));
      Check(block.size() <= pcap::kLargestBlock && block.size() % 4 == 0);
      continue;
    }
    const std::size_t part = merge.waits_for();
    Check(sent[part] <= files[part].size());
    const Bytes rest = files[part].subspan(sent[part]);
    const Bytes piece = rest.first(std::min(chunk, rest.size()));
    Check(spool.Append(part, piece).has_value());
    sent[part] += piece.size();
    if (sent[part] == files[part].size()) spool.Finish(part);
  }
  for (std::size_t part = 0; part < files.size(); ++part) {
    const auto& loss = merge.report(part).loss;
    Check((loss ? loss->what : "") == want[part].loss);
    Check(merge.report(part).packets == want[part].packets.size());
  }
  return seen;
}

void Test(Bytes input) {
  if (input.size() < 2) return;
  const std::size_t count = 1 + std::to_integer<std::size_t>(input[0]) % 5;
  const std::size_t chunk = 1 + std::to_integer<std::size_t>(input[1]);
  const std::vector<Bytes> files = SplitParts(input.subspan(2), count);
  std::vector<Part> parts;
  std::vector<Seen> all;
  for (std::size_t i = 0; i < files.size(); ++i) {
    parts.push_back(Parse(files[i], i, files[i].size() + 1));
    const Part chunked = Parse(files[i], i, chunk);
    Check(chunked.packets == parts[i].packets && chunked.loss == parts[i].loss);
    all.insert(all.end(), parts[i].packets.begin(), parts[i].packets.end());
  }
  std::vector<Seen> merged = MergeAll(files, chunk, parts);
  std::sort(merged.begin(), merged.end());
  std::sort(all.begin(), all.end());
  Check(merged == all);
}

}  // namespace
}  // namespace cloudflaredump

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  cloudflaredump::Test(std::as_bytes(std::span(data, size)));
  return 0;
}
