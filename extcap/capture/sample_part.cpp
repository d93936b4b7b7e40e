// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/sample_part.h"

#include <algorithm>

#include "common/text.h"
#include "extcap/capture/job_watch.h"
#include "extcap/filter/link_type.h"
#include "extcap/pcap/pcap_parser.h"

namespace cloudflaredump::capture {

PacketCounts SamplePart::Count() const {
  PacketCounts counts;
  counts.received = packets.size();
  for (const TestedPacket& tested : packets) {
    if (tested.answer == filter::FilterAnswer::kRejects) ++counts.filtered_out;
    if (tested.answer == filter::FilterAnswer::kUndecided) ++counts.undecided;
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
  return pcap::Nanoseconds(first->packet.ticks, header.precision);
}

std::uint64_t SamplePart::last_nanoseconds() const {
  if (packets.empty()) return 0;
  const auto last = std::ranges::max_element(
      packets, {}, [](const TestedPacket& tested) { return tested.packet.ticks; });
  return pcap::Nanoseconds(last->packet.ticks, header.precision);
}

Result<SamplePart> FetchSample(const CaptureContext& context, const api::PcapJob& job,
                               const std::string& status) {
  if (IsEmptyCapture(job)) {
    return SamplePart{
        .job = job, .header = {.link_type = filter::kLinkTypeRaw}, .packets = {}, .damage = {}};
  }
  context.Tell(status);
  auto download = context.api.DownloadSample(job.id, context.WithJob());
  if (!download) return Failure(download);
  KeepOriginal(context, "pcap_" + job.id + ".pcap", download->bytes);
  return ReadSample(job, download->bytes, download->end_is_certain, context.filter);
}

Result<SamplePart> ReadSample(const api::PcapJob& job, const std::string& bytes,
                              bool end_is_certain, const filter::CaptureFilter& filter) {
  SamplePart part{
      .job = job, .header = {}, .packets = {}, .end_is_certain = end_is_certain, .damage = {}};
  pcap::PcapParser parser;
  const auto read = std::as_bytes(std::span(bytes));
  auto good = parser.Push(
      read, [&](pcap::Packet&& packet) { part.packets.push_back({.packet = std::move(packet)}); });
  if (good) good = parser.Finish();
  if (!parser.header()) {
    return Fail(Format("the download of capture %s is not a capture file: %s", job.id.c_str(),
                       good ? "it is empty" : ClauseOf(good.error()).c_str()));
  }
  if (!good) part.damage = ClauseOf(good.error());
  part.header = *parser.header();

  const auto residual = filter::Residual::Make(filter, part.header.link_type);
  if (!residual) return Failure(residual);
  for (TestedPacket& tested : part.packets) {
    tested.answer = residual->Test(tested.packet.bytes, tested.packet.original_length);
  }
  return part;
}

}  // namespace cloudflaredump::capture
