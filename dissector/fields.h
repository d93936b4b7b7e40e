// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <epan/packet.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/capture_description.h"

namespace cloudflaredump::dissector {

/// What a field holds. Texts are printable. Addresses are in network byte order.
using FieldContent =
    std::variant<std::string, std::uint64_t, bool, nstime_t, ws_in4_addr, ws_in6_addr>;

/// A field made ready once and then added to each packet of an interface, with those below it.
struct FieldValue {
  std::size_t field;  ///< Its place among the registered fields.
  FieldContent content;
  std::vector<FieldValue> below = {};
};

/// Registers with Wireshark, under `protocol`, a field for each row of DescriptionFields,
/// MarkFields and FilterV1Fields, and those that are worked out here.
void RegisterFields(int protocol);

/// What is set in `description`, in the order in which it is shown. The names of fields whose text
/// should be a time and cannot be read are added to `unreadable`, commas between.
std::vector<FieldValue> FieldsOf(const CaptureDescription& description, std::string& unreadable);

/// What is set in `mark`. Times that cannot be read are left out.
std::vector<FieldValue> FieldsOf(const PacketMark& mark);

/// The field that says that a packet was cut.
const FieldValue& CutField();

/// Adds a field to `tree`; it stands for no bytes of the packet.
void AddField(proto_tree* tree, tvbuff_t* tvb, const FieldValue& value);

}  // namespace cloudflaredump::dissector
