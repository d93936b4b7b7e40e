// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/sample_part.h"

#include <algorithm>

#include "extcap/base/text.h"
#include "extcap/capture/job_watch.h"
#include "extcap/filter/link_type.h"
#include "extcap/pcap/pcap_parser.h"

namespace cloudflaredump {

PacketCounts SamplePart::Count() const {
  PacketCounts counts;
  counts.received = packets.size();
  for (const TestedPacket& tested : packets) {
    if (tested.answer == FilterAnswer::kRejects) ++counts.filtered_out;
    if (tested.answer == FilterAnswer::kUndecided) ++counts.undecided;
  }
  return counts;
}

bool SamplePart::LimitReached() const {
  return job.packet_limit && packets.size() >= *job.packet_limit;
}

std::uint64_t SamplePart::first_nanoseconds() const {
  if (packets.empty()) return 0;
  const auto first = std::ranges::min_element(
      packets, {}, [](const TestedPacket& tested) { return tested.packet.ticks; });
  return Nanoseconds(first->packet.ticks, header.precision);
}

std::uint64_t SamplePart::last_nanoseconds() const {
  if (packets.empty()) return 0;
  const auto last = std::ranges::max_element(
      packets, {}, [](const TestedPacket& tested) { return tested.packet.ticks; });
  return Nanoseconds(last->packet.ticks, header.precision);
}

Result<SamplePart> FetchSample(const CaptureContext& context, const PcapJob& job,
                               const std::string& status) {
  if (IsEmptyCapture(job)) {
    return SamplePart{
        .job = job, .header = {.link_type = kLinkTypeRaw}, .packets = {}, .damage = {}};
  }
  context.Tell(status);
  auto download = context.api.DownloadSample(job.id, context.WithJob());
  if (!download) return std::unexpected(download.error());
  KeepOriginal(context, "pcap_" + job.id + ".pcap", download->bytes);
  return ReadSample(job, download->bytes, download->end_is_certain, context.filter);
}

Result<SamplePart> ReadSample(const PcapJob& job, const std::string& bytes, bool end_is_certain,
                              const CaptureFilter& filter) {
  SamplePart part{
      .job = job, .header = {}, .packets = {}, .end_is_certain = end_is_certain, .damage = {}};
  PcapParser parser;
  const auto read = std::as_bytes(std::span(bytes));
  auto good = parser.Push(
      read, [&](Packet&& packet) { part.packets.push_back({.packet = std::move(packet)}); });
  if (good) good = parser.Finish();
  if (!parser.header()) {
    return Fail(Format("the download of capture %s is not a capture file: %s.", job.id.c_str(),
                       good ? "it is empty" : good.error().message.c_str()));
  }
  if (!good) part.damage = good.error().message;
  part.header = *parser.header();

  const auto residual = Residual::Make(filter, part.header.link_type);
  if (!residual) return std::unexpected(residual.error());
  for (TestedPacket& tested : part.packets) {
    tested.answer = residual->Test(tested.packet.bytes, tested.packet.original_length);
  }
  return part;
}

}  // namespace cloudflaredump
