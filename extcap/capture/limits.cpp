// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/limits.h"

#include "common/text.h"

namespace cloudflaredump::capture {

LimitState JudgeLimits(const api::PcapJob& job, const Received& received) {
  const std::uint64_t packets = job.packet_limit.value_or(kMostPackets);
  if (received.packets >= packets) {
    return {.reached = CountedPackets(packets), .known = true};
  }
  // Cloudflare ends before the packet that would not fit; that one is not there to be measured.
  if (job.byte_limit && received.packets > 0 &&
      received.bytes + received.longest_record > *job.byte_limit) {
    return {.reached = WithThousands(*job.byte_limit) + " bytes", .known = true};
  }
  return {.known = job.packet_limit.has_value()};
}

}  // namespace cloudflaredump::capture
