// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "extcap/base/result.h"

struct bpf_program;

namespace cloudflaredump {

/// What is to become of names of hosts in a filter.
enum class NameLookup {
  kAccept,   ///< The dialog's check: a name is taken to be right, nothing is looked up.
  kRefuse,   ///< `explain`: "needs a look-up" is an Error.
  kResolve,  ///< At capture time; bounded by a time limit of its own.
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
  static Result<CaptureFilter> Compile(std::string_view text, NameLookup lookup);

  CaptureFilter(CaptureFilter&&) noexcept;
  CaptureFilter& operator=(CaptureFilter&&) noexcept;
  ~CaptureFilter();

  Kind kind() const { return kind_; }
  const std::string& text() const { return text_; }
  /// The program for raw IP; null unless kind() is kIp. Owned by this object.
  const bpf_program* program() const;

 private:
  struct Program;
  CaptureFilter(Kind kind, std::string text, std::unique_ptr<Program> program);

  Kind kind_;
  std::string text_;
  std::unique_ptr<Program> program_;
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
  /// `link_type`.
  static Result<Residual> Make(const CaptureFilter& filter, std::uint32_t link_type);

  Residual(Residual&&) noexcept;
  Residual& operator=(Residual&&) noexcept;
  ~Residual();

  /// `original_length` is the packet's length on the wire, from the link-layer header on.
  FilterAnswer Test(std::span<const std::byte> packet, std::uint32_t original_length) const;

 private:
  struct Program;
  Residual(const CaptureFilter& filter, std::uint32_t link_type, std::unique_ptr<Program> own);

  const CaptureFilter* filter_;
  std::uint32_t link_type_;
  std::unique_ptr<Program> own_;  ///< For a link-layer filter: its program for link_type_.
};

}  // namespace cloudflaredump
