// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <string>
#include <vector>

#include "extcap/filter/box.h"

namespace cloudflaredump::compare {

/// A tcpdump filter for a router, and what it is for.
struct RouterFilter {
  std::string where;   ///< "GRE without a key"
  std::string filter;  ///< empty: every packet
};

/// Filters for packets of `box` as they pass a router: bare, and inside of the tunnels that
/// Magic Transit uses, where tcpdump does not look by itself. The inner IP header is taken to have
/// no options.
std::vector<RouterFilter> RouterFilters(const filter::Box& box);

}  // namespace cloudflaredump::compare
