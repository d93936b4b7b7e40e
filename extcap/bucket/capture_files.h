// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "extcap/bucket/bucket.h"

namespace cloudflaredump::bucket {

/// The files of one capture, as a listing shows them.
struct CaptureFiles {
  std::vector<StoredObject> files;    ///< sorted by key
  std::vector<std::string> left_out;  ///< keys that carry the id and are no files of the capture

  bool operator==(const CaptureFiles&) const = default;
};

/// Which of `objects` are files of the capture `id`. Keys count from `directory` on, which is what
/// all of them begin with. A file's key carries the id and ends in .pcap or .pcap.gz; hidden and
/// temporary names are left out; files in folders below count only if there are none directly in
/// the directory.
CaptureFiles SelectCaptureFiles(const std::vector<StoredObject>& objects,
                                const std::string& directory, const std::string& id);

/// How far a search for a capture's files goes.
enum class SearchScope {
  kNamed,      ///< keys of the documented form, `pcap_<id>…`; the whole directory if there are none
  kDirectory,  ///< all keys below the directory
};

/// Lists the files of the capture `id`. The Errors are those of Bucket::List.
Result<CaptureFiles> ListCaptureFiles(Bucket& bucket, const std::string& id, SearchScope scope,
                                      const std::function<bool()>& stop);

}  // namespace cloudflaredump::bucket
