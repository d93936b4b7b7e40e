// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <functional>
#include <string>

#include "common/result.h"
#include "common/time.h"

namespace cloudflaredump::tool {

/// `text` for Markdown: one line, nothing in it is markup.
std::string MarkdownText(const std::string& text);

/// `text` as a code span of Markdown, in which a backslash is one: a filter or the name of a file.
std::string CodeText(const std::string& text);

/// "2026-11-23 07:20:00 CET (2026-11-23T06:20:00Z)": local time and UTC.
std::string BothTimes(WallTime time);

/// The SHA-256 of a regular file in hexadecimal digits; why there is none otherwise: a device may
/// have no end. Asks `stopped`, if there is one, between pieces: a large file takes minutes.
std::string DigestText(const std::string& path, const std::function<bool()>& stopped = {});

/// Whether a report can be written to `report` (empty: none is) beside the packets in `file`.
Result<void> CheckReport(const std::string& report, const std::string& file);

/// Writes `text` to a new file at `path`, or over an older one that is not `file`, where the
/// packets are by now: a link may have led nowhere before.
Result<void> WriteReport(const std::string& path, const std::string& text, const std::string& file);

}  // namespace cloudflaredump::tool
