// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/sample_delivery.h"

#include <algorithm>

#include "common/text.h"
#include "extcap/capture/description.h"

namespace cloudflaredump::capture {
namespace {

std::string Rfc3339(std::uint64_t nanoseconds) {
  return FormatRfc3339(WallTime(std::chrono::nanoseconds(nanoseconds)));
}

std::uint64_t ToNanoseconds(WallTime time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

}  // namespace

Result<void> SampleDelivery::DeliverWindow(const Window& window, std::vector<SamplePart> parts) {
  PacketCounts tested;
  for (const SamplePart& part : parts) tested += part.Count();
  const bool local = context_.settings.IsOn(config::Opt::kLocalFilter);
  // An exact plan's packets must all match. If none does, they contradict our model of the fields
  // (still encapsulated, say), and hiding them would hide the only evidence.
  const bool mismatch =
      local && plan_.exact && tested.received > 0 && tested.filtered_out == tested.received;
  if (mismatch) {
    context_.Warn(
        "Cloudflare's packets for an exact filter do not match it here (are they still "
        "encapsulated?); all are delivered, and --local-filter off does so every time.");
  }
  const auto first_interface = static_cast<std::uint32_t>(delivered_.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    CountPart(parts[i], AddInterface(parts[i], i, mismatch));
  }
  const std::vector<Place> order = OrderPackets(window, parts, first_interface, mismatch || !local);
  // The last delivered packet of a damaged part carries the mark of what was lost after it.
  std::vector<const Place*> last(parts.size(), nullptr);
  for (const Place& place : order) last[place.part] = &place;
  for (const Place& place : order) {
    const SamplePart& part = parts[place.part];
    const bool marked = part.damage && last[place.part] == &place;
    const auto interface_id = static_cast<std::uint32_t>(first_interface + place.part);
    if (auto delivered = DeliverPacket(part, part.packets[place.packet], interface_id, marked);
        !delivered) {
      return delivered;
    }
  }
  context_.stream.LetLastGo();
  return context_.stream.Flush();
}

std::uint32_t SampleDelivery::AddInterface(const SamplePart& part, std::size_t request,
                                           bool mismatch) {
  CaptureDescription description = DescribeJob(part.job);
  if (!context_.filter.text().empty()) description.capture_filter = context_.filter.text();
  description.request = request + 1;
  description.requests = plan_.requests.size();
  if (!part.packets.empty()) {
    description.coverage_first = Rfc3339(part.first_nanoseconds());
    description.coverage_last = Rfc3339(part.last_nanoseconds());
  }
  description.limit_reached = part.LimitReached();
  if (mismatch) description.residual_mismatch = true;
  if (!part.end_is_certain) description.end_uncertain = true;
  return context_.stream.AddInterface({.link_type = part.header.link_type,
                                       .precision = part.header.precision,
                                       .name = context_.interface.name,
                                       .description = WriteCaptureDescription(description),
                                       .filter = context_.filter.text()});
}

void SampleDelivery::CountPart(const SamplePart& part, std::uint32_t interface_id) {
  DeliveredPart delivered{.precision = part.header.precision, .statistics = {}};
  delivered.statistics.received = part.packets.size();
  delivered.statistics.first_nanoseconds = part.first_nanoseconds();
  delivered.statistics.last_nanoseconds = part.last_nanoseconds();
  delivered_.resize(interface_id + 1);
  delivered_[interface_id] = delivered;
  outcome_.counts.received += part.packets.size();
  if (part.LimitReached()) {
    outcome_.losses.push_back(
        Format("the limit of %s packets was reached, so the window is not covered to its end",
               WithThousands(*part.job.packet_limit).c_str()));
  }
  if (part.damage) {
    outcome_.losses.push_back("the file of capture " + part.job.id +
                              " is damaged: " + *part.damage);
  }
  if (!part.end_is_certain) {
    outcome_.losses.push_back("the download of capture " + part.job.id +
                              " ended without saying that it was whole");
  }
}

std::vector<SampleDelivery::Place> SampleDelivery::OrderPackets(
    const Window& window, const std::vector<SamplePart>& parts, std::uint32_t first_interface,
    bool all) {
  std::vector<Place> order;
  filter::DuplicateFilter among_requests;
  auto next_seam = std::make_unique<filter::DuplicateFilter>();
  const std::uint64_t start = ToNanoseconds(window.start);
  const std::uint64_t end = ToNanoseconds(window.end);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (std::size_t k = 0; k < parts[i].packets.size(); ++k) {
      const TestedPacket& tested = parts[i].packets[k];
      if (!all && tested.answer == filter::FilterAnswer::kRejects) {
        ++delivered_[first_interface + i].statistics.filtered_out;
        ++outcome_.counts.filtered_out;
        continue;
      }
      const auto time = pcap::Nanoseconds(tested.packet.ticks, parts[i].header.precision);
      const std::uint32_t length = tested.packet.original_length;
      const std::span<const std::byte> bytes = tested.packet.bytes;
      // At a seam the window before counts as request 0 and this one as request 1.
      if (!among_requests.Take(i, time, length, bytes) ||
          (time == start && !seam_->Take(1, time, length, bytes))) {
        ++outcome_.counts.duplicates;
        continue;
      }
      if (time == end) next_seam->Take(0, time, length, bytes);
      order.push_back({time, i, k});
    }
  }
  seam_ = std::move(next_seam);
  std::ranges::stable_sort(order, {}, &Place::nanoseconds);
  return order;
}

Result<void> SampleDelivery::DeliverPacket(const SamplePart& part, const TestedPacket& tested,
                                           std::uint32_t interface_id, bool last_of_damaged) {
  PacketMark mark;
  mark.undecided = tested.answer == filter::FilterAnswer::kUndecided;
  if (last_of_damaged) mark.damaged = part.damage;
  auto taken = context_.stream.AddPacket(interface_id, tested.packet, mark);
  if (!taken) return Failure(taken);
  if (!*taken) {
    outcome_.losses.emplace_back("a packet too long for Wireshark was left out");
    return {};
  }
  pcap::InterfaceStatistics& statistics = delivered_[interface_id].statistics;
  ++statistics.delivered;
  ++outcome_.counts.delivered;
  if (mark.undecided) {
    ++statistics.undecided;
    ++outcome_.counts.undecided;
  }
  if (tested.answer == filter::FilterAnswer::kRejects) ++outcome_.counts.unmatched;
  return {};
}

Coverage SampleDelivery::CoverageOf(const std::string& asked) const {
  Coverage coverage{.asked = asked};
  for (const DeliveredPart& part : delivered_) {
    coverage.Include(part.statistics.first_nanoseconds, part.statistics.last_nanoseconds);
  }
  return coverage;
}

Result<void> SampleDelivery::Finish(const std::string& asked) {
  outcome_.stream_begun = true;
  const bool filtered = context_.filter.kind() != filter::CaptureFilter::Kind::kAll;
  outcome_.verdict = Verdict(outcome_, CoverageOf(asked), filtered);
  for (std::size_t i = 0; i < delivered_.size(); ++i) {
    pcap::InterfaceStatistics statistics = delivered_[i].statistics;
    statistics.comment = outcome_.verdict;
    context_.stream.AddStatistics(static_cast<std::uint32_t>(i), delivered_[i].precision,
                                  statistics);
  }
  return context_.stream.Flush();
}

}  // namespace cloudflaredump::capture
