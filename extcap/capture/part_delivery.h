// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "extcap/api/pcap_job.h"
#include "extcap/capture/capture_context.h"
#include "extcap/capture/outcome.h"
#include "extcap/capture/verdict.h"
#include "extcap/filter/capture_filter.h"
#include "extcap/pcap/merge.h"

namespace cloudflaredump::capture {

/// Turns the merged parts of a full capture into the stream: one interface for each part, every
/// packet tested with the user's filter, losses marked on packets, statistics at the end.
class PartDelivery {
 public:
  /// `job` is the finished capture; `exact_plan` says that its filter needed no residual. All
  /// references outlive this object.
  PartDelivery(const CaptureContext& context, const api::PcapJob& job, bool exact_plan,
               Outcome& outcome);

  /// Waits until more bytes of the merge's part have come; an Error ends the delivery.
  using AwaitBytes = std::function<Result<void>(std::size_t part)>;

  /// Delivers all of `merge`, whose parts are the files `objects`. `late` parts were found after
  /// the others had been delivered. May be called again for late ones.
  Result<void> Deliver(pcap::Merge& merge, const std::vector<std::string>& objects, bool late,
                       const AwaitBytes& await_bytes);

  /// Ends the stream: packets held back, marks of what was learnt late, verdict, statistics.
  /// `asked` begins the verdict.
  Result<void> Finish(const std::string& asked);

 private:
  /// One part over the whole delivery.
  struct Part {
    std::string object;
    bool late = false;
    pcap::PcapHeader header = {};
    std::optional<filter::Residual> residual;
    std::optional<std::uint32_t> interface_id;
    pcap::InterfaceStatistics statistics = {};
  };
  /// A rejected packet that may yet be delivered, see Hold.
  struct HeldPacket {
    std::size_t part;
    pcap::Packet packet;
    std::optional<std::string> damaged;  ///< what was lost after it
  };

  Result<void> Take(const pcap::Merge& merge, std::size_t first_part);
  Result<void> PrepareTest(Part& part, const pcap::PcapHeader& header);
  Result<void> DeliverPacket(Part& part, const pcap::PacketView& packet,
                             filter::FilterAnswer answer);
  Result<void> Hold(std::size_t part, const pcap::PacketView& packet);
  Result<void> DeliverHeld();
  void NoteLosses(const pcap::Merge& merge, std::size_t first_part);
  /// Says on the next packet delivered that `text` was lost after it.
  void AddDamage(const std::string& text);
  /// The limit that ended the capture, in words, if one did.
  std::optional<std::string> LimitReached() const;
  std::uint32_t InterfaceOf(Part& part);
  std::string PartName(std::size_t part) const;
  void MarkEnd(const Coverage& coverage);
  void CompareCounts();

  const CaptureContext& context_;
  const api::PcapJob& job_;
  Outcome& outcome_;
  std::vector<Part> parts_;
  PacketMark pending_;  ///< losses to be said on the next packet delivered
  bool local_;          ///< test packets at all
  bool may_mismatch_;   ///< no packet of an exact plan has matched so far
  bool mismatch_ = false;
  std::vector<HeldPacket> held_;
  std::size_t held_bytes_ = 0;
  std::uint64_t bytes_ = 0;    ///< received, as records of a pcap file
  std::uint64_t longest_ = 0;  ///< of these records
};

}  // namespace cloudflaredump::capture
