// SPDX-License-Identifier: GPL-2.0-or-later
#include "extcap/capture/outcome.h"

#include <utility>

#include "common/text.h"

namespace cloudflaredump::capture {

PacketCounts& PacketCounts::operator+=(const PacketCounts& other) {
  received += other.received;
  delivered += other.delivered;
  filtered_out += other.filtered_out;
  undecided += other.undecided;
  untested += other.untested;
  unmatched += other.unmatched;
  duplicates += other.duplicates;
  matching_duplicates += other.matching_duplicates;
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
  Error error = *outcome.error;
  if (error.remedy.empty()) {
    error.remedy = outcome.left_behind;
  } else if (!outcome.left_behind.empty()) {
    error.remedy += "; " + outcome.left_behind;
  }
  return SentenceOf(error);
}

}  // namespace cloudflaredump::capture
