# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes capture descriptions by hand, from docs/capture-description.md and not with the code under
test."""

import json

SEPARATOR = " | cloudflaredump:"


def describe(sentence="Cloudflare capture", **keys):
    """An if_description. `__` in a keyword is the dot of a key; `filter_v1__x` is the member x of
    filter_v1."""
    members = {"version": 1}
    for key, value in keys.items():
        if key.startswith("filter_v1__"):
            members.setdefault("filter_v1", {})[key.removeprefix("filter_v1__")] = value
        else:
            members[key.replace("__", ".")] = value
    return sentence + SEPARATOR + json.dumps(members, separators=(",", ":")).replace("|", "\\u007c")


def mark(**keys):
    """A packet comment."""
    return describe("Marked packet", **keys)


SAMPLE = dict(pcap_id="6d1f0aac13cd40e3900d29f5dd0e8a2b", type="simple", system="magic-transit",
              time_limit=300, packet_limit=10000, offset_time="2026-11-23T06:20:00Z",
              capture_filter="udp port 53")

FULL = dict(pcap_id="7d7c88382f0b4d5daa9587aa45a1a877", type="full", system="magic-transit",
            time_limit=60, packet_limit=10000, colo="ORD", file=1, files=2,
            capture_filter="dst host 203.0.113.7")
