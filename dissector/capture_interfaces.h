// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <epan/packet.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "common/capture_description.h"
#include "dissector/fields.h"

namespace cloudflaredump::dissector {

/// What the interfaces of one capture share: numbers of first packets seen, 0 before that.
struct CaptureFacts {
  std::uint32_t first_frame = 0;
  std::uint32_t first_mismatch_frame = 0;  ///< From an interface that says residual_mismatch.
  std::uint32_t first_limit_frame = 0;     ///< From an interface that says limit_reached.
};

/// One interface block of ours, its description read once and made ready for Wireshark.
struct CaptureInterface {
  ParseVerdict verdict = ParseVerdict::kNotOurs;
  CaptureDescription description;
  std::string title;                  ///< Of the tree item.
  std::string summary;                ///< For the Info column.
  std::vector<FieldValue> fields;     ///< For every packet.
  std::string unreadable;             ///< A sentence naming values that are no time; empty if none.
  CaptureFacts* capture = nullptr;    ///< Never null once read.
  CaptureFacts* run = nullptr;        ///< Those of all windows of a live capture, else capture.
  bool other_section = false;         ///< Finding::kOtherSection is all there is to say.
  std::uint32_t first_frame = 0;      ///< Number of its first packet seen.
  std::uint32_t first_cut_frame = 0;  ///< Number of its first cut packet seen.

  bool sample() const { return description.type == "simple"; }
  bool live() const { return description.window.has_value(); }
  /// Whether there is more to show than a finding on the first packet.
  bool usable() const { return verdict == ParseVerdict::kGood; }
  /// Remembers the packet if it is a first one. Called for each packet, in any order.
  void See(std::uint32_t frame, bool cut);
};

/// The interfaces of the open file. Wireshark has one file at a time.
class CaptureInterfaces {
 public:
  /// The interface a packet came from if it is one of ours, else null. Stays where it is until
  /// Clear.
  CaptureInterface* Of(const packet_info& pinfo);

  /// Forgets the file.
  void Clear();

 private:
  /// Section and number of an interface in one word.
  using Key = std::uint64_t;
  // Most packets come from the interface of the packet before.
  Key last_key_ = ~Key{0};
  CaptureInterface* last_ = nullptr;
  std::unordered_map<Key, std::unique_ptr<CaptureInterface>> interfaces_;  ///< Null: not ours.
  std::unordered_map<std::string, CaptureFacts> captures_;
  CaptureFacts live_;
  bool other_section_said_ = false;

  std::unique_ptr<CaptureInterface> Read(const packet_info& pinfo, Key key);
};

}  // namespace cloudflaredump::dissector
