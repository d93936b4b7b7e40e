// SPDX-License-Identifier: GPL-2.0-or-later
#include <algorithm>
#include <utility>

#include "common/text.h"
#include "extcap/filter/capture_filter.h"
#include "extcap/filter/compile.h"
#include "extcap/filter/compile_bounded.h"
#include "extcap/filter/cut_packet.h"
#include "extcap/filter/ip_header.h"
#include "extcap/filter/link_type.h"

namespace cloudflaredump::filter {
namespace {

/// libpcap's word on `packet`, or what can be said of it if bytes are missing.
FilterAnswer Run(const FilterProgram& program, std::span<const std::byte> packet,
                 std::uint32_t original_length) {
  const auto captured = static_cast<bpf_u_int32>(packet.size());
  // A header that names itself as the next one keeps libpcap in its loop; ours gives up.
  if (program.loops()) {
    return RunOnCutPacket(program.instructions(), packet, std::max(captured, original_length));
  }
  const pcap_pkthdr header = {
      .ts = {}, .caplen = captured, .len = std::max(captured, original_length)};
  // A load of a missing byte rejects: what is accepted was accepted without any.
  const bool accepted = pcap_offline_filter(program.view(), &header,
                                            reinterpret_cast<const u_char*>(packet.data())) != 0;
  if (accepted) return FilterAnswer::kMatches;
  if (captured >= original_length) return FilterAnswer::kRejects;
  return RunOnCutPacket(program.instructions(), packet, original_length);
}

}  // namespace

Residual::Residual(const CaptureFilter& filter, std::uint32_t link_type)
    : filter_(&filter), link_type_(link_type), whole_(nullptr) {}

Residual::Residual(Residual&&) noexcept = default;
Residual& Residual::operator=(Residual&&) noexcept = default;
Residual::~Residual() = default;

Result<Residual> Residual::Make(const CaptureFilter& filter, std::uint32_t link_type,
                                const std::function<bool()>& stop) {
  using Kind = CaptureFilter::Kind;
  Residual residual(filter, link_type);
  if (filter.kind() == Kind::kAll) return residual;
  if (filter.program_ == nullptr) {
    residual.untested_ = Error{"the names in the filter were not looked up"};
    return residual;
  }
  if (filter.kind() == Kind::kIp && KnowsLinkType(link_type)) return residual;
  if (filter.kind() == Kind::kLinkLayer && link_type == kLinkTypeEthernet) {
    residual.whole_ = filter.program_.get();
    return residual;
  }
  auto compiled = CompileBounded(
      [&]() -> Result<Compiled> {
        auto program = CompileProgram(filter.text_, link_type);
        if (!program) return Failure(program);
        return Compiled{filter.kind_, std::move(*program)};
      },
      filter.lookup_, {.limits = filter.limits_, .stop = stop});
  if (compiled) {
    residual.own_ = std::make_unique<FilterProgram>(std::move(compiled->instructions));
    residual.whole_ = residual.own_.get();
  } else if (compiled.error().kind == Error::Kind::kInterrupted) {
    return Failure(compiled);
  } else {
    residual.untested_ = Error{
        .what = Format("packets with link type %u cannot be tested with this filter", link_type),
        .said = ClauseOf(compiled.error())};
  }
  return residual;
}

FilterAnswer Residual::Test(std::span<const std::byte> packet,
                            std::uint32_t original_length) const {
  if (filter_->kind() == CaptureFilter::Kind::kAll) return FilterAnswer::kMatches;
  if (untested_) return FilterAnswer::kUndecided;
  if (whole_ != nullptr) return Run(*whole_, packet, original_length);
  const IpSearch search = SearchIpHeader(link_type_, packet);
  switch (search.outcome) {
    case IpSearch::Outcome::kFound:
      break;
    case IpSearch::Outcome::kTooShort:
      return packet.size() < original_length ? FilterAnswer::kUndecided : FilterAnswer::kRejects;
    case IpSearch::Outcome::kNotIp:
    case IpSearch::Outcome::kUnknownLinkType:
      return FilterAnswer::kRejects;
  }
  // A file whose original length is the smaller one is wrong about it.
  const std::size_t whole = std::max<std::size_t>(packet.size(), original_length);
  const std::size_t offset = std::min(search.location.offset, whole);
  const auto captured = packet.subspan(std::min(offset, packet.size()));
  return Run(*filter_->program_, captured, static_cast<std::uint32_t>(whole - offset));
}

}  // namespace cloudflaredump::filter
