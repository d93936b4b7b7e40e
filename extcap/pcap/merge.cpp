// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/merge.h"

#include <algorithm>

namespace cloudflaredump::pcap {
namespace {

/// Larger windows than this read no faster, and some dozens of them leave the caches.
constexpr std::size_t kLargestWindow = 32768;

}  // namespace

Merge::Merge(std::vector<std::unique_ptr<FileBytes>> files, std::size_t memory,
             FileReader::Order order) {
  if (files.empty()) return;
  const std::size_t window =
      std::clamp(memory / files.size(), FileReader::kLeastWindow, kLargestWindow);
  files_.reserve(files.size());
  for (auto& file : files) {
    files_.emplace_back().reader = std::make_unique<FileReader>(std::move(file), window, order);
  }
}

bool Merge::Next() {
  losses_.clear();
  if (!tree_) {
    // Strict order needs the first packet of every file.
    live_ = files_.size();
    std::vector<LoserTree::Key> firsts(std::max<std::size_t>(files_.size(), 1), LoserTree::kOut);
    for (std::size_t file = 0; file < files_.size(); ++file) firsts[file] = FindNextOf(file);
    tree_.emplace(firsts);
  }
  if (behind_) tree_->ReplaceLeast(FindNextOf(*behind_));
  behind_.reset();
  while (live_ > 0) {
    const std::size_t file = tree_->winner();
    const Result<PacketView> view = files_[file].reader->Load(large_packet_);
    if (view) {
      Give(file, *view);
      return true;
    }
    tree_->ReplaceLeast(FindNextOf(file));
  }
  losses_.swap(untold_);
  return false;
}

const PcapHeader* Merge::header(std::size_t file) const {
  const File& state = files_[file];
  const auto& header = state.reader != nullptr ? state.reader->header() : state.header;
  return header ? &*header : nullptr;
}

LoserTree::Key Merge::FindNextOf(std::size_t file) {
  FileReader& reader = *files_[file].reader;
  if (reader.FindNext()) return reader.nanoseconds();
  Retire(file);
  return LoserTree::kOut;
}

void Merge::Give(std::size_t number, const PacketView& view) {
  File& file = files_[number];
  FileReader& reader = *file.reader;
  const std::uint64_t now = reader.nanoseconds();
  packet_ = {.view = view, .file = number, .nanoseconds = now, .late = now < latest_};
  latest_ = std::max(latest_, now);

  FileReport& report = file.report;
  report.first_nanoseconds = report.packets == 0 ? now : std::min(report.first_nanoseconds, now);
  report.last_nanoseconds = std::max(report.last_nanoseconds, now);
  report.packets += 1;
  report.late += packet_.late ? 1 : 0;

  losses_.swap(untold_);
  if (reader.last() && reader.damage()) {
    losses_.push_back({.file = number, .error = *reader.damage()});
    file.loss_told = true;
  }
  reader.Drop();
  behind_ = number;
  // Of many files, few bytes are in the processor's caches: those of the likely next packet come
  // there while this one is delivered.
  const std::size_t next = tree_->runner_up();
  if (next != number) files_[next].reader->Prefetch();
}

void Merge::Retire(std::size_t number) {
  File& file = files_[number];
  file.report.loss = file.reader->damage();
  if (file.report.loss && !file.loss_told) {
    untold_.push_back({.file = number, .error = *file.report.loss});
  }
  file.header = file.reader->header();
  file.reader.reset();
  live_ -= 1;
}

}  // namespace cloudflaredump::pcap
