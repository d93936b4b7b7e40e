// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/result.h"
#include "common/time.h"

struct bpf_program;

namespace cloudflaredump::filter {

class FilterProgram;

/// What is to become of names of hosts in a filter. Names of ports, protocols and networks are
/// those of the local files, always.
enum class NameLookup {
  kAccept,   ///< The dialog's check: a name is taken to be right, nothing is looked up.
  kRefuse,   ///< `explain`: "needs a look-up" is an Error.
  kResolve,  ///< At capture time; bounded by a time limit of its own.
};

/// What ends the look-up of a filter's names of hosts at capture time.
struct LookupBounds {
  Duration limit = std::chrono::seconds(5);  ///< for all of them together
  /// Asked every few milliseconds; true ends it with Error::kInterrupted. May be empty.
  std::function<bool()> stop = {};
};

/// A user's capture filter, compiled by libpcap. Movable, one thread.
class CaptureFilter {
 public:
  enum class Kind {
    kAll,        ///< Empty: every packet.
    kIp,         ///< Compiled for raw IP (LINKTYPE_RAW), tested from the IP header on.
    kLinkLayer,  ///< About link-layer headers: compiled for the arriving link type.
  };

  /// libpcap's own sentence is the Error: a syntax error, or a filter that rejects all packets.
  /// libpcap runs in a child process, unless ForbidNameLookup() (compile.h) was called in this one.
  static Result<CaptureFilter> Compile(std::string_view text, NameLookup lookup,
                                       const LookupBounds& bounds = {});

  CaptureFilter(CaptureFilter&&) noexcept;
  CaptureFilter& operator=(CaptureFilter&&) noexcept;
  ~CaptureFilter();

  Kind kind() const { return kind_; }
  const std::string& text() const { return text_; }
  /// The program for raw IP; null unless kind() is kIp, and null where kAccept met a name: such a
  /// filter was checked, but can neither be planned narrowly nor tested. Owned by this object.
  const bpf_program* program() const;

 private:
  friend class Residual;
  CaptureFilter(Kind kind, std::string text, std::unique_ptr<FilterProgram> program,
                NameLookup lookup, Duration lookup_limit);

  Kind kind_;
  std::string text_;
  std::unique_ptr<FilterProgram> program_;
  NameLookup lookup_;
  Duration lookup_limit_;  ///< also for the link types still to come; a stop no longer counts
};

/// The filter's word on one packet.
enum class FilterAnswer : std::uint8_t {
  kMatches,
  kRejects,
  kUndecided,  ///< The packet was cut before bytes that the filter needs; it is kept and marked.
};

/// Tests the packets of one part (one link type) with a filter. Keeps a pointer to the filter,
/// which must outlive it.
class Residual {
 public:
  /// An Error (libpcap's sentence) if a filter about link-layer headers does not compile for
  /// `link_type`. So does any filter if SearchIpHeader does not know `link_type`: then libpcap's
  /// knowledge of the link type is used from the first byte on.
  static Result<Residual> Make(const CaptureFilter& filter, std::uint32_t link_type);

  Residual(Residual&&) noexcept;
  Residual& operator=(Residual&&) noexcept;
  ~Residual();

  /// `original_length` is the packet's length on the wire, from the link-layer header on. A packet
  /// that is not IP is rejected by a filter of kind kIp.
  FilterAnswer Test(std::span<const std::byte> packet, std::uint32_t original_length) const;

 private:
  Residual(const CaptureFilter& filter, std::uint32_t link_type,
           std::unique_ptr<FilterProgram> own);

  const CaptureFilter* filter_;
  std::uint32_t link_type_;
  std::unique_ptr<FilterProgram> own_;  ///< The program for link_type_, where it is not raw IP's.
};

}  // namespace cloudflaredump::filter
