# SPDX-License-Identifier: GPL-2.0-or-later
"""Which packets the emulator's captures hold, and in what form."""

import itertools
import os
import pathlib
import struct
import time

import packets as p
import pytest
from emulator import Emulator, Packet, Pcap, write_pcap
from test_emulator import FAST, SECOND, ago, rfc3339

# Captures of other projects, read where they are at hand.
PCAPS = pathlib.Path(os.environ.get(
    "CLOUDFLAREDUMP_TEST_PCAPS", pathlib.Path(__file__).parents[3] / "shared/data/pcaps"))


def recent(*datas, start=60, step=1000):
    """Packets of these bytes, the first `start` seconds ago, `step` nanoseconds apart."""
    first = (time.time_ns() - start * SECOND) // 1000 * 1000
    return [Packet(first + i * step, data) for i, data in enumerate(datas)]


def served(tmp_path, packets, *options, **fields):
    """What a sample with these fields has of these raw packets."""
    file = write_pcap(tmp_path / "in.pcap", packets)
    with Emulator("--packets", file, *FAST, *options) as api:
        return api.sample(**fields)


# ---- filter_v1

PORTS = p.ports(1111, 53)
TUPLE = {"source_port": 1111, "destination_port": 53}

FIELDS = [  # A packet, and the conditions on it that hold besides its addresses.
    ("tcp", p.ip4(p.TCP, PORTS), {"protocol": 6, **TUPLE}),
    ("udp", p.ip4(p.UDP, PORTS), {"protocol": 17, **TUPLE}),
    ("sctp", p.ip4(p.SCTP, PORTS), {"protocol": 132, **TUPLE}),
    ("icmp", p.ip4(p.ICMP, PORTS), {"protocol": 1}),
    ("esp", p.ip4(p.ESP, PORTS), {"protocol": 50}),
    ("ah is IPv4's protocol", p.ip4(p.AH, p.authentication(p.UDP) + PORTS), {"protocol": 51}),
    ("gre: the outer header", p.ip4(p.GRE, b"\0\0\x08\0" + p.ip4(p.UDP, PORTS, p.B, p.A)),
     {"protocol": 47}),
    ("ip in ip", p.ip4(4, p.ip4(p.UDP, PORTS, p.B, p.A)), {"protocol": 4}),
    ("ports behind options", p.ip4(p.UDP, PORTS, options=b"\1" * 8), {"protocol": 17, **TUPLE}),
    ("later fragment", p.ip4(p.UDP, PORTS, fragment=8), {"protocol": 17}),
    ("no room for ports", p.ip4(p.UDP, b"\x04\x57\0"), {"protocol": 17}),
    ("tcp6", p.ip6(p.TCP, PORTS), {"protocol": 6, **TUPLE}),
    ("icmp6", p.ip6(p.ICMP6, PORTS), {"protocol": 58}),
    ("no next header", p.ip6(59), {"protocol": 59}),
    ("hop-by-hop", p.ip6(p.HOP_BY_HOP, p.extension(p.UDP) + PORTS), {"protocol": 17, **TUPLE}),
    ("routing", p.ip6(p.ROUTING, p.extension(p.UDP, 24) + PORTS), {"protocol": 17, **TUPLE}),
    ("options", p.ip6(p.DESTINATION_OPTIONS, p.extension(p.SCTP) + PORTS),
     {"protocol": 132, **TUPLE}),
    ("mobility", p.ip6(p.MOBILITY, p.extension(59, 16)), {"protocol": 59}),
    ("ah", p.ip6(p.AH, p.authentication(p.TCP) + PORTS), {"protocol": 6, **TUPLE}),
    ("esp ends the chain", p.ip6(p.ESP, PORTS), {"protocol": 50}),
    ("four in a row", p.ip6(p.HOP_BY_HOP, p.extension(p.ROUTING) + p.extension(p.FRAGMENT)
                            + p.fragment6(p.AH) + p.authentication(p.TCP) + PORTS),
     {"protocol": 6, **TUPLE}),
    ("first fragment", p.ip6(p.FRAGMENT, p.fragment6(p.UDP) + PORTS), {"protocol": 17, **TUPLE}),
    ("later fragment 6", p.ip6(p.FRAGMENT, p.fragment6(p.UDP, 8) + PORTS), {"protocol": 17}),
    ("later fragment of options",
     p.ip6(p.FRAGMENT, p.fragment6(p.DESTINATION_OPTIONS, 8) + p.extension(p.UDP) + PORTS), {}),
    ("chain cut off", p.ip6(p.HOP_BY_HOP, b"\x11\0"), {}),
]


@pytest.fixture(scope="module")
def crafted(tmp_path_factory):
    """One emulator that serves each packet of FIELDS in a second of its own."""
    start = time.time_ns() // SECOND - 3000
    times = [(start + 10 * i) * SECOND for i in range(len(FIELDS))]
    file = tmp_path_factory.mktemp("crafted") / "in.pcap"
    write_pcap(file, [Packet(at, data) for at, (_, data, _) in zip(times, FIELDS)])
    with Emulator("--packets", file, *FAST) as api:
        api.times = times
        yield api


def holds(api, index, filter_v1):
    """Whether packet `index` passes; every other packet is outside of the window."""
    found = api.sample(time_limit=2, offset_time=rfc3339(api.times[index] + SECOND),
                       filter_v1=filter_v1)
    assert len(found) <= 1
    return len(found) == 1


@pytest.mark.parametrize("index", range(len(FIELDS)), ids=[name for name, _, _ in FIELDS])
def test_fields_of_a_packet(crafted, index):
    _, data, conditions = FIELDS[index]
    six = data[0] >> 4 == 6
    addresses = {"source_address": p.A6 if six else p.A,
                 "destination_address": p.B6 if six else p.B}
    assert holds(crafted, index, {})
    assert holds(crafted, index, {**addresses, **conditions})
    for name, value in {**addresses, **conditions}.items():
        assert holds(crafted, index, {name: value}), name
    for name, wrong in {"source_address": addresses["destination_address"],
                        "destination_address": addresses["source_address"], "protocol": 99,
                        "source_port": 53, "destination_port": 1111}.items():
        assert not holds(crafted, index, {name: wrong}), name
        assert not holds(crafted, index, {**addresses, **conditions, name: wrong}), name
    for name in {"protocol", "source_port", "destination_port"} - set(conditions):
        for value in (0, 1, 6, 17, 53, 60):
            assert not holds(crafted, index, {name: value}), (name, value)


def test_an_address_of_one_family_is_none_of_the_other(tmp_path):
    four = p.ip4(p.UDP, PORTS, source="32.1.13.184")
    six = p.ip6(p.UDP, PORTS, source="2001:db8::")  # Begins with the same four bytes.
    packets = recent(four, six)
    file = write_pcap(tmp_path / "in.pcap", packets)
    with Emulator("--packets", file, *FAST) as api:
        assert api.sample(filter_v1={"source_address": "32.1.13.184"}) == packets[:1]
        assert api.sample(filter_v1={"source_address": "2001:DB8:0::0"}) == packets[1:]
        assert api.sample(filter_v1={"source_address": "32.1.13.184",
                                     "destination_address": p.B6}) == []


WRAPPED = [
    (1, lambda data: p.ethernet(data)),
    (1, lambda data: p.ethernet(data, 0x8100)),
    (1, lambda data: p.ethernet(data, 0x88A8, 0x8100)),
    (1, lambda data: p.ethernet(data, 0x9100, 0x88A8, 0x8100)),
    (101, bytes), (113, p.sll), (276, p.sll2), (239, p.nflog),
    (239, lambda data: p.nflog(data, before=())),
    (239, lambda data: p.nflog(data, before=((1, b"abcd"), (10, b"p"), (8, b"xyz")))),
]


@pytest.mark.parametrize("index", range(len(WRAPPED)))
def test_the_ip_header_is_found_behind(tmp_path, index):
    link_type, wrap = WRAPPED[index]
    packets = recent(wrap(p.ip4(p.UDP, PORTS)), wrap(p.ip6(p.UDP, PORTS)),
                     wrap(p.ip4(p.TCP, PORTS)), b"\xff" * 30)
    file = write_pcap(tmp_path / "in.pcap", packets, link_type)
    with Emulator("--packets", file, *FAST) as api:
        everything = api.sample()
        assert everything == packets and everything.link_type == link_type
        assert api.sample(filter_v1={"protocol": 17, **TUPLE}) == packets[:2]
        assert api.sample(filter_v1={"destination_address": p.B}) == [packets[0], packets[2]]


@pytest.mark.parametrize("link_type, own, other", [
    (228, p.ip4(p.UDP, PORTS), p.ip6(p.UDP, PORTS)),
    (229, p.ip6(p.UDP, PORTS), p.ip4(p.UDP, PORTS))])
def test_link_types_of_one_family(tmp_path, link_type, own, other):
    packets = recent(own, other)
    file = write_pcap(tmp_path / "in.pcap", packets, link_type)
    with Emulator("--packets", file, *FAST) as api:
        assert api.sample(filter_v1={"protocol": 17}) == packets[:1]


@pytest.mark.parametrize("data", [
    p.ethernet(p.ip4(p.UDP, PORTS))[:12] + b"\x08\x06" + p.ip4(p.UDP, PORTS),  # ARP's type
    p.ethernet(p.ip6(p.UDP, PORTS))[:12] + b"\x08\0" + p.ip6(p.UDP, PORTS),    # IPv4's
    p.ethernet(p.ip4(p.UDP, PORTS))[:14], b"", b"\x02" * 13,
    p.ethernet(p.ip4(p.UDP, PORTS), 0x8100)[:17],
])
def test_frames_without_ip_match_only_the_empty_filter(tmp_path, data):
    packets = recent(data)
    file = write_pcap(tmp_path / "in.pcap", packets, 1)
    with Emulator("--packets", file, *FAST) as api:
        assert api.sample() == packets
        assert api.sample(filter_v1={"protocol": 17}) == []


@pytest.mark.skipif(not PCAPS.is_dir(), reason="no captures of other projects at hand")
@pytest.mark.parametrize("name", ["tcpdump-various_gre", "zeek-http-vlan-0", "zeek-icmp6-ping",
                                  "zeek-nflog-http", "tcpdump-pptp",
                                  "tcpdump-tcp-handshake-nano", "tcpdump-ipv6_mobility_1"])
def test_real_captures_come_back_and_divide_by_protocol(name):
    original = read_any(PCAPS / (name + ".pcap"))
    with Emulator("--packets", PCAPS / (name + ".pcap"), "--rebase", *FAST) as api:
        found = api.sample()
        assert found.link_type == original.link_type
        inside = [q for q in original if original[-1].time - q.time < 299 * SECOND]
        assert [q.data for q in found[-len(inside):]] == [q.data[:160] for q in inside]
        assert [q.length for q in found[-len(inside):]] == [q.length for q in inside]
        by_protocol = [len(api.sample(filter_v1={"protocol": n})) for n in
                       (0, 1, 2, 6, 17, 46, 47, 50, 58, 59, 60, 89, 103, 132, 135)]
        assert sum(by_protocol) <= len(found) and sum(by_protocol) > 0


def read_any(path):
    """Like read_pcap, but takes versions and snap lengths as they come, and orders by time."""
    data = path.read_bytes()
    order = ">" if data[:4] in (b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d") else "<"
    nanoseconds = data[:4] in (b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1")
    file = Pcap([], struct.unpack(order + "I", data[20:24])[0], nanoseconds, order == ">")
    at = 24
    while at < len(data):
        seconds, fraction, size, length = struct.unpack_from(order + "IIII", data, at)
        at += 16 + size
        file.append(Packet(seconds * SECOND + fraction * (1 if nanoseconds else 1000),
                           data[at - size:at], length))
    file.sort(key=lambda packet: packet.time)
    return file


# ---- window, limit, cut

@pytest.mark.parametrize("ends, kept", [("closed", [1, 2, 3]), ("open-start", [2, 3]),
                                        ("open-end", [1, 2])])
def test_window_ends(tmp_path, ends, kept):
    end = time.time_ns() // SECOND * SECOND - 100 * SECOND
    times = [end - 10 * SECOND - 1, end - 10 * SECOND, end - 5 * SECOND, end, end + 1]
    packets = [Packet(at, p.ip4(p.UDP, bytes([i]))) for i, at in enumerate(times)]
    file = write_pcap(tmp_path / "in.pcap", packets, nanoseconds=True)
    with Emulator("--packets", file, "--window-ends", ends, *FAST) as api:
        found = api.sample(time_limit=10, offset_time=rfc3339(end))
        assert found == [packets[i] for i in kept]


def test_time_limit_may_have_decimals(tmp_path):
    end = time.time_ns() // SECOND * SECOND - 100 * SECOND
    packets = [Packet(end - k * SECOND // 2, p.ip4(p.UDP)) for k in (4, 3, 2)]
    file = write_pcap(tmp_path / "in.pcap", packets)
    with Emulator("--packets", file, *FAST) as api:
        assert api.sample(time_limit=1.5, offset_time=rfc3339(end)) == packets[1:]


def test_without_offset_time_the_window_ends_at_the_request(tmp_path):
    now = time.time_ns() // 1000 * 1000
    packets = [Packet(now + s * SECOND, p.ip4(p.UDP, bytes([s + 70]))) for s in (-70, -50, 30)]
    assert served(tmp_path, packets, time_limit=60) == packets[1:2]


def test_packet_limit_keeps_the_first_in_time_order(tmp_path):
    packets = recent(*[p.ip4(p.UDP, bytes([i])) for i in range(10)])
    shuffled = packets[5:] + packets[:5]
    assert served(tmp_path, shuffled, packet_limit=4) == packets[:4]


def test_packet_limit_counts_what_matches(tmp_path):
    packets = recent(*[p.ip4(p.UDP if i % 3 else p.TCP, PORTS) for i in range(12)])
    found = served(tmp_path, packets, packet_limit=2, filter_v1={"protocol": 6})
    assert found == [packets[0], packets[3]]


def test_packets_of_one_time_keep_their_order(tmp_path):
    packets = recent(*[p.ip4(p.UDP, bytes([i])) for i in (3, 1, 2)], step=0)
    assert served(tmp_path, packets) == packets


@pytest.mark.parametrize("size", [159, 160, 161, 1500])
def test_packets_are_cut_at_160_bytes(tmp_path, size):
    data = p.ip4(p.UDP, bytes(size - 20))
    [found] = served(tmp_path, recent(data))
    assert (found.data, found.length) == (data[:160], size)


def test_a_packet_that_was_cut_before_keeps_its_length(tmp_path):
    packet = recent(p.ip4(p.UDP, PORTS))[0]
    packet.length = 9000
    assert served(tmp_path, [packet]) == [packet]


def test_the_filter_sees_more_than_160_bytes(tmp_path):
    chain = b"".join(p.extension(p.DESTINATION_OPTIONS, 64) for _ in range(3))
    data = p.ip6(p.DESTINATION_OPTIONS, chain + p.extension(p.UDP) + PORTS)
    [found] = served(tmp_path, recent(data), filter_v1={"protocol": 17, **TUPLE})
    assert found.data == data[:160]


def test_rebase_moves_the_last_packet_to_the_start(tmp_path):
    old = [Packet(10**9 * SECOND + i * 123457, p.ip4(p.UDP, bytes([i]))) for i in range(5)]
    file = write_pcap(tmp_path / "in.pcap", old, nanoseconds=True)
    before = time.time_ns()
    with Emulator("--packets", file, "--rebase", *FAST) as api:
        found = api.sample()
    moved = found[-1].time - old[-1].time
    assert before - 1000 <= found[-1].time <= time.time_ns()
    assert [Packet(q.time + moved, q.data) for q in old] == found and moved % 1000 == 0


# ---- the form of what is served

FORMS = list(itertools.product(["us", "ns"], [False, True]))


@pytest.mark.parametrize("magic, big_endian", FORMS)
@pytest.mark.parametrize("link_type", p.WRAPPERS)
def test_every_form_of_a_source_is_read(tmp_path, link_type, magic, big_endian):
    nanoseconds = magic == "ns"
    wrap = p.WRAPPERS[link_type]
    if link_type == 239:
        def wrap(data):
            return p.nflog(data, big_endian)
    family = p.ip6 if link_type == 229 else p.ip4
    packets = recent(*[wrap(family(p.UDP, PORTS + bytes(i))) for i in range(3)],
                     step=1001 if nanoseconds else 1000)
    file = write_pcap(tmp_path / "in.pcap", packets, link_type, nanoseconds, big_endian)
    options = ["--big-endian"] if big_endian else []
    with Emulator("--packets", file, *options, *FAST) as api:
        found = api.sample(filter_v1=TUPLE)
    assert found == packets
    assert (found.link_type, found.nanoseconds, found.big_endian) == (
        link_type, nanoseconds, big_endian)


@pytest.mark.parametrize("magic, big_endian", FORMS)
@pytest.mark.parametrize("link_type", p.WRAPPERS)
def test_every_form_is_written(tmp_path, link_type, magic, big_endian):
    four, six = p.ip4(p.UDP, PORTS + b"\0" * 200), p.ip6(p.TCP, PORTS)
    packets = recent(p.ethernet(four, 0x8100), p.ethernet(six), b"\xff" * 60, step=1001)
    file = write_pcap(tmp_path / "in.pcap", packets, 1, nanoseconds=True)
    options = ["--linktype", link_type, "--magic", magic] + ["--big-endian"] * big_endian
    with Emulator("--packets", file, *options, *FAST) as api:
        found = api.sample()
    assert (found.link_type, found.nanoseconds, found.big_endian) == (
        link_type, magic == "ns", big_endian)
    if link_type == 1:
        expected = [packet.data for packet in packets]  # Already Ethernet: stays as it is.
    elif link_type == 239:
        expected = [p.nflog(data, big_endian, before=()) for data in (four, six)]
    else:
        carried = {228: (four,), 229: (six,)}.get(link_type, (four, six))
        expected = [p.WRAPPERS[link_type](data) for data in carried]
    assert [packet.data for packet in found] == [data[:160] for data in expected]
    assert [packet.length for packet in found] == [len(data) for data in expected]
    scale = 1 if magic == "ns" else 1000
    times = {228: packets[:1], 229: packets[1:2]}.get(link_type, packets)
    assert [q.time for q in found] == [q.time // scale * scale for q in times][:len(found)]


def test_files_of_several_link_types_take_the_first_ones(tmp_path):
    udp = p.ip4(p.UDP, PORTS)
    [first, second, third] = recent(p.sll(udp), udp, b"\xff" * 20)
    a = write_pcap(tmp_path / "a.pcap", [second], 101)
    b = write_pcap(tmp_path / "b.pcap", [first], 113)
    c = write_pcap(tmp_path / "c.pcap", [third], 1, nanoseconds=True)
    with Emulator("--packets", a, b, c, *FAST) as api:
        found = api.sample()
    assert found.link_type == 101 and found.nanoseconds
    assert found == [Packet(first.time, udp), second]
    with Emulator("--packets", b, "--packets", a, *FAST) as api:
        assert [q.data for q in api.sample()] == [p.sll(udp)] * 2


# ---- made-up traffic

KINDS = {
    "tcp": {"protocol": 6}, "dns query": {"protocol": 17, "destination_port": 53},
    "dns answer": {"protocol": 17, "source_port": 53}, "icmp": {"protocol": 1},
    "icmp6": {"protocol": 58}, "gre": {"protocol": 47},
    "https in": {"destination_address": "203.0.113.7", "destination_port": 443},
    "https out": {"source_address": "203.0.113.7", "source_port": 443},
    "https6": {"destination_address": "2001:db8:113::7", "destination_port": 443},
}


@pytest.mark.parametrize("seconds_ago", [0, 3600, 86000])
def test_made_up_traffic_has_every_kind_in_every_window(seconds_ago):
    with Emulator(*FAST) as api:
        end = ago(seconds_ago)
        everything = api.sample(offset_time=end)
        assert 100 <= len(everything) < 10000
        times = [packet.time for packet in everything]
        assert times == sorted(times)
        for name, filter_v1 in KINDS.items():
            assert len(api.sample(offset_time=end, filter_v1=filter_v1)) >= 10, name
        assert any(len(packet.data) < packet.length for packet in everything)


def test_made_up_traffic_is_the_same_for_the_same_seed():
    end = ago(10)
    runs = []
    for seed in (1, 1, 2):
        with Emulator("--seed", seed, *FAST) as api:
            runs.append(api.sample(offset_time=end))
    assert runs[0] == runs[1] != runs[2]


def test_made_up_windows_join_without_gap():
    with Emulator("--window-ends", "open-start", "--magic", "ns", *FAST) as api:
        now = time.time_ns() - 30 * SECOND
        whole = api.sample(time_limit=200, offset_time=rfc3339(now))
        halves = [api.sample(time_limit=100, offset_time=rfc3339(now - back * SECOND))
                  for back in (100, 0)]
        assert whole == halves[0] + halves[1]
        assert any(packet.time % 1000 for packet in whole)


def test_made_up_addresses_are_for_documentation():
    import ipaddress
    networks = [ipaddress.ip_network(n) for n in
                ("203.0.113.0/24", "192.0.2.0/24", "198.51.100.0/24", "2001:db8::/32")]
    with Emulator(*FAST) as api:
        for packet in api.sample():
            span = (8, 24, 40) if packet.data[0] >> 4 == 6 else (12, 16, 20)
            for start, end in itertools.pairwise(span):
                address = ipaddress.ip_address(packet.data[start:end])
                assert any(address in n for n in networks if n.version == address.version)


def ones_complement(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data[:len(data) // 2 * 2]))
    total += data[-1] << 8 if len(data) % 2 else 0
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def test_made_up_packets_have_good_checksums():
    with Emulator(*FAST) as api:
        for packet in api.sample():
            data = packet.data
            if data[0] >> 4 == 4:
                assert ones_complement(data[:20]) == 0xFFFF
                protocol, pseudo, payload = data[9], data[12:20], data[20:]
            else:
                protocol, pseudo, payload = data[6], data[8:40], data[40:]
            if len(data) < packet.length or protocol == p.GRE:
                continue
            if protocol == p.ICMP:
                pseudo = b""
            else:
                pseudo += struct.pack(">II", len(payload), protocol)
            assert ones_complement(pseudo + payload) == 0xFFFF
