// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/bucket/capture_files.h"

#include <algorithm>
#include <string_view>

#include "common/text.h"

namespace cloudflaredump::bucket {
namespace {

/// What begins the name of every file that Cloudflare writes ("Collect a packet capture").
constexpr const char* kNameStart = "pcap_";

/// Whether a name on the way to `key` begins with a dot: tools hide what is not whole so.
bool IsHidden(std::string_view key) {
  return key.starts_with('.') || key.find("/.") != std::string_view::npos;
}

bool IsCaptureFile(std::string_view key) {
  return (key.ends_with(".pcap") || key.ends_with(".pcap.gz")) && !IsHidden(key);
}

}  // namespace

CaptureFiles SelectCaptureFiles(const std::vector<StoredObject>& objects,
                                const std::string& directory, const std::string& id) {
  CaptureFiles direct;
  std::vector<StoredObject> below;
  for (const StoredObject& object : objects) {
    const std::string_view key = std::string_view(object.key).substr(directory.size());
    if (key.find(id) == std::string_view::npos) continue;
    if (object.link || !IsCaptureFile(key)) {
      direct.left_out.push_back(object.key);
    } else if (key.find('/') != std::string_view::npos) {
      below.push_back(object);
    } else {
      direct.files.push_back(object);
    }
  }
  if (direct.files.empty()) {
    direct.files = std::move(below);
  } else {
    for (const StoredObject& object : below) direct.left_out.push_back(object.key);
  }
  return direct;
}

Result<CaptureFiles> ListCaptureFiles(Bucket& bucket, const std::string& id, SearchScope scope,
                                      const std::function<bool()>& stop) {
  if (scope == SearchScope::kNamed) {
    const auto named = bucket.List(kNameStart + id, stop);
    if (!named) return Failure(named);
    CaptureFiles found = SelectCaptureFiles(*named, bucket.directory(), id);
    if (!found.files.empty()) return found;
  }
  const auto all = bucket.List("", stop);
  if (!all) return Failure(all);
  return SelectCaptureFiles(*all, bucket.directory(), id);
}

}  // namespace cloudflaredump::bucket
