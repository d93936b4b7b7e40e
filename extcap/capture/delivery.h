// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/capture_description.h"
#include "extcap/capture/capture_context.h"
#include "extcap/capture/held_packets.h"
#include "extcap/capture/limits.h"
#include "extcap/capture/outcome.h"
#include "extcap/capture/verdict.h"
#include "extcap/filter/capture_filter.h"
#include "extcap/filter/duplicate_filter.h"
#include "extcap/pcap/merge.h"

namespace cloudflaredump::capture {

/// A file on its way into the stream.
struct FileToDeliver {
  std::unique_ptr<pcap::FileBytes> bytes;
  std::string name;         ///< in sentences: "file 3 (pcap_ab.pcap)"
  std::size_t request = 0;  ///< of the plan, from 0
};

/// Turns the files of a capture into the stream: one interface for each file, packets in time
/// order, every packet tested with the user's filter, none twice, losses marked on packets,
/// statistics at the end. A sample gives its windows one after the other, a full capture all files
/// at once.
///
/// If an exact plan's packets are all rejected, they contradict our model of the fields (still
/// encapsulated, say), and hiding them would hide the only evidence: they are delivered and marked.
class Delivery {
 public:
  /// Writes what the interface of a file says, but for what Delivery knows better: the capture
  /// filter and the residual mismatch.
  using Describe = std::function<CaptureDescription(std::size_t file)>;

  /// `exact_plan` says that Cloudflare's filter was as narrow as the user's, `order` how files are
  /// put in order; all references outlive this object.
  Delivery(const CaptureContext& context, bool exact_plan, pcap::FileReader::Order order,
           Outcome& outcome)
      : context_(context), exact_plan_(exact_plan), order_(order), outcome_(outcome) {}

  /// Delivers the packets of `files`. With `duplicates` those that it knows are left out. Error:
  /// what the sink says; kInterrupted once the stop says that nothing more is to be delivered.
  Result<void> Deliver(std::vector<FileToDeliver> files, const Describe& describe,
                       filter::DuplicateFilter* duplicates = nullptr);

  /// Writes what is to be said of all files so far, the sentence `comment` in each one's
  /// statistics, and forgets them: for a capture without an end.
  Result<void> EndWindow(const std::string& comment);

  /// What was received so far, over all files.
  const Received& received() const { return received_; }

  /// Ends the stream: the verdict goes into the outcome and into a statistics block for each
  /// interface, a limit that ended the capture onto its last packet. `asked` begins the verdict;
  /// `sampled` says that this was no full capture. What cannot be written is noted in the outcome.
  void Finish(const std::string& asked, const LimitState& limit, bool sampled = true);

 private:
  /// One file over the whole delivery.
  struct File {
    std::string name;
    std::size_t request = 0;
    pcap::PcapHeader header;
    std::optional<std::uint32_t> interface_id;
    pcap::InterfaceStatistics statistics;
  };
  /// The files of one call of Deliver.
  struct Batch {
    std::size_t first;  ///< place of its first file in files_
    const Describe& describe;
    filter::DuplicateFilter* duplicates;
    HeldPackets held;       ///< rejected packets, while nothing has matched
    bool may_mismatch;      ///< nothing of an exact plan has matched so far, in no batch
    bool mismatch = false;  ///< all are delivered, whatever the filter says
  };
  Result<void> Take(Batch& batch, const pcap::Merge& merge);
  Result<void> DeliverPacket(Batch& batch, std::size_t file, const pcap::PacketView& packet,
                             filter::FilterAnswer answer);
  Result<void> DeliverHeld(Batch& batch);
  void RejectHeld(Batch& batch);
  void Reject(std::size_t file);
  /// How packets of a link type are tested; an Error only on leaving.
  Result<const filter::Residual*> CompiledTest(std::uint32_t link_type);
  void NoteLosses(const Batch& batch, const pcap::Merge& merge);
  void NoteEnds(const Batch& batch, const pcap::Merge& merge);
  /// Says on the next packet delivered that `text` was lost before it.
  void AddDamage(const std::string& text);
  std::uint32_t InterfaceOf(Batch& batch, std::size_t file);
  Result<void> WriteStatistics(const std::string& comment);
  void IncludeTimes();

  const CaptureContext& context_;
  const bool exact_plan_;
  const pcap::FileReader::Order order_;
  Outcome& outcome_;
  std::vector<File> files_;
  Coverage coverage_;                                ///< of the files that are forgotten
  std::map<std::uint32_t, filter::Residual> tests_;  ///< by link type
  bool matched_ = false;                             ///< a packet of the exact plan matched
  bool told_of_mismatch_ = false;                    ///< the person was
  PacketMark pending_;  ///< losses to be said on the next packet delivered
  Received received_;
};

}  // namespace cloudflaredump::capture
