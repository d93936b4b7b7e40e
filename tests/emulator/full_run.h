// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/emulator/bucket.h"
#include "tests/emulator/capture_request.h"
#include "tests/emulator/parts.h"
#include "tests/emulator/places.h"
#include "tests/emulator/request.h"
#include "tests/emulator/traffic.h"

namespace cloudflare_emulator {

/// What every full capture has in common.
struct FullSettings {
  double speed = 1;
  Span job{};  ///< From the capture's end to the result, speed applied.
  std::string result = "success";
  std::string no_packets_result = "failed";
  PartOptions parts{};
  PcapForm form{};
  std::uint64_t seed = 1;
  const Places* places = nullptr;  ///< Null: every data center has all packets.
};

/// One full capture from its request to the objects in the bucket. It takes packets from the
/// traffic as its time goes by, `speed` times faster than ours, and ends at its time, packet or
/// byte limit or when it is stopped.
class FullRun {
 public:
  FullRun(std::string id, const CaptureRequest& request, Destination destination,
          const FullSettings& settings, const Traffic& traffic, const Moment& now);
  ~FullRun();
  FullRun(const FullRun&) = delete;
  FullRun& operator=(const FullRun&) = delete;

  /// Lets what has become due happen. Everything below is as of the last call.
  void Advance(Span now);
  /// Ends the capturing; false if it had ended already. Stopping again while the file is built is
  /// no error.
  bool Stop(const Moment& now);

  const std::string& status() const { return status_; }
  /// Pending or running: no other full capture may begin.
  bool IsCapturing() const { return !ended_; }
  std::size_t packets() const { return records_.size(); }
  std::optional<Time> stop_requested() const { return stop_requested_; }
  const std::string& error_message() const { return error_message_; }

 private:
  void Take(Span now);
  void End(Span now);
  void Convert(Span now);
  void Finish(Span now);
  void Fail(std::string why);
  /// Whether the capture's data center sees the packet.
  bool IsSeen(const Record& record) const;
  bool IsFull(std::size_t next_bytes) const;
  void WriteParts(bool late);

  std::string id_;
  CaptureRequest request_;
  Destination destination_;
  FullSettings settings_;
  std::unique_ptr<Traffic> traffic_;
  Span start_{};        ///< On the monotonic clock: when running begins.
  Time first_time_{};   ///< The same moment in the packets' time.
  Time taken_until_{};  ///< Packets up to and including this time were looked at.
  std::vector<Record> records_;
  std::size_t bytes_ = 0;

  std::string status_ = "pending";
  std::string error_message_;
  std::optional<Time> stop_requested_;
  std::optional<Span> ended_;
  std::optional<Span> finished_;
  std::vector<PartObject> objects_;
  std::atomic<bool> cancelled_ = false;
  std::future<Outcome<void>> writing_;
  bool late_written_ = false;
};

}  // namespace cloudflare_emulator
