// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "extcap/api/pcap_job.h"
#include "extcap/bucket/capture_files.h"
#include "extcap/capture/bucket_source.h"
#include "extcap/capture/capture_context.h"
#include "extcap/capture/file_copies.h"
#include "extcap/capture/originals.h"
#include "extcap/pcap/disk_files.h"
#include "extcap/pcap/file_store.h"

namespace cloudflaredump::capture {

/// Collects the files of a full capture: lists them until there are as many packets as Cloudflare
/// captured, or two listings agree; fetches them side by side, or opens those of a folder; and
/// sorts out what is there twice. After a stop it goes on until the stop's wait is over, and then
/// has what came till then; once `give_up` says so, only what is on its way still comes.
class FileCollection {
 public:
  /// More files, or more bytes, are refused by name.
  static constexpr std::size_t kMostFiles = 16'000;
  static constexpr std::uint64_t kMostBytes = std::uint64_t{8} << 30;

  /// All outlive this object, which outlives the files' bytes.
  FileCollection(const CaptureContext& context, const FilesPlace& place, const api::PcapJob& job,
                 std::function<bool()> give_up)
      : context_(context),
        place_(place),
        job_(job),
        give_up_(std::move(give_up)),
        originals_(context) {}

  /// Runs the collection. Errors: what listing says, and kInterrupted on leaving, and on giving
  /// up without a file. A file that could not be had is no Error but has a loss.
  Result<void> Run();

  std::vector<CollectedFile>& files() { return files_; }
  /// What may be missing: clauses for the verdict.
  const std::vector<std::string>& losses() const { return losses_; }
  /// What was left out, and why: clauses for the verdict.
  const std::vector<std::string>& left_out() const { return left_out_; }
  /// There are files, and of none of them anything came.
  bool AllFailed() const;

 private:
  class Fetch;

  Result<void> Gather();
  /// Fetches or opens the files that are not here yet.
  Result<void> Add(const std::vector<bucket::StoredObject>& listed);
  /// More than this does not come of the capture, unpacked or not.
  std::uint64_t MostBytes() const;
  Result<void> CheckSize(const std::vector<bucket::StoredObject>& fresh) const;
  Result<void> FetchAll(const std::vector<bucket::StoredObject>& fresh);
  void TakeIn(const bucket::StoredObject& object, std::unique_ptr<pcap::FileBytes> bytes);
  /// Counts packets until all are counted or `until` has come; the sum, if all are.
  std::optional<std::uint64_t> CountPackets(system::SteadyTime until);
  /// Gives signals their turn, and says whether no more is to be waited for.
  bool WaitIsOver() const;
  /// Says what was missing when the wait ended.
  void NoteUnsettled(bool agreed);

  const CaptureContext& context_;
  const FilesPlace& place_;
  const api::PcapJob& job_;
  const std::function<bool()> give_up_;
  Originals originals_;
  pcap::FileStore store_;
  pcap::DiskFiles disk_;
  std::vector<CollectedFile> files_;
  std::vector<std::string> losses_;
  std::vector<std::string> left_out_;
};

}  // namespace cloudflaredump::capture
