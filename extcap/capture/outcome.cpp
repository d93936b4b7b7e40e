// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/outcome.h"

#include <utility>

#include "extcap/base/text.h"

namespace cloudflaredump {

PacketCounts& PacketCounts::operator+=(const PacketCounts& other) {
  received += other.received;
  delivered += other.delivered;
  filtered_out += other.filtered_out;
  undecided += other.undecided;
  unmatched += other.unmatched;
  duplicates += other.duplicates;
  return *this;
}

void Outcome::Note(const Result<void>& step) {
  if (step) return;
  if (step.error().kind == Error::Kind::kInterrupted) {
    stopped = true;
  } else if (!error) {
    error = step.error();
  }
}

ExitStatus StatusOf(const Outcome& outcome) {
  if (outcome.error && outcome.error->kind == Error::Kind::kUsage) return ExitStatus::kUsage;
  if (outcome.error && !outcome.stream_begun) return ExitStatus::kFailed;
  if (outcome.error || outcome.stopped || !outcome.losses.empty()) return ExitStatus::kIncomplete;
  return outcome.counts.delivered == 0 ? ExitStatus::kNoPackets : ExitStatus::kComplete;
}

std::string Complaint(const Outcome& outcome) {
  if (!outcome.error) return outcome.left_behind;
  std::string text = outcome.error->message;
  // Some errors say themselves how to get the rest.
  if (outcome.left_behind.empty() || text.find("--pcap-id") != std::string::npos) return text;
  return WithoutFullStop(std::move(text)) + "; " + outcome.left_behind;
}

}  // namespace cloudflaredump
