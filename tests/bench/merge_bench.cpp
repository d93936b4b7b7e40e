// SPDX-License-Identifier: GPL-2.0-or-later
// merge_bench FOLDER: merges the files of a folder, in the order of their names, as one pcapng
// stream on standard output, as a full capture from a folder does. What was lost, and peak memory
// and descriptors, are said on standard error.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "extcap/pcap/file_parts.h"
#include "extcap/pcap/merge.h"
#include "extcap/pcap/pcapng_writer.h"

namespace cloudflaredump {
namespace {

constexpr std::size_t kWriteSize = 262144;

void WriteAll(std::string& out) {
  for (std::size_t done = 0; done < out.size();) {
    const ssize_t n = write(STDOUT_FILENO, out.data() + done, out.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(1);
    done += static_cast<std::size_t>(n);
  }
  out.clear();
}

std::vector<std::string> FilesOf(const char* folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    paths.push_back(entry.path().string());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

int Run(const char* folder) {
  // A pipe of 1 MiB saves half of the context switches; fails, without harm, on a file.
  fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20);
  FileParts files;
  const std::vector<std::string> paths = FilesOf(folder);
  std::vector<std::unique_ptr<PartSource>> sources;
  sources.reserve(paths.size());
  for (const std::string& path : paths) sources.push_back(files.Add(path));
  Merge merge(std::move(sources));

  constexpr std::uint32_t kNoInterface = ~std::uint32_t{0};
  std::vector<std::uint32_t> interfaces(paths.size(), kNoInterface);
  std::uint32_t next_interface = 0;
  std::string out;
  out.reserve(2 * kWriteSize);
  AppendSectionHeader(out, "cloudflaredump merge_bench");
  while (merge.Next() == Merge::Step::kPacket) {
    const MergedPacket& packet = merge.packet();
    std::uint32_t& interface = interfaces[packet.part];
    if (interface == kNoInterface) {
      const PcapHeader& header = *merge.header(packet.part);
      AppendInterface(out, {.link_type = header.link_type,
                            .precision = header.precision,
                            .name = "part " + std::to_string(packet.part)});
      interface = next_interface++;
    }
    std::vector<std::string> comments;
    for (const PartLoss& loss : merge.losses()) {
      comments.push_back(paths[loss.part] + ": " + loss.error.message);
    }
    AppendPacket(out, interface, packet.view, comments);
    if (out.size() >= kWriteSize) WriteAll(out);
  }
  WriteAll(out);
  for (std::size_t part = 0; part < merge.parts(); ++part) {
    const auto& loss = merge.report(part).loss;
    if (loss) std::fprintf(stderr, "%s: %s\n", paths[part].c_str(), loss->message.c_str());
  }
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  std::fprintf(stderr, "peak_rss_kib=%ld\n", usage.ru_maxrss);
  return 0;
}

}  // namespace
}  // namespace cloudflaredump

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: merge_bench FOLDER > FILE.pcapng\n", stderr);
    return 2;
  }
  return cloudflaredump::Run(argv[1]);
}
