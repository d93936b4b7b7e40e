// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/delivery.h"

#include <algorithm>
#include <utility>

#include "common/text.h"
#include "extcap/capture/verdict.h"
#include "extcap/filter/link_type.h"

namespace cloudflaredump::capture {
namespace {

/// How often, in packets, the event loop gets its turn.
constexpr int kPacketsPerTurn = 1000;

}  // namespace

Result<void> Delivery::Deliver(std::vector<FileToDeliver> files, const Describe& describe,
                               filter::DuplicateFilter* duplicates) {
  Batch batch{.first = files_.size(),
              .describe = describe,
              .duplicates = duplicates,
              .held = {},
              .may_mismatch = exact_plan_ && !matched_ &&
                              context_.settings.IsOn(config::Opt::kLocalFilter) &&
                              context_.filter.kind() != filter::CaptureFilter::Kind::kAll};
  std::vector<std::unique_ptr<pcap::FileBytes>> bytes;
  for (FileToDeliver& file : files) {
    File& known = files_.emplace_back();
    known.name = std::move(file.name);
    known.request = file.request;
    known.header.link_type = filter::kLinkTypeRaw;
    bytes.push_back(std::move(file.bytes));
  }
  pcap::Merge merge(std::move(bytes), pcap::Merge::kMemory, order_);
  for (int turn = 1; merge.Next(); ++turn) {
    if (auto taken = Take(batch, merge); !taken) return taken;
    // Signals and the toolbar get their turn, whatever the speed of the merge.
    if (turn % kPacketsPerTurn == 0 &&
        context_.loop.RunUntil(context_.stop.Leaving(), context_.loop.Steady())) {
      return Stopped();
    }
  }
  NoteLosses(batch, merge);
  NoteEnds(batch, merge);
  if (!batch.held.empty()) {
    if (auto delivered = DeliverHeld(batch); !delivered) return delivered;
  }
  // What no packet after it could carry goes onto the last one.
  if (pending_.damaged && context_.stream.MarkLast(pending_)) pending_ = {};
  // Files without packets are files all the same: their interfaces tell of them.
  for (std::size_t file = batch.first; file < files_.size(); ++file) {
    InterfaceOf(batch, file);
    if (auto flushed = context_.stream.FlushIfLarge(); !flushed) return flushed;
  }
  return {};
}

Result<void> Delivery::Take(Batch& batch, const pcap::Merge& merge) {
  const pcap::MergedPacket& merged = merge.packet();
  const std::size_t number = batch.first + merged.file;
  File& file = files_[number];
  if (++file.statistics.received == 1) file.header = *merge.header(merged.file);
  ++outcome_.counts.received;
  const std::uint64_t record = pcap::kRecordHeaderSize + merged.view.bytes.size();
  ++received_.packets;
  received_.bytes += record;
  received_.longest_record = std::max(received_.longest_record, record);

  const auto test = CompiledTest(file.header.link_type);
  if (!test) return Failure(test);
  const std::optional<Error>& untested = (*test)->untested();
  if (untested && file.statistics.received == 1) {
    outcome_.losses.push_back(file.name + ": " + ClauseOf(*untested) +
                              ", so its packets were not tested; all are delivered");
  }
  const filter::FilterAnswer answer = (*test)->Test(merged.view.bytes, merged.view.original_length);
  NoteLosses(batch, merge);
  const bool rejected = answer == filter::FilterAnswer::kRejects && !batch.mismatch &&
                        context_.settings.IsOn(config::Opt::kLocalFilter);
  if (rejected && batch.may_mismatch) {
    batch.held.Add(number, merged.view, std::exchange(pending_.damaged, std::nullopt));
    return batch.held.full() ? DeliverHeld(batch) : Result<void>();
  }
  if (rejected) {
    Reject(number);
    return {};
  }
  // A match: what was rejected before it was rejected rightly.
  if (batch.may_mismatch && !batch.mismatch) RejectHeld(batch);
  return DeliverPacket(batch, number, merged.view, answer);
}

Result<const filter::Residual*> Delivery::CompiledTest(std::uint32_t link_type) {
  auto known = tests_.find(link_type);
  if (known == tests_.end()) {
    auto made = filter::Residual::Make(context_.filter, link_type, context_.stop.Leaving());
    if (!made) return Failure(made);
    known = tests_.emplace(link_type, *std::move(made)).first;
  }
  return &known->second;
}

Result<void> Delivery::DeliverPacket(Batch& batch, std::size_t number,
                                     const pcap::PacketView& packet, filter::FilterAnswer answer) {
  File& file = files_[number];
  const bool untested = tests_.at(file.header.link_type).untested().has_value();
  if (batch.duplicates != nullptr &&
      !batch.duplicates->Take(file.request, Nanoseconds(packet.ticks, file.header.precision),
                              packet.original_length, packet.bytes)) {
    ++outcome_.counts.duplicates;
    if (answer != filter::FilterAnswer::kRejects && !untested)
      ++outcome_.counts.matching_duplicates;
    return {};
  }
  PacketMark mark = std::exchange(pending_, {});
  mark.undecided = answer == filter::FilterAnswer::kUndecided;
  auto taken = context_.stream.AddPacket(InterfaceOf(batch, number), packet, mark);
  if (!taken) return Failure(taken);
  if (!*taken) {
    pending_.damaged = mark.damaged;
    outcome_.losses.emplace_back("a packet too long for Wireshark was left out");
    return {};
  }
  ++file.statistics.delivered;
  ++outcome_.counts.delivered;
  if (mark.undecided) {
    ++file.statistics.undecided;
    ++outcome_.counts.undecided;
    if (untested) ++outcome_.counts.untested;
  }
  if (answer == filter::FilterAnswer::kRejects) ++outcome_.counts.unmatched;
  return {};
}

void Delivery::Reject(std::size_t file) {
  ++files_[file].statistics.filtered_out;
  ++outcome_.counts.filtered_out;
}

void Delivery::RejectHeld(Batch& batch) {
  batch.may_mismatch = false;
  matched_ = true;
  const PacketMark after = std::exchange(pending_, {});
  for (const HeldPackets::Held& held : batch.held.Take()) {
    Reject(held.file);
    if (held.damage) AddDamage(*held.damage);
  }
  if (after.damaged) AddDamage(*after.damaged);
}

Result<void> Delivery::DeliverHeld(Batch& batch) {
  batch.mismatch = true;
  if (!std::exchange(told_of_mismatch_, true))
    context_.Warn(
        "Cloudflare's packets for an exact filter do not match it here (are they still "
        "encapsulated?); all are delivered, as they always are with the option local-filter off.");
  const PacketMark after = std::exchange(pending_, {});
  for (const HeldPackets::Held& held : batch.held.Take()) {
    if (held.damage) AddDamage(*held.damage);
    auto done = DeliverPacket(batch, held.file, held.packet, filter::FilterAnswer::kRejects);
    if (!done) return done;
  }
  if (after.damaged) AddDamage(*after.damaged);
  return {};
}

void Delivery::AddDamage(const std::string& text) {
  pending_.damaged = pending_.damaged ? *pending_.damaged + "; " + text : text;
}

void Delivery::NoteLosses(const Batch& batch, const pcap::Merge& merge) {
  for (const pcap::FileLoss& loss : merge.losses()) {
    std::string text = files_[batch.first + loss.file].name + ": " + ClauseOf(loss.error);
    if (!loss.error.remedy.empty()) text += "; " + loss.error.remedy;
    outcome_.losses.push_back(text);
    AddDamage(text);
  }
}

void Delivery::NoteEnds(const Batch& batch, const pcap::Merge& merge) {
  for (std::size_t i = 0; i < merge.files(); ++i) {
    File& file = files_[batch.first + i];
    if (const pcap::PcapHeader* const header = merge.header(i)) file.header = *header;
    const pcap::FileReport& report = merge.report(i);
    file.statistics.first_nanoseconds = report.first_nanoseconds;
    file.statistics.last_nanoseconds = report.last_nanoseconds;
    outcome_.out_of_order += report.late;
  }
}

std::uint32_t Delivery::InterfaceOf(Batch& batch, std::size_t number) {
  File& file = files_[number];
  if (file.interface_id) return *file.interface_id;
  CaptureDescription description = batch.describe(number - batch.first);
  if (!context_.filter.text().empty()) description.capture_filter = context_.filter.text();
  if (batch.mismatch) description.residual_mismatch = true;
  file.interface_id =
      context_.stream.AddInterface({.link_type = file.header.link_type,
                                    .precision = file.header.precision,
                                    .name = context_.interface.name,
                                    .description = WriteCaptureDescription(description),
                                    .filter = context_.filter.text()});
  return *file.interface_id;
}

void Delivery::IncludeTimes() {
  for (const File& file : files_) {
    coverage_.Include(file.statistics.first_nanoseconds, file.statistics.last_nanoseconds);
  }
}

Result<void> Delivery::WriteStatistics(const std::string& comment) {
  for (File& file : files_) {
    if (!file.interface_id) continue;  // the stream ended before this file began
    file.statistics.comment = comment;
    context_.stream.AddStatistics(*file.interface_id, file.header.precision, file.statistics);
    if (auto written = context_.stream.FlushIfLarge(); !written) return written;
  }
  return {};
}

Result<void> Delivery::EndWindow(const std::string& comment) {
  IncludeTimes();
  auto written = WriteStatistics(comment);
  files_.clear();
  return written;
}

void Delivery::Finish(const std::string& asked, const LimitState& limit, bool sampled) {
  coverage_.asked = asked;
  coverage_.sampled = sampled;
  IncludeTimes();
  PacketMark end = std::exchange(pending_, {});
  end.limit_reached = limit.reached.has_value();
  if (outcome_.counts.received > 0) {
    end.coverage_first = FormatRfc3339(WallTime(Duration(coverage_.first_nanoseconds)));
    end.coverage_last = FormatRfc3339(WallTime(Duration(coverage_.last_nanoseconds)));
  }
  context_.stream.MarkLast(end);
  if (limit.reached) {
    outcome_.losses.push_back("the limit of " + *limit.reached +
                              " was reached, so the capture ended early");
  }
  outcome_.limits_known = outcome_.limits_known && limit.known;
  outcome_.stream_begun = true;
  const auto judge = [&] {
    outcome_.reader_gone = context_.stop.reader_gone();
    const bool filtered = context_.filter.kind() != filter::CaptureFilter::Kind::kAll;
    outcome_.verdict = Verdict(outcome_, coverage_, filtered);
    outcome_.likely_causes = LikelyCauses(outcome_, sampled);
  };
  judge();
  auto written = WriteStatistics(outcome_.verdict);
  if (written) written = context_.stream.Flush();
  // A reader that left before the very end, or a disk that was full by then, changes what is said
  // of the capture.
  if (!written) {
    outcome_.Note(written);
    judge();
  }
}

}  // namespace cloudflaredump::capture
