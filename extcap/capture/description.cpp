// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/description.h"

namespace cloudflaredump::capture {
namespace {

/// A text of the server's; nothing if there is none.
std::optional<std::string> IfSaid(const std::optional<std::string>& text) {
  return text && !text->empty() ? text : std::nullopt;
}

}  // namespace

CaptureDescription DescribeJob(const api::PcapJob& job) {
  CaptureDescription description;
  description.pcap_id = IfSaid(job.id);
  description.type = IfSaid(job.type);
  description.system = IfSaid(job.system);
  description.status = IfSaid(job.status);
  description.submitted = IfSaid(job.submitted);
  description.time_limit = job.time_limit;
  description.packet_limit = job.packet_limit;
  description.byte_limit = job.byte_limit;
  description.offset_time = IfSaid(job.offset_time);
  description.colo = IfSaid(job.colo);
  description.stop_requested = IfSaid(job.stop_requested);
  description.packets_captured = job.packets_captured;
  description.error_message = IfSaid(job.error_message);
  description.filter_v1 = RedactFilterV1(job.filter_v1);
  return description;
}

}  // namespace cloudflaredump::capture
