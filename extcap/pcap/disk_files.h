// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <list>
#include <memory>
#include <string>

#include "extcap/pcap/file_bytes.h"

namespace cloudflaredump::pcap {

class DiskFile;

/// Files that are read where they are, any number of them, of which only some are open at a time: a
/// file that was not read for longest is closed, and opened again when its turn comes. Must outlive
/// its files. One thread.
class DiskFiles {
 public:
  /// `most_open` descriptors at a time; 0: what the process may have, less a reserve.
  explicit DiskFiles(std::size_t most_open = 0);
  ~DiskFiles();

  /// The file at `path`, looked at now, opened when it is first read. What is wrong with it (it is
  /// missing, a folder, a link) is its loss(); that it was changed meanwhile is an Error of a Read.
  std::unique_ptr<FileBytes> Open(std::string path);

 private:
  friend class DiskFile;
  void MakeRoom();

  std::size_t most_open_;
  std::list<DiskFile*> open_;  ///< The one read last is in front.
};

}  // namespace cloudflaredump::pcap
