// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/api/pcap_job.h"
#include "extcap/capture/capture_context.h"
#include "extcap/capture/outcome.h"
#include "extcap/filter/capture_filter.h"
#include "extcap/pcap/packet.h"

namespace cloudflaredump::capture {

/// One packet of a sample with the filter's word on it.
struct TestedPacket {
  pcap::Packet packet;
  filter::FilterAnswer answer = filter::FilterAnswer::kMatches;
};

/// One downloaded sample: at most 10,000 packets, so it is held whole before anything of it is
/// delivered.
struct SamplePart {
  api::PcapJob job;
  pcap::PcapHeader header;
  std::vector<TestedPacket> packets;  ///< in the file's order; rejected ones included
  bool end_is_certain = true;
  std::optional<std::string> damage;  ///< what was lost, if the file is damaged

  PacketCounts Count() const;
  bool LimitReached() const;
  /// Of all packets received, nanoseconds since 1970; both 0 if there are none.
  std::uint64_t first_nanoseconds() const;
  std::uint64_t last_nanoseconds() const;
};

/// Downloads the sample of a job that is over, keeps the original if that is asked for, reads it
/// and tests every packet; while it does it tells `status`. A job that caught nothing has no file:
/// its part is empty.
Result<SamplePart> FetchSample(const CaptureContext& context, const api::PcapJob& job,
                               const std::string& status);

/// Reads a downloaded sample and tests every packet. Errors: not a pcap file at all, a filter about
/// link-layer headers that the file's link type cannot answer. A damaged file gives its good
/// packets and `damage`.
Result<SamplePart> ReadSample(const api::PcapJob& job, const std::string& bytes,
                              bool end_is_certain, const filter::CaptureFilter& filter);

}  // namespace cloudflaredump::capture
