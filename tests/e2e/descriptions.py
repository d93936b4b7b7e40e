# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes capture descriptions by hand, from docs/capture-description.md and not with the code under
test."""

from urllib.parse import quote

SEPARATOR = " | cloudflaredump:1"


def describe(sentence="Cloudflare capture", **keys):
    """An if_description. `__` in a keyword stands for the dot of a key; True and False are flags."""
    def written(value):
        return str(value).lower() if isinstance(value, bool) else quote(str(value), safe=":/@,+")
    items = (f";{key.replace('__', '.')}={written(value)}" for key, value in keys.items())
    return sentence + SEPARATOR + "".join(items)


def mark(**keys):
    """A packet comment."""
    return describe("Marked packet", **keys)


SAMPLE = dict(pcap_id="6d1f0aac13cd40e3900d29f5dd0e8a2b", type="simple", system="magic-transit",
              time_limit=300, packet_limit=10000, offset_time="2026-11-23T06:20:00Z",
              capture_filter="udp port 53")

FULL = dict(pcap_id="7d7c88382f0b4d5daa9587aa45a1a877", type="full", system="magic-transit",
            time_limit=60, packet_limit=10000, colo="ORD", part=1, parts=2,
            capture_filter="dst host 203.0.113.7")
