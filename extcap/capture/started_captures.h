// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "extcap/api/pcap_job.h"
#include "extcap/config/settings.h"
#include "extcap/system/event_loop.h"

namespace cloudflaredump::capture {

/// One capture that this user's programs asked for.
struct StartedCapture {
  std::string key;  ///< made up before the POST; names the record
  std::string account_id;
  std::string pcap_id;  ///< empty while the POST's answer is not known
  std::string type;     ///< "simple", "live" (one of a live sample's) or "full"
  std::string request;  ///< the body of the POST, without destination_conf
  /// The capture filter; not known of live samples, long filters and older records.
  std::optional<std::string> filter;
  std::string at;           ///< RFC 3339
  bool needs_stop = false;  ///< it should have been stopped, and nobody could tell Cloudflare
  bool run_ended = false;   ///< the run of samples that asked for it takes no more turns

  /// What `request` asked for, as far as it can be read.
  api::PcapJob AsJob() const;
  /// Whether `job` is what `request` asked for, as far as both say.
  bool Asked(const api::PcapJob& job) const;
};

/// A lock that processes of one user share, on an open file, which it closes in the end; with that
/// it is given up. A file that could not be opened (-1) locks nothing.
class Turn {
 public:
  explicit Turn(int fd) : fd_(fd) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn();

  bool Take() const;     ///< Waits for it.
  bool TryTake() const;  ///< Does not.

 private:
  int fd_;
};

/// What was started, in a private file (0600), so that `latest` and a crash are covered. Several
/// processes may use it at once: a lock file orders them. Holds no secret. If the folder cannot be
/// written nothing is remembered, which the log says once; captures go on.
class StartedCaptures {
 public:
  /// The file is `$XDG_STATE_HOME/cloudflaredump/started.json` (~/.local/state by default).
  explicit StartedCaptures(const system::Environment& environment);

  /// Whether a request stands for itself, or is one of a live sample's, which are many: never the
  /// latest capture.
  enum class Use : std::uint8_t { kOne, kLive };

  /// Records that `request` is about to be sent for the capture filter. Returns the record's key.
  std::string Intend(const std::string& account_id, const api::PcapRequest& request,
                     const std::string& filter, WallTime now, Use use = Use::kOne);
  /// Records the id that the request got.
  void Started(const std::string& key, const std::string& pcap_id);
  /// Records that the capture should be stopped as soon as somebody can.
  void NeedsStop(const std::string& key, bool needs_stop);
  /// Records that a run of samples has ended, whose captures these are.
  void RunEnded(const std::vector<std::string>& pcap_ids);
  /// Forgets a request that made no capture.
  void Forget(const std::string& key);

  /// Waits for this user's turn to start a full capture. Null if stopped, or if there is no lock to
  /// be had (an unwritable folder): then captures go on without order.
  std::unique_ptr<Turn> AwaitTurn(system::EventLoop& loop, const std::function<bool()>& stop) const;

  /// Whether a record has this ID.
  bool Has(const std::string& pcap_id) const;

  /// Fills in the limits of `job` that the API did not say, if it was started here.
  void RecallLimits(api::PcapJob& job) const;

  /// The newest capture of the account that has an id.
  std::optional<std::string> Latest(const std::string& account_id) const;
  /// The ids of the account's newest full captures, newest first: samples may have pushed them out
  /// of its list.
  std::vector<std::string> RecentFull(const std::string& account_id) const;
  /// The ids of the account's samples, those of live samples, too, whose runs have ended, or that
  /// were asked for before `until`.
  std::vector<std::string> SamplesOfEndedRuns(const std::string& account_id, WallTime until) const;
  /// The capture filter that was typed for the capture, if it was started here; empty means all.
  std::optional<std::string> FilterOf(const std::string& pcap_id) const;
  /// The account's captures that still have to be stopped, oldest first: those on record as such,
  /// and full captures whose request had no answer. For who has the turn: the programs that sent
  /// these are gone.
  std::vector<StartedCapture> ToStop(const std::string& account_id) const;

  const std::string& path() const { return path_; }

 private:
  /// Reads, lets `change` work on the records and writes them, under the lock.
  template <class Change>
  void Update(const Change& change);
  std::vector<StartedCapture> Read() const;
  /// Says once that nothing is remembered.
  void Warn(const Error& error);

  std::string path_;
  bool warned_ = false;
};

}  // namespace cloudflaredump::capture
