// SPDX-License-Identifier: GPL-2.0-or-later
#include "dissector/capture_interfaces.h"

#include <wiretap/wtap.h>

#include <utility>

#include "common/description_sentence.h"
#include "common/text.h"
#include "dissector/wireshark_version.h"

namespace cloudflaredump::dissector {
namespace {

std::string Summary(const CaptureInterface& interface) {
  if (interface.sample()) return "[Cloudflare sample]";
  if (!interface.description.colo) return "[Cloudflare]";
  return "[Cloudflare " + CleanLine(*interface.description.colo, 12) + "]";
}

/// Everything about an interface that one reading of its description can give.
void MakeReady(CaptureInterface& interface) {
  if (interface.verdict == ParseVerdict::kMalformed) {
    interface.title = "Cloudflare capture, description malformed";
    interface.summary = "[Cloudflare]";
    return;
  }
  std::string unreadable;
  interface.title = DescriptionTitle(interface.description);
  interface.summary = Summary(interface);
  interface.fields = FieldsOf(interface.description, unreadable);
  if (!unreadable.empty()) {
    interface.unreadable = "The capture description does not have a time in " + unreadable;
  }
}

}  // namespace

void CaptureInterface::See(std::uint32_t frame, bool cut) {
  const auto keep_first = [frame](std::uint32_t& first) {
    if (first == 0 || frame < first) first = frame;
  };
  keep_first(first_frame);
  keep_first(run->first_frame);
  if (cut) keep_first(first_cut_frame);
  if (description.residual_mismatch == true) keep_first(capture->first_mismatch_frame);
  if (description.limit_reached == true) keep_first(capture->first_limit_frame);
}

CaptureInterface* CaptureInterfaces::Of(const packet_info& pinfo) {
  const wtap_rec* const record = pinfo.rec;
  if (record->rec_type != REC_TYPE_PACKET ||
      (record->presence_flags & WTAP_HAS_INTERFACE_ID) == 0) {
    return nullptr;
  }
  const bool has_section = (record->presence_flags & WTAP_HAS_SECTION_NUMBER) != 0;
  const Key section = has_section ? record->section_number : 0;
  const Key key = (section << 32) | record->rec_header.packet_header.interface_id;
  if (key != last_key_) {
    auto known = interfaces_.find(key);
    if (known == interfaces_.end()) known = interfaces_.emplace(key, Read(pinfo, key)).first;
    last_key_ = key;
    last_ = known->second.get();
  }
  return last_;
}

std::unique_ptr<CaptureInterface> CaptureInterfaces::Read(const packet_info& pinfo, Key key) {
  const auto section = static_cast<std::uint32_t>(key >> 32);
  auto interface = std::make_unique<CaptureInterface>();
  if (section != 0 && !wireshark::kKnowsSections) {
    // Said only in files that have something of ours.
    if (captures_.empty() || std::exchange(other_section_said_, true)) return nullptr;
    interface->other_section = true;
    interface->title = "Cloudflare captures in further sections of the file";
    interface->capture = interface->run = &captures_.begin()->second;
    return interface;
  }
  const char* const text =
      wireshark::InterfaceDescription(pinfo.epan, static_cast<std::uint32_t>(key), section);
  if (text == nullptr) return nullptr;
  interface->verdict = ParseCaptureDescription(text, interface->description);
  if (interface->verdict == ParseVerdict::kNotOurs) return nullptr;
  MakeReady(*interface);
  const std::string unnamed = "interface " + std::to_string(key);
  interface->capture = &captures_[interface->description.pcap_id.value_or(unnamed)];
  interface->run = interface->live() ? &live_ : interface->capture;
  return interface;
}

void CaptureInterfaces::Clear() {
  *this = CaptureInterfaces();
}

}  // namespace cloudflaredump::dissector
