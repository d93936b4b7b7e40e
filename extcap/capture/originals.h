// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>

#include "extcap/capture/capture_context.h"

namespace cloudflaredump::capture {

/// Saves the files of a bucket as they arrive in the folder of --keep-originals; does nothing if
/// that is not set. A file gets its name when it is whole; until then it ends in ".part". Trouble
/// is said once, as a warning: it must not cost the capture.
class Originals {
 public:
  explicit Originals(const CaptureContext& context);
  Originals(const Originals&) = delete;
  Originals& operator=(const Originals&) = delete;
  ~Originals();

  void Append(const std::string& key, std::span<const std::byte> bytes);
  void Finish(const std::string& key, bool whole);

 private:
  int Open(const std::string& key);
  std::string PathOf(const std::string& key) const;
  void Complain(const std::string& path);

  const CaptureContext& context_;
  std::string folder_;
  std::map<std::string, int> open_;  ///< descriptors by key
  bool complained_ = false;
};

}  // namespace cloudflaredump::capture
