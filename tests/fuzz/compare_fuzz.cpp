// SPDX-License-Identifier: GPL-2.0-or-later
// Two hostile capture files, compared: the first two bytes say where the second begins. Whatever
// they hold, counts must agree with each other.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "extcap/compare/marked_copy.h"
#include "extcap/compare/verdict_text.h"

namespace {

using namespace cloudflaredump;

/// A file in memory with a path.
class MemoryFile {
 public:
  MemoryFile(const std::uint8_t* data, std::size_t size) : fd_(memfd_create("fuzz", 0)) {
    if (fd_ < 0 || write(fd_, data, size) != static_cast<ssize_t>(size)) std::abort();
  }
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

void Check(const compare::Comparison& c) {
  const std::uint64_t all =
      c.compared + c.not_covered + c.egress + c.translated + c.cloudflare_copies + c.filtered;
  if (c.compared != c.arrived + c.missing || all != c.results.size()) std::abort();
  if (c.loss.low > c.loss.high || c.loss_percent < 0 || c.loss_percent > 100) std::abort();
  for (const compare::Finding& finding : c.findings) {
    if (finding.text.empty() || finding.lost > finding.of) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::size_t split = std::min<std::size_t>(data[0] << 8 | data[1], size - 2);
  const MemoryFile cloudflare(data + 2, split);
  const MemoryFile local(data + 2 + split, size - 2 - split);
  const compare::Options options{.cloudflare_file = cloudflare.path(),
                                 .local_files = {local.path()}};
  const auto comparison = compare::Compare(options, nullptr);
  if (!comparison) {
    if (SentenceOf(comparison.error()).empty()) std::abort();
    return 0;
  }
  Check(*comparison);
  if (compare::VerdictText(*comparison).empty() || compare::ComparisonJson(*comparison).empty()) {
    std::abort();
  }
  std::size_t written = 0;
  const auto copied = compare::WriteMarkedCopy(*comparison, cloudflare.path(),
                                               [&written](std::string_view bytes) -> Result<void> {
                                                 written += bytes.size();
                                                 return {};
                                               });
  if (!copied || written == 0) std::abort();
  return 0;
}
