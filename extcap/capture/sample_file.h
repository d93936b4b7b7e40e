// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <memory>
#include <string>

#include "extcap/api/pcap_job.h"
#include "extcap/capture/capture_context.h"
#include "extcap/capture/limits.h"
#include "extcap/pcap/file_bytes.h"
#include "extcap/pcap/file_reader.h"

namespace cloudflaredump::capture {

/// One downloaded sample: at most 64 MiB, held whole before anything of it is delivered.
struct SampleFile {
  api::PcapJob job;
  std::unique_ptr<pcap::FileBytes> bytes;
  pcap::FileSummary summary;
  bool end_is_certain = true;

  /// Whether Cloudflare ended the sample at a limit.
  LimitState limit() const;
};

/// Downloads the sample of a job that is over, keeps the original if that is asked for, and counts
/// its packets; meanwhile it tells `status`. A job that caught nothing has no file: its sample is
/// empty. An Error also if what came is not a capture file.
Result<SampleFile> FetchSample(const CaptureContext& context, const api::PcapJob& job,
                               const std::string& status);

}  // namespace cloudflaredump::capture
