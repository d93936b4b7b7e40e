// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "extcap/bucket/bucket.h"

namespace cloudflaredump::bucket {

/// A folder with capture files: a mounted bucket, a synced copy, or what the emulator wrote.
/// Looks into folders below it too, and follows no symbolic link.
class FolderBucket final : public Bucket {
 public:
  FolderBucket(std::string folder, system::EventLoop& loop);
  ~FolderBucket() override;

  const std::string& directory() const override { return directory_; }
  Result<std::vector<StoredObject>> List(const std::string& prefix,
                                         const std::function<bool()>& stop) override;
  Result<void> Probe(const std::function<bool()>& stop) override;
  Read StartRead(const StoredObject& object, std::uint64_t offset,
                 ObjectReceiver& receiver) override;
  void Cancel(Read read) override;

 private:
  struct FileRead;

  void Schedule(FileRead& read);
  /// Delivers the next bytes, or the end.
  void Step(Read id);
  Result<void> Open(FileRead& read) const;

  const std::string folder_;
  const std::string directory_;  ///< Keys count from the folder on.
  system::EventLoop& loop_;
  std::map<Read, std::unique_ptr<FileRead>> reads_;
  Read last_ = 0;
};

}  // namespace cloudflaredump::bucket
