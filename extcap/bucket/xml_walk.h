// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "common/result.h"

namespace cloudflaredump::bucket {

/// Called at the end of each element: its path of local names from the root, as "/Error/Code", and
/// the text directly in it.
using XmlElementEnd = std::function<void(std::string_view path, const std::string& text)>;

/// Walks an XML document of a server, with libxml2 and nothing from outside: no network, no DTD,
/// no entities but XML's own five. An Error if it is not well-formed, is longer than 4 MiB, has a
/// DTD or a tag of more than 64 KiB, is deeper than 16 elements, or one text is longer than 1 MiB;
/// what came before has been told by then. kPassing if it looks like another's document, or half of
/// one.
Result<void> WalkXml(std::string_view xml, const XmlElementEnd& on_end);

}  // namespace cloudflaredump::bucket
