// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "common/result.h"
#include "extcap/pcap/file_bytes.h"
#include "extcap/pcap/file_store.h"

namespace cloudflaredump::pcap {

/// Whether the file begins as gzip does (RFC 1952), whatever its name says.
bool IsGzip(FileBytes& file);

/// Unpacks a gzip file, of one member or several, into `store`. What is damaged, cut, or larger
/// than `most` bytes gives its good start, and its loss() says why; so does what `stop`, which is
/// asked again and again, cuts off. An Error only if the store takes nothing.
Result<std::unique_ptr<FileBytes>> Gunzip(FileBytes& file, FileStore& store, std::uint64_t most,
                                          const std::function<bool()>& stop);

}  // namespace cloudflaredump::pcap
