// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/pcap/merge.h"

#include <algorithm>

namespace cloudflaredump::pcap {
namespace {

/// Larger windows than this read no faster, and some dozens of them leave the caches.
constexpr std::size_t kLargestWindow = 65536;

}  // namespace

Merge::Merge(std::vector<std::unique_ptr<PartSource>> parts, std::size_t memory) {
  if (parts.empty()) return;
  const std::size_t window =
      std::clamp(memory / parts.size(), PartReader::kLeastWindow, kLargestWindow);
  parts_.reserve(parts.size());
  for (auto& source : parts) {
    parts_.emplace_back().reader = std::make_unique<PartReader>(std::move(source), window);
  }
}

Merge::Step Merge::Next() {
  losses_.clear();
  if (!tree_ && !FindFirsts()) return Step::kNeedsBytes;
  while (behind_ || live_ > 0) {
    if (behind_) {
      LoserTree::Key key = LoserTree::kOut;
      if (!FindNextOf(*behind_, key)) return Step::kNeedsBytes;
      tree_->ReplaceLeast(key);
      behind_.reset();
      continue;
    }
    const std::size_t part = tree_->winner();
    switch (parts_[part].reader->LoadNext(large_packet_)) {
      case PartReader::State::kReady:
        Give(part);
        return Step::kPacket;
      case PartReader::State::kWaiting:
        waits_for_ = part;
        return Step::kNeedsBytes;
      case PartReader::State::kEnded:
        behind_ = part;
    }
  }
  losses_.swap(untold_);
  return Step::kEnd;
}

const PcapHeader* Merge::header(std::size_t part) const {
  const Part& state = parts_[part];
  const auto& header = state.reader != nullptr ? state.reader->header() : state.header;
  return header ? &*header : nullptr;
}

/// Strict order needs the first packet of every part.
bool Merge::FindFirsts() {
  while (firsts_.size() < parts_.size()) {
    LoserTree::Key key = LoserTree::kOut;
    live_ += 1;
    if (!FindNextOf(firsts_.size(), key)) {
      live_ -= 1;
      return false;
    }
    firsts_.push_back(key);
  }
  if (firsts_.empty()) firsts_.push_back(LoserTree::kOut);
  tree_.emplace(firsts_);
  firsts_ = {};
  return true;
}

/// Goes on in a part that counts as live; false if its bytes have not arrived.
bool Merge::FindNextOf(std::size_t part, LoserTree::Key& key) {
  PartReader& reader = *parts_[part].reader;
  switch (reader.FindNext()) {
    case PartReader::State::kWaiting:
      waits_for_ = part;
      return false;
    case PartReader::State::kReady:
      key = reader.nanoseconds();
      return true;
    case PartReader::State::kEnded:
      Retire(part);
  }
  return true;
}

void Merge::Give(std::size_t number) {
  Part& part = parts_[number];
  PartReader& reader = *part.reader;
  const std::uint64_t now = reader.nanoseconds();
  packet_ = {.view = reader.packet(),
             .part = number,
             .nanoseconds = now,
             .late = now < latest_,
             .last_of_part = reader.last(),
             .last = live_ == 1 && reader.last()};
  latest_ = std::max(latest_, now);

  PartReport& report = part.report;
  report.first_nanoseconds = report.packets == 0 ? now : std::min(report.first_nanoseconds, now);
  report.last_nanoseconds = std::max(report.last_nanoseconds, now);
  report.packets += 1;
  report.late += packet_.late ? 1 : 0;

  losses_.swap(untold_);
  if (packet_.last_of_part && reader.damage()) {
    losses_.push_back({.part = number, .error = *reader.damage()});
    part.loss_told = true;
  }
  reader.Drop();
  behind_ = number;
}

void Merge::Retire(std::size_t number) {
  Part& part = parts_[number];
  part.report.loss = part.reader->damage();
  if (part.report.loss && !part.loss_told) {
    untold_.push_back({.part = number, .error = *part.report.loss});
  }
  part.header = part.reader->header();
  part.reader.reset();
  live_ -= 1;
}

}  // namespace cloudflaredump::pcap
