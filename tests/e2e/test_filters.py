# SPDX-License-Identifier: GPL-2.0-or-later
"""Any capture filter, exactly: packets of all kinds are captured from the emulator, which applies
`filter_v1` by itself, by real tshark and, where more requests are made, by the extcap as tshark runs
it; what arrives is compared with libpcap's word on the whole packets, before the cut at 160
bytes."""

import json
import random
import struct
import time

import libpcap
import pytest
from capturing import INSTANT, Client, as_preferences, downloads_of, record, requests_of
from emulator import Emulator, Packet, write_pcap
from packets import (AH, DESTINATION_OPTIONS, ESP, FRAGMENT, GRE, HOP_BY_HOP, ICMP, ICMP6, SCTP, TCP,
                     UDP, authentication, extension, fragment6, ip4, ip6, ports)

V4 = ["203.0.113.7", "198.51.100.1", "192.0.2.0", "192.0.2.1", "192.0.2.77"]
V6 = ["2001:db8::1", "2001:db8::2", "2001:db8:1::53"]
PORTS = [53, 80, 81, 443, 1024, 8080, 40000]
CUT = 160

FILTERS = """
host 203.0.113.7
src host 203.0.113.7
dst host 192.0.2.1
not host 203.0.113.7
host 203.0.113.7 or host 192.0.2.1
host 203.0.113.7 and host 192.0.2.1
host 203.0.113.7 and tcp port 443
src host 198.51.100.1 and src port 53 and dst host 203.0.113.7 and dst port 80 and tcp
net 192.0.2.0/24
src net 192.0.2.0/31 and not src host 192.0.2.0
dst net 192.0.2.0 mask 255.255.255.254
port 53
src port 53
dst port 443
udp port 53
tcp port 443
sctp port 80
tcp dst port 80 or udp dst port 53
port 53 or port 80
portrange 80-81
dst portrange 80-81 and not dst port 81 and udp
not port 443
ip
ip6
tcp
udp
sctp
icmp
icmp6
tcp or udp
not tcp
not (tcp or udp)
ip proto 47
ip6 proto 17
proto 50
ip and tcp
ip6 and tcp
ip6 host 2001:db8::1
ip6 host 2001:db8::1 and udp port 53
src host 2001:db8::2 or dst host 203.0.113.7
net 2001:db8::/32
tcp[tcpflags] & tcp-syn != 0
tcp[tcpflags] & (tcp-syn|tcp-fin) = tcp-syn and dst host 192.0.2.1
tcp[13] = 2 and dst port 443
icmp[0] = 8
icmp[0:2] = 0x0800
icmp[icmptype] = icmp-echoreply
ip[9] = 17 and ip[16:4] = 0xcb007107
ip[8] < 64
ip[6:2] & 0x1fff != 0
ip[6:2] & 0x3fff = 0 and udp
ip[0] & 0xf != 5
udp[8:2] = 0x1234
udp[200] = 7
tcp[180:4] = 0x07070707
ip6[6] = 44
ip6[40:2] = 443
greater 300
less 60
len > 100 and len <= 400
ip[2:2] > 500
udp[4:2] - 8 > 200
(host 203.0.113.7 or host 192.0.2.77) and (port 80 or port 443) and tcp
src host 203.0.113.7 and dst host 203.0.113.7
dst host 203.0.113.7 or (src host 203.0.113.7 and udp)
host 203.0.113.7 and not (tcp port 443 or icmp)
port 443 and (tcp[13] & 4 != 0 or udp)
ip multicast or ip[16] = 198
dst host 192.0.2.0 or dst host 192.0.2.1 or dst host 192.0.2.77 or dst host 203.0.113.7
""".strip().split("\n")


def transport(rng, protocol):
    """A payload for an IP protocol, of random length."""
    rest = bytes(rng.choice([0, 2, 7, 8]) for _ in range(rng.choice([8, 20, 40, 200, 400])))
    if protocol == TCP:
        flags = rng.choice([2, 16, 18, 4, 17])
        return ports(rng.choice(PORTS), rng.choice(PORTS),
                     struct.pack(">IIBBHHH", 1, 2, 0x50, flags, 1000, 0, 0) + rest)
    if protocol == UDP:
        return ports(rng.choice(PORTS), rng.choice(PORTS),
                     struct.pack(">HH", 8 + len(rest), 0) + rng.choice([b"\x12\x34", b"\0\0"]) + rest)
    if protocol == SCTP:
        return ports(rng.choice(PORTS), rng.choice(PORTS), bytes(8) + rest)
    if protocol in (ICMP, ICMP6):
        return bytes([rng.choice([0, 8, 128]), 0]) + bytes(6) + rest
    return rest


def packet(rng):
    """One IP packet of any kind."""
    protocol = rng.choice([TCP, TCP, UDP, UDP, SCTP, ICMP, GRE, ESP])
    if rng.random() < 0.6:
        data = bytearray(ip4(protocol, transport(rng, protocol), rng.choice(V4), rng.choice(V4),
                             fragment=rng.choice([0] * 8 + [8, 800]),
                             options=rng.choice([b""] * 6 + [b"\1" * 4, b"\1" * 12])))
        data[8] = rng.choice([1, 63, 64, 255])
        return bytes(data)
    protocol = ICMP6 if protocol == ICMP else protocol
    payload = transport(rng, protocol)
    chain = rng.choice([None] * 6 + [HOP_BY_HOP, DESTINATION_OPTIONS, FRAGMENT, FRAGMENT, AH])
    if chain == FRAGMENT:
        payload = fragment6(protocol, rng.choice([0, 0, 800])) + payload
    elif chain == AH:
        payload = authentication(protocol) + payload
    elif chain is not None:
        payload = extension(protocol) + payload
    return ip6(protocol if chain is None else chain, payload, rng.choice(V6), rng.choice(V6))


@pytest.fixture(scope="module")
def traffic():
    """800 packets of the last minutes, each with a time of its own."""
    rng = random.Random(20261123)
    end = int(time.time()) - 5
    return [Packet((end - 200) * 10**9 + i * 250_000_000 + 1000, packet(rng)) for i in range(800)]


@pytest.fixture(scope="module")
def api(traffic, tmp_path_factory):
    path = write_pcap(tmp_path_factory.mktemp("traffic") / "all.pcap", traffic)
    with Emulator("--packets", path, "--filter-ipv6", "off", *INSTANT) as one:
        yield one


@pytest.fixture(scope="module")
def capturer(api):
    return Client(api)


def plan(client, text, requests):
    explained = client.tool("explain", text, "--requests-per-window", str(requests))
    assert explained.returncode == 0, explained.stderr
    return json.loads(explained.stdout)


def is_undecided(packet_block):
    return any('"undecided":true' in comment for comment in packet_block.comments)


@pytest.mark.parametrize("requests", [1, 2, 4])
@pytest.mark.parametrize("text", FILTERS)
def test_what_the_filter_means_arrives(text, requests, traffic, api, capturer):
    before = len(requests_of(api, "POST", "/pcaps"))
    # The same window however long the tests take: it ends where the traffic does.
    end = traffic[-1].time // 10**9 + 1
    options = {"requests_per_window": requests, "end_time": end}
    captured = (capturer.tshark(text, *as_preferences(options)) if requests == 1
                else capturer.extcap(text, **options))
    assert captured.returncode == 0, captured.stderr

    asked = [entry["body"]["filter_v1"] for entry in requests_of(api, "POST", "/pcaps")[before:]]
    planned = plan(capturer, text, requests)
    assert asked == [one["filter_v1"] for one in planned["requests"]]
    assert 1 <= len(asked) <= requests

    accepts = libpcap.Filter(text).accepts
    want = {one.time: one for one in traffic if accepts(one.data)}
    got = {}
    for one in captured.section.packets:
        assert one.time not in got, "delivered twice"
        got[one.time] = one
    originals = {one.time: one for one in traffic}
    for moment, one in got.items():
        original = originals[moment]
        assert (one.data, one.length) == (original.data[:CUT], len(original.data))
        if moment not in want:
            assert is_undecided(one), f"{text}: delivered, though it does not match"
            assert len(original.data) > CUT
    missing = [moment for moment in want if moment not in got]
    assert not missing, f"{text}: {len(missing)} matching packets are missing"


def test_overlapping_requests_lose_and_double_nothing(tmp_path):
    """The first request is cut by the packet limit, and the boxes overlap: what the second brings
    of the first one's share is delivered, and nothing twice."""
    end = int(time.time()) - 5
    rng = random.Random(7)
    talk = [("198.51.100.1", "203.0.113.7"), ("203.0.113.7", "198.51.100.1"),
            ("203.0.113.7", "203.0.113.7")]
    traffic = [Packet((end - 60) * 10**9 + i * 500_000_000,
                      ip4(UDP, transport(rng, UDP), *talk[i % 3])) for i in range(90)]
    path = write_pcap(tmp_path / "talk.pcap", traffic)
    with Emulator("--packets", path, *INSTANT) as api:
        captured = Client(api).tshark("host 203.0.113.7", "-o",
                                      "extcap.cloudflare_sample.packetlimit:20", "-o",
                                      "extcap.cloudflare_sample.maxrequests:2")
        first, second = ([record(one) for one in packets] for packets in downloads_of(api))
    assert len(first) == len(second) == 20
    assert set(first) & set(second), "the boxes overlap"
    got = [record(one) for one in captured.section.packets]
    assert len(got) == len(set(got)), "delivered twice"
    assert set(got) == set(first) | set(second)
    assert "limit of 20 packets" in captured.stderr
