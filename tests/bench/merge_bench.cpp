// SPDX-License-Identifier: GPL-2.0-or-later
// merge_bench [--store] FOLDER: merges the files of a folder, in the order of their names, as one
// pcapng stream on standard output, as a full capture read from a folder does. With --store the
// files are first taken into a FileStore, as if they had come over the network. What was lost of
// which file is said on standard error.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "extcap/pcap/disk_files.h"
#include "extcap/pcap/file_store.h"
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

using FileList = std::vector<std::unique_ptr<pcap::FileBytes>>;

/// Takes `file` in, in pieces such as libcurl gives.
std::unique_ptr<pcap::FileBytes> Store(pcap::FileStore& store, pcap::FileBytes& file) {
  std::byte buffer[16384];
  auto arrival = store.Begin(file.size());
  Result<void> done = arrival ? Result<void>() : Failure(arrival);
  while (done && arrival->size() < file.size()) {
    const auto piece = std::span(buffer).first(
        std::min<std::uint64_t>(sizeof buffer, file.size() - arrival->size()));
    done = file.Read(arrival->size(), piece);
    if (done) done = arrival->Append(piece);
  }
  if (!done) {
    std::fprintf(stderr, "%s\n", SentenceOf(done.error()).c_str());
    _exit(1);
  }
  return std::move(*arrival).Finish();
}

class Output {
 public:
  explicit Output(const std::vector<std::string>& paths)
      : paths_(paths), interfaces_(paths.size(), kNone) {
    // A pipe of 1 MiB saves half of the context switches; fails, without harm, on a file.
    fcntl(STDOUT_FILENO, F_SETPIPE_SZ, 1 << 20);
    out_.reserve(2 * kWriteSize);
    pcap::AppendSectionHeader(out_, "cloudflaredump merge_bench");
  }

  void Write(const pcap::Merge& merge) {
    const pcap::MergedPacket& packet = merge.packet();
    std::uint32_t& interface = interfaces_[packet.file];
    if (interface == kNone) {
      const pcap::PcapHeader& header = *merge.header(packet.file);
      pcap::AppendInterface(out_, {.link_type = header.link_type,
                                   .precision = header.precision,
                                   .name = "file " + std::to_string(packet.file)});
      interface = next_interface_++;
    }
    std::vector<std::string> comments;
    for (const pcap::FileLoss& loss : merge.losses()) {
      comments.push_back(paths_[loss.file] + ": " + SentenceOf(loss.error));
    }
    pcap::AppendPacket(out_, interface, packet.view, comments);
    if (out_.size() >= kWriteSize) WriteAll(out_);
  }

  void Finish() { WriteAll(out_); }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  const std::vector<std::string>& paths_;
  std::vector<std::uint32_t> interfaces_;
  std::uint32_t next_interface_ = 0;
  std::string out_;
};

void MergeFolder(const std::vector<std::string>& paths, bool store_first) {
  pcap::DiskFiles disk;
  pcap::FileStore store;
  FileList files;
  for (const std::string& path : paths) {
    files.push_back(disk.Open(path));
    if (store_first) files.back() = Store(store, *files.back());
  }
  pcap::Merge merge(std::move(files));
  Output output(paths);
  while (merge.Next()) output.Write(merge);
  output.Finish();
  for (std::size_t file = 0; file < merge.files(); ++file) {
    const auto& loss = merge.report(file).loss;
    if (loss) std::fprintf(stderr, "%s: %s\n", paths[file].c_str(), loss->what.c_str());
  }
}

}  // namespace
}  // namespace cloudflaredump

int main(int argc, char** argv) {
  using namespace cloudflaredump;
  const bool store = argc == 3 && std::string_view(argv[1]) == "--store";
  if (argc != 2 && !store) {
    std::fputs("usage: merge_bench [--store] FOLDER > FILE.pcapng\n", stderr);
    return 2;
  }
  MergeFolder(FilesOf(argv[argc - 1]), store);
  return 0;
}
