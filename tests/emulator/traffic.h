// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/emulator/link_layer.h"
#include "tests/emulator/pcap_file.h"
#include "tests/emulator/text.h"

namespace cloudflare_emulator {

/// The packets that pass Cloudflare's network in this emulation.
class Traffic {
 public:
  virtual ~Traffic() = default;
  /// The packets from `first` to `last`, both included, in time order.
  virtual std::vector<Record> Between(Time first, Time last) const = 0;
  /// The same traffic as if it passed from `start` on, for a capture of `length`. Made-up traffic
  /// is what it is at that time. Recorded packets are moved so that the first is at `start`; if
  /// they last longer than `length`, the gaps between them are shortened alike until they fit.
  virtual std::unique_ptr<Traffic> Live(Time start, Span length) const = 0;
  /// The form in which the packets were found, and are written unless told otherwise.
  virtual PcapForm form() const = 0;
};

/// Traffic without a beginning or an end, see generator.h.
std::unique_ptr<Traffic> GeneratedTraffic(std::uint64_t seed);

/// The packets of capture files, in time order, those of one time in the order given. The form is
/// that of the first file, in nanoseconds if any file is. With `rebase_to`, all times are moved
/// alike, by whole microseconds, so that the last packet is at that time.
Outcome<std::unique_ptr<Traffic>> RecordedTraffic(const std::vector<std::string>& paths,
                                                  std::optional<Time> rebase_to);

}  // namespace cloudflare_emulator
