// SPDX-License-Identifier: GPL-2.0-or-later
//
// An arbitrary state file: what is no record is passed over, ids from it may stand in paths, and
// the next change leaves a file that reads.
#include <glib.h>
#include <jansson.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>

#include "extcap/capture/started_captures.h"

using namespace cloudflaredump;

namespace {

/// Ends the run, for the fuzzer to report, if a promise is broken.
void Check(bool holds) {
  if (!holds) std::abort();
}

/// A folder of this process, in memory where that is possible.
class StateFolder {
 public:
  StateFolder() {
    const bool memory = access("/dev/shm", W_OK) == 0;
    path_ = std::string(memory ? "/dev/shm" : "/tmp") + "/cloudflaredump-fuzz-XXXXXX";
    Check(g_mkdtemp(path_.data()) != nullptr);
    std::filesystem::create_directory(path_ + "/cloudflaredump");
  }
  StateFolder(const StateFolder&) = delete;
  StateFolder& operator=(const StateFolder&) = delete;
  ~StateFolder() { std::filesystem::remove_all(path_); }

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const StateFolder folder;
  capture::StartedCaptures started([](const char* name) {
    return std::strcmp(name, "XDG_STATE_HOME") == 0 ? folder.path().c_str() : nullptr;
  });
  std::ofstream(started.path(), std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));

  for (const std::string& account : {std::string("a"), std::string()}) {
    if (const auto latest = started.Latest(account)) Check(api::IsPcapId(*latest));
    for (const capture::StartedCapture& capture : started.ToStop(account)) {
      Check(capture.pcap_id.empty() || api::IsPcapId(capture.pcap_id));
      api::PcapJob job;
      job.type = capture.type;
      capture.Asked(job);
    }
  }
  const std::string key = started.Intend("a", {}, "udp", WallTime());
  started.Started(key, "f00f00f00f00f00f");
  Check(started.Latest("a") == "f00f00f00f00f00f");
  started.Forget(key);
  json_t* const array = json_load_file(started.path().c_str(), 0, nullptr);
  Check(json_is_array(array) && json_array_size(array) <= 100);
  json_decref(array);
  return 0;
}
