// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "extcap/bucket/listing.h"
#include "extcap/pcap/file_bytes.h"

namespace cloudflaredump::capture {

/// A file of a full capture that is here, as whole as it comes.
struct CollectedFile {
  bucket::StoredObject object;
  std::unique_ptr<pcap::FileBytes> bytes;
  std::optional<std::uint64_t> packets = {};  ///< once they were counted
};

/// Takes out of `files` those whose records are there already: copies of another one (but for files
/// that are a header only: idle machines write the same), and one that holds the records of all
/// others together, as mergecap writes it beside its inputs. Returns a clause for each, with its
/// key. Once `stop` says so, no more of them are looked for.
std::vector<std::string> LeaveOutCopies(std::vector<CollectedFile>& files,
                                        const std::function<bool()>& stop);

}  // namespace cloudflaredump::capture
