// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

namespace cloudflaredump::http {

/// Registers what stands before the @ in the addresses of the proxies that libcurl takes from the
/// environment (https_proxy, HTTPS_PROXY, http_proxy, all_proxy, ALL_PROXY): libcurl repeats an
/// address that it cannot use in its complaint.
void RegisterProxySecrets();

}  // namespace cloudflaredump::http
