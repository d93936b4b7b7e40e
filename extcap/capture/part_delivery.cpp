// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/part_delivery.h"

#include <algorithm>
#include <utility>

#include "common/redact.h"
#include "common/text.h"
#include "extcap/capture/description.h"
#include "extcap/filter/link_type.h"

namespace cloudflaredump::capture {
namespace {

/// If so much of an exact plan was rejected without one match, the packets contradict the model.
constexpr std::size_t kMostHeld = std::size_t{16} << 20;

/// Of a packet in a pcap file, in bytes; whether Cloudflare counts it is not documented.
constexpr std::uint64_t kRecordHeader = 16;

/// How often, in packets, the event loop gets its turn.
constexpr int kPacketsPerTurn = 1000;

std::string Rfc3339(std::uint64_t nanoseconds) {
  return FormatRfc3339(WallTime(std::chrono::nanoseconds(nanoseconds)));
}

}  // namespace

PartDelivery::PartDelivery(const CaptureContext& context, const api::PcapJob& job, bool exact_plan,
                           Outcome& outcome)
    : context_(context),
      job_(job),
      outcome_(outcome),
      local_(context.settings.IsOn(config::Opt::kLocalFilter)),
      may_mismatch_(local_ && exact_plan &&
                    context.filter.kind() != filter::CaptureFilter::Kind::kAll) {}

std::string PartDelivery::PartName(std::size_t part) const {
  return Format("part %zu (%s)", part + 1, CleanLine(parts_[part].object, 100).c_str());
}

Result<void> PartDelivery::Deliver(pcap::Merge& merge, const std::vector<std::string>& objects,
                                   bool late, const AwaitBytes& await_bytes) {
  const std::size_t first_part = parts_.size();
  for (const std::string& object : objects) {
    Part& part = parts_.emplace_back();
    part.object = object;
    part.late = late;
  }
  for (int turn = 1;; ++turn) {
    switch (merge.Next()) {
      case pcap::Merge::Step::kPacket:
        if (auto taken = Take(merge, first_part); !taken) return taken;
        break;
      case pcap::Merge::Step::kNeedsBytes:
        if (auto flushed = context_.stream.Flush(); !flushed) return flushed;
        if (auto more = await_bytes(merge.waits_for()); !more) return more;
        break;
      case pcap::Merge::Step::kEnd:
        NoteLosses(merge, first_part);
        // Parts without packets are parts all the same: their interfaces tell of them.
        for (std::size_t i = first_part; i < parts_.size(); ++i) {
          const pcap::PcapHeader* const header = merge.header(i - first_part);
          if (header != nullptr) parts_[i].header = *header;
          const pcap::PartReport& report = merge.report(i - first_part);
          parts_[i].statistics.first_nanoseconds = report.first_nanoseconds;
          parts_[i].statistics.last_nanoseconds = report.last_nanoseconds;
          outcome_.out_of_order += report.late;
        }
        return {};
    }
    if (turn % kPacketsPerTurn == 0) {
      // Signals and the toolbar get their turn, whatever the speed of the merge.
      if (context_.loop.RunUntil(context_.stop.Leaving(), context_.loop.Steady())) {
        return Stopped();
      }
    }
  }
}

Result<void> PartDelivery::Take(const pcap::Merge& merge, std::size_t first_part) {
  const pcap::MergedPacket& merged = merge.packet();
  const std::size_t number = first_part + merged.part;
  Part& part = parts_[number];
  if (!part.residual) {
    if (auto ready = PrepareTest(part, *merge.header(merged.part)); !ready) return ready;
  }
  ++outcome_.counts.received;
  ++part.statistics.received;
  bytes_ += kRecordHeader + merged.view.bytes.size();
  longest_ = std::max(longest_, kRecordHeader + merged.view.bytes.size());
  const filter::FilterAnswer answer =
      part.residual->Test(merged.view.bytes, merged.view.original_length);
  NoteLosses(merge, first_part);
  if (local_ && !mismatch_ && answer == filter::FilterAnswer::kRejects) {
    if (may_mismatch_) return Hold(number, merged.view);
    ++part.statistics.filtered_out;
    ++outcome_.counts.filtered_out;
    return {};
  }
  if (may_mismatch_ && !mismatch_) {
    // A match: what was rejected before it was rejected rightly.
    may_mismatch_ = false;
    for (const HeldPacket& held : held_) {
      ++parts_[held.part].statistics.filtered_out;
      ++outcome_.counts.filtered_out;
      if (held.damaged) AddDamage(*held.damaged);
    }
    held_.clear();
  }
  return DeliverPacket(part, merged.view, answer);
}

Result<void> PartDelivery::PrepareTest(Part& part, const pcap::PcapHeader& header) {
  part.header = header;
  auto residual = filter::Residual::Make(context_.filter, header.link_type);
  if (!residual) return Failure(residual);
  part.residual.emplace(*std::move(residual));
  return {};
}

Result<void> PartDelivery::DeliverPacket(Part& part, const pcap::PacketView& packet,
                                         filter::FilterAnswer answer) {
  PacketMark mark = std::exchange(pending_, {});
  mark.undecided = answer == filter::FilterAnswer::kUndecided;
  auto taken = context_.stream.AddPacket(InterfaceOf(part), packet, mark);
  if (!taken) return Failure(taken);
  if (!*taken) {
    pending_.damaged = mark.damaged;
    outcome_.losses.emplace_back("a packet too long for Wireshark was left out");
    return {};
  }
  ++part.statistics.delivered;
  ++outcome_.counts.delivered;
  if (mark.undecided) {
    ++part.statistics.undecided;
    ++outcome_.counts.undecided;
  }
  if (answer == filter::FilterAnswer::kRejects) ++outcome_.counts.unmatched;
  return {};
}

Result<void> PartDelivery::Hold(std::size_t part, const pcap::PacketView& packet) {
  held_.push_back({part,
                   {.ticks = packet.ticks,
                    .original_length = packet.original_length,
                    .bytes = {packet.bytes.begin(), packet.bytes.end()}},
                   std::exchange(pending_.damaged, std::nullopt)});
  held_bytes_ += packet.bytes.size() + sizeof(HeldPacket);
  return held_bytes_ < kMostHeld ? Result<void>() : DeliverHeld();
}

Result<void> PartDelivery::DeliverHeld() {
  mismatch_ = true;
  context_.Warn(
      "Cloudflare's packets for an exact filter do not match it here (are they still "
      "encapsulated?); all are delivered, and --local-filter off does so every time.");
  const PacketMark after = std::exchange(pending_, {});
  for (const HeldPacket& held : std::exchange(held_, {})) {
    if (held.damaged) AddDamage(*held.damaged);
    if (auto done = DeliverPacket(parts_[held.part], held.packet, filter::FilterAnswer::kRejects);
        !done) {
      return done;
    }
  }
  if (after.damaged) AddDamage(*after.damaged);
  return {};
}

void PartDelivery::AddDamage(const std::string& text) {
  pending_.damaged = pending_.damaged ? *pending_.damaged + "; " + text : text;
}

void PartDelivery::NoteLosses(const pcap::Merge& merge, std::size_t first_part) {
  for (const pcap::PartLoss& loss : merge.losses()) {
    std::string text = PartName(first_part + loss.part) + ": " + ClauseOf(loss.error);
    if (!loss.error.remedy.empty()) text += "; " + loss.error.remedy;
    outcome_.losses.push_back(text);
    AddDamage(text);
  }
}

std::uint32_t PartDelivery::InterfaceOf(Part& part) {
  if (part.interface_id) return *part.interface_id;
  CaptureDescription description = DescribeJob(job_);
  if (!context_.filter.text().empty()) description.capture_filter = context_.filter.text();
  if (job_.destination_conf) {
    description.destination_conf = RedactAddress(*job_.destination_conf);
  }
  if (!part.object.empty()) {
    description.part = static_cast<std::uint64_t>(&part - parts_.data()) + 1;
    description.parts = parts_.size();
    description.object = part.object;
  }
  if (part.late) description.late = true;
  if (mismatch_) description.residual_mismatch = true;
  part.interface_id =
      context_.stream.AddInterface({.link_type = part.header.link_type,
                                    .precision = part.header.precision,
                                    .name = context_.interface.name,
                                    .description = WriteCaptureDescription(description),
                                    .filter = context_.filter.text()});
  return *part.interface_id;
}

std::optional<std::string> PartDelivery::LimitReached() const {
  if (job_.packet_limit && outcome_.counts.received >= *job_.packet_limit) {
    return WithThousands(*job_.packet_limit) + " packets";
  }
  // Cloudflare ends before the packet that would not fit; that one is not there to be measured.
  if (job_.byte_limit && outcome_.counts.received > 0 && bytes_ + longest_ > *job_.byte_limit) {
    return WithThousands(*job_.byte_limit) + " bytes";
  }
  return std::nullopt;
}

void PartDelivery::MarkEnd(const Coverage& coverage) {
  PacketMark end = std::exchange(pending_, {});
  if (const auto limit = LimitReached()) {
    end.limit_reached = true;
    outcome_.losses.push_back("the limit of " + *limit +
                              " was reached, so the capture ended early");
  }
  if (outcome_.counts.received > 0) {
    end.coverage_first = Rfc3339(coverage.first_nanoseconds);
    end.coverage_last = Rfc3339(coverage.last_nanoseconds);
  }
  context_.stream.MarkLast(end);
}

void PartDelivery::CompareCounts() {
  if (!job_.packets_captured) return;
  const std::uint64_t told = *job_.packets_captured;
  const std::uint64_t read = outcome_.counts.received;
  if (read < told) {
    outcome_.losses.push_back(Format("Cloudflare captured %s packets, but %s were found",
                                     WithThousands(told).c_str(), WithThousands(read).c_str()));
  }
}

Result<void> PartDelivery::Finish(const std::string& asked) {
  if (!held_.empty()) {
    if (auto done = DeliverHeld(); !done) return done;
  }
  Coverage coverage{.asked = asked};
  for (const Part& part : parts_) {
    coverage.Include(part.statistics.first_nanoseconds, part.statistics.last_nanoseconds);
  }
  CompareCounts();
  MarkEnd(coverage);
  if (parts_.empty()) parts_.emplace_back().header.link_type = filter::kLinkTypeRaw;
  for (Part& part : parts_) InterfaceOf(part);
  const bool filtered = context_.filter.kind() != filter::CaptureFilter::Kind::kAll;
  outcome_.stream_begun = true;
  outcome_.verdict = Verdict(outcome_, coverage, filtered);
  for (Part& part : parts_) {
    part.statistics.comment = outcome_.verdict;
    context_.stream.AddStatistics(*part.interface_id, part.header.precision, part.statistics);
  }
  return context_.stream.Flush();
}

}  // namespace cloudflaredump::capture
