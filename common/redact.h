// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cloudflaredump {

/// The one place that knows which texts are secret in this process. Secrets are registered where
/// they are first read (argv, environment, configuration, an answer), and everything that leaves
/// the program for a person (log, errors, progress, capture descriptions) passes Redact last.
/// Process-wide on purpose: a secret forgotten in one object would leak through another.

/// Texts under 6 bytes are not registered: replacing them would garble messages and hide little.
void RegisterSecret(std::string_view secret);

/// `text` with every registered secret, also where some of its bytes are percent-encoded
/// (once or again and again), as "[secret]"; and with what its name says is one (X-Amz-Signature=…,
/// Authorization: …), whoever it belongs to.
std::string Redact(std::string_view text);

/// The user and password of `address`, `KEY:SECRET` in `s3://KEY:SECRET@bucket`; empty if it has
/// none. A secret may hold the slash that ends this part of other addresses.
std::string_view UserInfoOf(std::string_view address);

/// Registers the keys that stand in the parameters of `address`, such as
/// `r2://bucket?account-id=1&access-key-id=2&secret-access-key=3`, and the password before an `@`,
/// as they are written and decoded.
void RegisterSecretsIn(std::string_view address);

/// `address`, or any text, with these values as "[secret]", registered or not. For what a server or
/// a user wrote, also when it cannot be parsed.
std::string RedactAddress(std::string_view address);

/// `address` without the parameters that hold keys; all else stays as it is written.
std::string DropKeys(std::string_view address);

/// Overwrites `text` so that the memory no longer shows it (a secret in argv, say).
void Wipe(char* text);
/// Overwrites all of `bytes` in the same way.
void WipeBytes(std::span<char> bytes);

}  // namespace cloudflaredump
