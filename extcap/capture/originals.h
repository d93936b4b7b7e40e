// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>

#include "extcap/capture/capture_context.h"
#include "extcap/pcap/file_bytes.h"

namespace cloudflaredump::capture {

/// Saves the files of a capture as Cloudflare wrote them in the folder of --keep-originals; does
/// nothing if that is not set. A file that is there is never replaced or added to. Trouble is said
/// once, as a warning: it must not cost the capture.
class Originals {
 public:
  explicit Originals(const CaptureContext& context);
  Originals(const Originals&) = delete;
  Originals& operator=(const Originals&) = delete;

  /// Saves the file `key` of a capture. One that is not whole gets ".incomplete" behind its name.
  void Keep(const std::string& key, pcap::FileBytes& file);

 private:
  void Complain(const std::string& path, int error);

  const CaptureContext& context_;
  std::string folder_;  ///< empty: nothing is kept
  bool complained_ = false;
};

}  // namespace cloudflaredump::capture
