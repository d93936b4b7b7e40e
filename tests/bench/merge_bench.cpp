// SPDX-License-Identifier: GPL-2.0-or-later
// merge_bench [--transfers N] FOLDER: merges the files of a folder, in the order of their names, as
// one pcapng stream on standard output, as a full capture read from a folder does. With
// --transfers the bytes go through a spool as if they came over the network, N files at a time.
// What was lost of which file is said on standard error.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "extcap/pcap/file_parts.h"
#include "extcap/pcap/merge.h"
#include "extcap/pcap/pcapng_writer.h"
#include "extcap/pcap/spool.h"

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

/// Pushes files into a spool, some at a time, a curl buffer of each in turn.
class Transfers {
 public:
  Transfers(pcap::Spool& spool, const std::vector<std::string>& paths, std::size_t at_a_time)
      : spool_(spool), at_a_time_(at_a_time) {
    for (const std::string& path : paths) waiting_.push_back(files_.Add(path));
  }

  /// Lets each transfer that is not paused get one buffer; false if there was nothing to do.
  bool Step(bool nobody_pauses) {
    while (running_.size() < at_a_time_ && next_ < waiting_.size()) running_.push_back(next_++);
    bool moved = false;
    for (std::size_t i = 0; i < running_.size();) {
      const std::size_t part = running_[i];
      if (!nobody_pauses && spool_.Full(part)) {
        ++i;
        continue;
      }
      moved = true;
      if (Move(part)) {
        ++i;
      } else {
        running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
    return moved;
  }

 private:
  bool Move(std::size_t part) {
    std::byte buffer[16384];
    pcap::PartSource& file = *waiting_[part];
    const Result<std::size_t> got = file.Read(buffer);
    Result<void> appended;
    if (got) appended = spool_.Append(part, std::span(buffer).first(*got));
    if (!got || !appended) {
      spool_.Fail(part, got ? appended.error() : got.error());
      return false;
    }
    if (file.Available() > 0) return true;
    spool_.Finish(part);
    return false;
  }

  pcap::Spool& spool_;
  pcap::FileParts files_;
  std::vector<std::unique_ptr<pcap::PartSource>> waiting_;
  std::vector<std::size_t> running_;
  std::size_t next_ = 0;
  std::size_t at_a_time_;
};

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
    std::uint32_t& interface = interfaces_[packet.part];
    if (interface == kNone) {
      const pcap::PcapHeader& header = *merge.header(packet.part);
      pcap::AppendInterface(out_, {.link_type = header.link_type,
                                   .precision = header.precision,
                                   .name = "part " + std::to_string(packet.part)});
      interface = next_interface_++;
    }
    std::vector<std::string> comments;
    for (const pcap::PartLoss& loss : merge.losses()) {
      comments.push_back(paths_[loss.part] + ": " + SentenceOf(loss.error));
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

void TellLosses(const pcap::Merge& merge, const std::vector<std::string>& paths) {
  for (std::size_t part = 0; part < merge.parts(); ++part) {
    const auto& loss = merge.report(part).loss;
    if (loss) std::fprintf(stderr, "%s: %s\n", paths[part].c_str(), loss->what.c_str());
  }
}

void MergeFolder(const std::vector<std::string>& paths) {
  pcap::FileParts files;
  std::vector<std::unique_ptr<pcap::PartSource>> sources;
  sources.reserve(paths.size());
  for (const std::string& path : paths) sources.push_back(files.Add(path));
  pcap::Merge merge(std::move(sources));
  Output output(paths);
  while (merge.Next() == pcap::Merge::Step::kPacket) output.Write(merge);
  output.Finish();
  TellLosses(merge, paths);
}

void MergeTransfers(const std::vector<std::string>& paths, std::size_t at_a_time) {
  pcap::Spool spool;
  std::vector<std::unique_ptr<pcap::PartSource>> sources;
  sources.reserve(paths.size());
  for (std::size_t i = 0; i < paths.size(); ++i) sources.push_back(spool.Source(spool.AddPart()));
  pcap::Merge merge(std::move(sources));
  Transfers transfers(spool, paths, at_a_time);
  Output output(paths);
  std::uint64_t given = 0;
  for (;;) {
    const pcap::Merge::Step step = merge.Next();
    if (step == pcap::Merge::Step::kEnd) break;
    if (step == pcap::Merge::Step::kPacket) {
      output.Write(merge);
      if (++given % 1000 == 0) transfers.Step(false);
    } else {
      transfers.Step(true);
    }
  }
  output.Finish();
  TellLosses(merge, paths);
  std::fprintf(stderr, "spool file: %llu MiB\n",
               static_cast<unsigned long long>(spool.file_size() >> 20));
}

}  // namespace
}  // namespace cloudflaredump

int main(int argc, char** argv) {
  using namespace cloudflaredump;
  const std::string_view option = argc == 4 ? argv[1] : "";
  if (argc != 2 && option != "--transfers") {
    std::fputs("usage: merge_bench [--transfers N] FOLDER > FILE.pcapng\n", stderr);
    return 2;
  }
  const std::vector<std::string> paths = FilesOf(argv[argc - 1]);
  if (argc == 4) {
    MergeTransfers(paths, std::strtoul(argv[2], nullptr, 10));
  } else {
    MergeFolder(paths);
  }
  return 0;
}
