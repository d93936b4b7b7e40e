// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/folder_bucket.h"

#include <fcntl.h>
#include <glib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "common/text.h"
#include "extcap/system/file_time.h"

namespace cloudflaredump::bucket {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPiece = std::size_t{256} << 10;
constexpr int kDeepestFolder = 8;

std::string Why(int error) {
  return CleanLine(g_strerror(error));
}

/// Tells a file from what it was: changes when it is written or replaced.
std::string FileState(const struct stat& file) {
  const timespec changed = system::ModifiedAt(file);
  return Format("%lld.%09ld-%llu", static_cast<long long>(changed.tv_sec), changed.tv_nsec,
                static_cast<unsigned long long>(file.st_ino));
}

/// Adds the regular files in `folder` and below whose key begins with `prefix`; `below` is the key
/// of `folder` itself. Folders and links are never followed out of it. `error` is set if `folder`
/// cannot be read.
void ListFolder(const fs::path& folder, const std::string& below, int depth,
                const std::string& prefix, std::vector<StoredObject>& objects,
                std::error_code& error) {
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string key = below + at->path().filename().string();
    // On a mounted bucket each question costs a round trip.
    const bool leads = (key + "/").starts_with(prefix) || prefix.starts_with(key + "/");
    if (!leads) continue;
    struct stat file;
    if (lstat(at->path().c_str(), &file) != 0) continue;
    if (S_ISDIR(file.st_mode)) {
      // Not every folder of a mount is ours to read (lost+found): the others count.
      std::error_code ignored;
      if (depth < kDeepestFolder) {
        ListFolder(at->path(), key + "/", depth + 1, prefix, objects, ignored);
      }
      continue;
    }
    const bool link = S_ISLNK(file.st_mode);
    if (!key.starts_with(prefix) || (!S_ISREG(file.st_mode) && !link)) continue;
    if (objects.size() == Bucket::kMostObjects) return;
    objects.push_back({.key = key,
                       .size = static_cast<std::uint64_t>(file.st_size),
                       .etag = FileState(file),
                       .link = link});
  }
}

}  // namespace

struct FolderBucket::FileRead {
  ~FileRead() {
    if (fd >= 0) close(fd);
  }

  Read id = 0;
  StoredObject object;
  std::uint64_t at = 0;
  ObjectReceiver* receiver = nullptr;
  int fd = -1;
  system::EventLoop::Id task = 0;
};

FolderBucket::FolderBucket(std::string folder, system::EventLoop& loop)
    : folder_(std::move(folder)), loop_(loop) {}

FolderBucket::~FolderBucket() {
  for (const auto& [id, read] : reads_) loop_.Cancel(read->task);
}

Result<std::vector<StoredObject>> FolderBucket::List(const std::string& prefix,
                                                     const std::function<bool()>& stop) {
  if (stop()) return Stopped();
  std::vector<StoredObject> objects;
  std::error_code error;
  ListFolder(folder_, "", 0, prefix, objects, error);
  if (error) {
    return Fail("the folder " + CleanLine(folder_) + " cannot be read: " + Why(error.value()),
                "check the folder that the option destination-conf or read-from names");
  }
  if (objects.size() == kMostObjects) {
    return Fail("the folder " + CleanLine(folder_) + " has too many files",
                "give the folder of the captures with the option read-from");
  }
  std::ranges::sort(objects, {}, &StoredObject::key);
  return objects;
}

Result<void> FolderBucket::Probe(const std::function<bool()>& stop) {
  if (stop()) return Stopped();
  std::error_code error;
  const fs::directory_iterator first(folder_, error);
  if (!error) return {};
  return Fail("the folder " + CleanLine(folder_) + " cannot be read: " + Why(error.value()),
              "check the folder that the option destination-conf or read-from names");
}

Bucket::Read FolderBucket::StartRead(const StoredObject& object, std::uint64_t offset,
                                     ObjectReceiver& receiver) {
  const Read id = ++last_;
  auto& read = reads_[id];
  read = std::make_unique<FileRead>();
  read->id = id;
  read->object = object;
  read->at = offset;
  read->receiver = &receiver;
  Schedule(*read);
  return id;
}

void FolderBucket::Schedule(FileRead& read) {
  read.task = loop_.CallAt(loop_.Steady(), [this, id = read.id] { Step(id); });
}

Result<void> FolderBucket::Open(FileRead& read) const {
  const std::string path = folder_ + "/" + read.object.key;
  // Not to be held up by a FIFO that stands where a file was.
  read.fd = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  struct stat file;
  if (read.fd < 0 || fstat(read.fd, &file) != 0) {
    // Out of descriptors is nothing that lasts.
    const bool passing = errno == EMFILE || errno == ENFILE;
    return Fail("the file " + CleanLine(path) + " cannot be read: " + Why(errno),
                passing ? Error::Kind::kPassing : Error::Kind::kFinal);
  }
  if (!S_ISREG(file.st_mode) || static_cast<std::uint64_t>(file.st_size) != read.object.size ||
      (!read.object.etag.empty() && FileState(file) != read.object.etag)) {
    return Fail("the file " + CleanLine(path) + " is not what it was when it was listed");
  }
  return {};
}

void FolderBucket::Step(Read id) {
  FileRead& read = *reads_.at(id);
  read.task = 0;
  Result<void> result;
  if (read.fd < 0) result = Open(read);
  if (result && read.at < read.object.size) {
    std::vector<std::byte> piece(std::min<std::uint64_t>(kPiece, read.object.size - read.at));
    const ssize_t count = pread(read.fd, piece.data(), piece.size(), static_cast<off_t>(read.at));
    if (count > 0) {
      read.at += static_cast<std::uint64_t>(count);
      result =
          read.receiver->OnObjectBytes(std::span(piece).first(static_cast<std::size_t>(count)));
      if (!reads_.contains(id)) return;  // cancelled by its receiver
      if (result) return Schedule(read);
    } else {
      result = Fail("the file " + CleanLine(folder_ + "/" + read.object.key) +
                    (count < 0 ? " cannot be read: " + Why(errno) : " has become shorter"));
    }
  }
  ObjectReceiver& receiver = *read.receiver;
  reads_.erase(id);
  receiver.OnObjectEnd({.result = std::move(result)});
}

void FolderBucket::Cancel(Read read) {
  const auto found = reads_.find(read);
  if (found == reads_.end()) return;
  loop_.Cancel(found->second->task);
  reads_.erase(found);
}

}  // namespace cloudflaredump::bucket
