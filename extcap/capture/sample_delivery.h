// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "extcap/capture/delivery.h"
#include "extcap/capture/sample_file.h"
#include "extcap/capture/window.h"

namespace cloudflaredump::capture {

/// Where samples belong.
struct SamplePlace {
  std::size_t requests = 1;                  ///< of the plan
  std::optional<std::uint64_t> window = {};  ///< which window of a live capture, from 1
};

/// Delivers the samples of one window, given in the order of the plan's requests, and says in
/// `outcome` what they lack. They go to the reader at once.
Result<void> DeliverSamples(const CaptureContext& context, std::vector<SampleFile> samples,
                            const SamplePlace& place, Delivery& delivery,
                            filter::DuplicateFilter& duplicates, Outcome& outcome);

/// The window that a sample was to cover; nothing if the job does not say it.
std::optional<Window> WindowOf(const api::PcapJob& job);

/// `part` of `whole`, which is some time, in percent, rounded down.
std::uint64_t PercentOf(Duration part, Duration whole);

/// Says in `outcome` what share of the time `asked` is covered, if that is not all of it.
void NoteShare(Duration covered, Duration asked, Outcome& outcome);

/// How much of `window` all of `samples` cover: one that a limit ended covers it up to its last
/// packet.
Duration CoveredTime(const Window& window, const std::vector<SampleFile>& samples);

}  // namespace cloudflaredump::capture
