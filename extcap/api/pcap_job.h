// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/filter_v1.h"
#include "common/result.h"
#include "common/time.h"

struct json_t;

namespace cloudflaredump::api {

/// What a job's status word means for us.
enum class JobPhase {
  kGoing,   ///< pending, running, conversion_…, unknown, or any word not published
  kDone,    ///< success, complete
  kFailed,  ///< failed
};

/// A packet capture as the API tells it, which promises no field. Fields that are missing or of the
/// wrong type are unset; unknown ones are passed over.
struct PcapJob {
  std::string id;      ///< as sent; empty if missing
  std::string type;    ///< "simple" or "full"
  std::string system;  ///< "magic-transit"
  std::string status;
  std::string submitted;  ///< RFC 3339 as sent
  std::optional<std::uint64_t> time_limit;
  std::optional<std::uint64_t> packet_limit;
  std::optional<std::uint64_t> byte_limit;
  std::optional<std::string> offset_time;
  std::optional<std::string> colo;  ///< colo_name, else colo
  std::optional<std::string> destination_conf;
  std::optional<std::string> error_message;
  std::optional<std::uint64_t> packets_captured;
  std::optional<std::string> stop_requested;
  FilterV1 filter_v1;

  JobPhase phase() const;
  /// `submitted` as a moment, if it can be read.
  std::optional<WallTime> submitted_at() const;
};

/// Whether `id` may stand in a path and in the search for a capture's files: 16 to 64 letters,
/// digits and hyphens. Cloudflare's are 32 hexadecimal digits; a shorter one would be found in
/// every key.
bool IsPcapId(std::string_view id);

/// Reads one capture from an API answer's `result`.
PcapJob ReadPcapJob(const json_t* object);

/// A request for a capture. `type` full needs colo and destination_conf.
struct PcapRequest {
  enum class Type { kSimple, kFull };
  Type type = Type::kSimple;
  std::uint64_t time_limit = 300;             ///< seconds
  std::optional<std::uint64_t> packet_limit;  ///< packets
  std::optional<std::uint64_t> byte_limit;    ///< bytes, full only
  std::optional<WallTime> offset_time;        ///< simple only
  std::string colo;                           ///< full only
  std::string destination_conf;               ///< full only
  FilterV1 filter_v1;
  bool send_colo = true;       ///< the name that the prose documents, full only
  bool send_colo_name = true;  ///< the name that the schema documents, full only
};

/// The body of the POST, keys in the order of Cloudflare's examples.
std::string WritePcapRequest(const PcapRequest& request);

/// Puts into `job` what the answer leaves out and `request`, which made it, said.
void FillIn(PcapJob& job, const PcapRequest& request);

/// Whether two filters are the same, in whatever form their addresses are written.
bool IsSameFilter(const FilterV1& a, const FilterV1& b);

/// Whether every packet that `narrow` lets through passes `wide`, too, as far as they show it.
bool Covers(const FilterV1& wide, const FilterV1& narrow);

/// Whether `job` is at the data center `colo`, in either case, as far as it says where it is.
bool IsColo(const PcapJob& job, const std::string& colo);

/// Whether `job` is what `request` would have made, in whatever form its filter is written.
bool CameFrom(const PcapJob& job, const PcapRequest& request);

/// The capture in `jobs` that `request` made, not being among `known` (a list read before the
/// POST): finds a capture whose POST's answer was lost.
std::optional<PcapJob> FindMade(const std::vector<PcapJob>& jobs, const std::vector<PcapJob>& known,
                                const PcapRequest& request);

}  // namespace cloudflaredump::api
