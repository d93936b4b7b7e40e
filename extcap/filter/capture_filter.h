// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/result.h"
#include "extcap/filter/compile_limits.h"

struct bpf_program;

namespace cloudflaredump::filter {

class FilterProgram;

/// What is to become of names of hosts in a filter. Names of ports, protocols and networks are
/// those of the local files, always.
enum class NameLookup {
  kAccept,   ///< The dialog's check: a name is taken to be right, nothing is looked up.
  kRefuse,   ///< `explain`: "needs a look-up" is an Error.
  kResolve,  ///< At capture time; the name service has a time limit of its own.
};

/// A user's capture filter, compiled by libpcap. Movable, one thread.
class CaptureFilter {
 public:
  enum class Kind {
    kAll,        ///< Empty: every packet.
    kIp,         ///< Compiled for raw IP (LINKTYPE_RAW), tested from the IP header on.
    kLinkLayer,  ///< About link-layer headers: compiled for the arriving link type.
  };

  /// libpcap's own words are the Error's `what`: a syntax error, or a filter that rejects all
  /// packets. libpcap runs in a child process; passing one of its bounds is an Error with a remedy.
  static Result<CaptureFilter> Compile(std::string_view text, NameLookup lookup,
                                       const CompileBounds& bounds = {});
  /// The same for a command or a capture: the Error of a filter that cannot be used quotes it, and
  /// says where filters are described.
  static Result<CaptureFilter> CompileTyped(std::string_view text, NameLookup lookup,
                                            const CompileBounds& bounds = {});

  CaptureFilter(CaptureFilter&&) noexcept;
  CaptureFilter& operator=(CaptureFilter&&) noexcept;
  ~CaptureFilter();

  Kind kind() const { return kind_; }
  const std::string& text() const { return text_; }
  /// The program for raw IP; null unless kind() is kIp, and null where kAccept met a name: such a
  /// filter was checked, but can neither be planned narrowly nor tested. Owned by this object.
  const bpf_program* program() const;
  /// The program for Ethernet of a filter of kind kLinkLayer; else null, as program() is.
  const bpf_program* ethernet_program() const;

 private:
  friend class Residual;
  CaptureFilter(Kind kind, std::string text, std::unique_ptr<FilterProgram> program,
                NameLookup lookup, std::optional<CompileLimits> limits);

  Kind kind_;
  std::string text_;
  std::unique_ptr<FilterProgram> program_;  ///< for raw IP or, of kind kLinkLayer, for Ethernet
  NameLookup lookup_;                       ///< This and the limits: for link types still to come.
  std::optional<CompileLimits> limits_;
};

/// The filter's word on one packet.
enum class FilterAnswer : std::uint8_t {
  kMatches,
  kRejects,
  /// The packet was cut before bytes that the filter needs, keeps a loop of the filter (protochain)
  /// going, or cannot be tested at all, see Residual::untested(). It is kept and marked.
  kUndecided,
};

/// Tests the packets of one file (one link type) with a filter. Keeps a pointer to the filter,
/// which must outlive it.
class Residual {
 public:
  /// Compiles the filter for `link_type` where that is needed: one about link-layer headers, and
  /// any if SearchIpHeader does not know `link_type`; then libpcap's knowledge of the link type is
  /// used from the first byte on. The only Error is kInterrupted, if `stop` (may be empty) said so.
  static Result<Residual> Make(const CaptureFilter& filter, std::uint32_t link_type,
                               const std::function<bool()>& stop = {});

  Residual(Residual&&) noexcept;
  Residual& operator=(Residual&&) noexcept;
  ~Residual();

  /// `original_length` is the packet's length on the wire, from the link-layer header on. A packet
  /// that is not IP is rejected by a filter of kind kIp.
  FilterAnswer Test(std::span<const std::byte> packet, std::uint32_t original_length) const;

  /// Why no packet of this link type can be tested: libpcap cannot filter it, or the filter is
  /// about link-layer headers that these packets do not have. Every answer is kUndecided then.
  /// Nothing where packets are tested.
  const std::optional<Error>& untested() const { return untested_; }

 private:
  Residual(const CaptureFilter& filter, std::uint32_t link_type);

  const CaptureFilter* filter_;
  std::uint32_t link_type_;
  std::unique_ptr<FilterProgram> own_;  ///< What was compiled for link_type_.
  const FilterProgram* whole_;          ///< Runs from the first byte on; null: from the IP header.
  std::optional<Error> untested_;
};

}  // namespace cloudflaredump::filter
