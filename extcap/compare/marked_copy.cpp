// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/compare/marked_copy.h"

#include <algorithm>

#include "common/capture_description.h"
#include "common/text.h"
#include "common/version.h"
#include "extcap/pcap/pcapng_reader.h"
#include "extcap/pcap/pcapng_writer.h"

namespace cloudflaredump::compare {
namespace {

constexpr std::size_t kFlushAt = 1 << 20;

/// Nothing for a packet that was not compared.
std::optional<PacketMark> MarkOf(const Comparison& c, std::uint64_t record) {
  const std::uint32_t packet = c.cloud.packet_of_record()[record];
  if (packet == kNone) return std::nullopt;
  const PacketResult& result = c.results[packet];
  if (result.fate != Fate::kMissing && !HasArrived(result.fate)) return std::nullopt;
  PacketMark mark{.arrived = HasArrived(result.fate)};
  if (result.copies > 0 && *mark.arrived) {
    mark.local_frame = std::uint64_t{result.frame} + 1;
    mark.local_file = c.locals[result.file].side.file.name;
    mark.copies = result.copies;
  }
  if (const auto delay = c.DelayOf(packet))
    mark.delay = static_cast<std::uint64_t>(std::max<std::int64_t>(*delay, 0));
  return mark;
}

bool IsOldMark(const std::string& comment) {
  PacketMark mark;
  return ParsePacketMark(comment, mark) == ParseVerdict::kGood && mark.arrived;
}

/// The plugin reads marks only on interfaces that we describe.
std::string DescriptionOf(const Comparison& c, const pcap::FileInterface& interface) {
  CaptureDescription description;
  if (ParseCaptureDescription(interface.description, description) == ParseVerdict::kGood) {
    return interface.description;
  }
  description = {};
  if (c.cloud.sample()) description.type = "simple";
  return WriteCaptureDescription(description);
}

}  // namespace

Result<void> WriteMarkedCopy(const Comparison& comparison, const std::string& path,
                             const WriteBytes& write) {
  auto reader = pcap::CaptureReader::Open(path, pcap::CaptureReader::Comments::kRead);
  if (!reader) return Failure(reader);
  std::string out;
  pcap::AppendSectionHeader(out, kApplication);
  std::vector<pcap::TimePrecision> precisions;
  pcap::FileRecord record;
  for (std::uint64_t number = 0; number < comparison.cloud.records; ++number) {
    const auto more = reader->Next(record);
    if (!more || !*more) {
      return Fail(CleanLine(path, 200) + " was changed while it was read");
    }
    while (precisions.size() <= record.interface) {
      const pcap::FileInterface& interface = reader->interfaces()[precisions.size()];
      precisions.push_back(interface.ticks_per_second == 1'000'000
                               ? pcap::TimePrecision::kMicroseconds
                               : pcap::TimePrecision::kNanoseconds);
      pcap::AppendInterface(out, {.link_type = interface.link_type,
                                  .precision = precisions.back(),
                                  .name = interface.name,
                                  .description = DescriptionOf(comparison, interface),
                                  .filter = interface.filter});
    }
    std::vector<std::string> comments;
    if (const auto mark = MarkOf(comparison, number)) comments.push_back(WritePacketMark(*mark));
    for (std::string& comment : record.comments) {
      if (!IsOldMark(comment)) comments.push_back(std::move(comment));
    }
    const auto time =
        static_cast<std::uint64_t>(std::max<std::int64_t>(record.time.value_or(0), 0));
    const bool micro = precisions[record.interface] == pcap::TimePrecision::kMicroseconds;
    const std::size_t size = std::min(record.bytes.size(), pcap::kLargestPacket - 4096);
    pcap::AppendPacket(out, static_cast<std::uint32_t>(record.interface),
                       {.ticks = micro ? time / 1000 : time,
                        .original_length = record.original_length,
                        .bytes = record.bytes.first(size)},
                       comments);
    if (out.size() < kFlushAt) continue;
    if (auto written = write(out); !written) return written;
    out.clear();
  }
  return write(out);
}

}  // namespace cloudflaredump::compare
