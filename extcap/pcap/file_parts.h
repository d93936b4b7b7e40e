// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <list>
#include <memory>
#include <string>

#include "extcap/pcap/part_source.h"

namespace cloudflaredump::pcap {

class FilePart;

/// Parts that are files, any number of them, of which only a few are open at a time: a file that
/// was not read for longest is closed, and opened again when its turn comes. Must outlive its
/// parts.
class FileParts {
 public:
  explicit FileParts(std::size_t most_open = 64);
  ~FileParts();

  /// The file at `path`, opened when it is first read. What is wrong with it (it is missing, a
  /// folder, was changed while it was read) is the part's Failure or the Error of a Read.
  std::unique_ptr<PartSource> Add(std::string path);

 private:
  friend class FilePart;
  void MakeRoom();

  std::size_t most_open_;
  std::list<FilePart*> open_;  ///< The one read last is in front.
};

}  // namespace cloudflaredump::pcap
