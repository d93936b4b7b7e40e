# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of every link type, byte order and precision arrive unchanged."""

import pytest
from capturing import INSTANT, Client, record, requests_of
from conftest import REAL_PCAPS
from emulator import Emulator, Packet, read_pcap, write_pcap
from packets import A, B, ICMP, TCP, UDP, WRAPPERS, ip4, ip6, nflog, ports
from pcapng import read_pcap as read_any_pcap

START = 1795414800 * 10**9
FORMS = [(big_endian, nanoseconds) for big_endian in (False, True) for nanoseconds in (False, True)]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """(client, path): every download is what the file at `path` holds at that moment."""
    path = tmp_path_factory.mktemp("served") / "file.pcap"
    path.write_bytes(b"")
    with Emulator(*INSTANT, "--serve-as-is", path) as api:
        yield Client(api), path


def made_packets(link_type, big_endian=False, nanoseconds=False):
    """Packets of all kinds in this link type: (matches "udp port 53", Packet)."""
    wrap = WRAPPERS[link_type]
    if wrap is nflog:
        wrap = lambda packet: nflog(packet, big_endian)
    kinds = []
    if link_type != 229:
        kinds += [(True, ip4(UDP, ports(53, 40000))), (True, ip4(UDP, ports(40000, 53), B, A)),
                  (False, ip4(TCP, ports(53, 80) + b"\0" * 8)), (False, ip4(ICMP, b"\x08" + b"\0" * 7)),
                  (False, ip4(UDP, ports(53, 53), fragment=8)),
                  (True, ip4(UDP, ports(53, 1), options=b"\x01" * 4))]
    if link_type != 228:
        kinds += [(True, ip6(UDP, ports(40000, 53))), (False, ip6(TCP, ports(1, 2) + b"\0" * 8))]
    packets = []
    for number, (matches, packet) in enumerate(kinds):
        data = wrap(packet)
        # Microseconds must not be rounded, nor nanoseconds; one packet is longer than its bytes.
        time = START + number * 1_000_001_000 + (number * 7 + 1 if nanoseconds else 0)
        packets.append((matches, Packet(time, data, len(data) + (1000 if number == 1 else 0))))
    return packets


def check(capture, link_type, nanoseconds, records):
    assert capture.returncode == 0, capture
    interface, = capture.section.interfaces
    assert interface.link_type == link_type and interface.snap_length == 262143
    assert interface.resolution == (9 if nanoseconds else 6)
    assert capture.records == records


@pytest.mark.parametrize("big_endian, nanoseconds", FORMS)
@pytest.mark.parametrize("link_type", WRAPPERS)
def test_each_form_arrives_unchanged(served, link_type, big_endian, nanoseconds):
    client, path = served
    packets = [packet for _, packet in made_packets(link_type, big_endian, nanoseconds)]
    write_pcap(path, packets, link_type, nanoseconds, big_endian)
    for capture in (client.extcap(), client.capture()):
        check(capture, link_type, nanoseconds, [record(packet) for packet in packets])


@pytest.mark.parametrize("link_type", WRAPPERS)
def test_each_link_type_through_tshark(served, link_type):
    client, path = served
    big_endian, nanoseconds = FORMS[link_type % 4]
    packets = [packet for _, packet in made_packets(link_type, big_endian, nanoseconds)]
    write_pcap(path, packets, link_type, nanoseconds, big_endian)
    check(client.tshark(), link_type, nanoseconds, [record(packet) for packet in packets])


@pytest.mark.parametrize("big_endian", [False, True])
@pytest.mark.parametrize("link_type", WRAPPERS)
def test_the_filter_sees_the_ip_header_in_each(served, link_type, big_endian):
    client, path = served
    made = made_packets(link_type, big_endian)
    write_pcap(path, [packet for _, packet in made], link_type, False, big_endian)
    check(client.extcap("udp port 53", requests_per_window=1), link_type, False,
          [record(packet) for matches, packet in made if matches])


def test_packets_without_an_ip_header_arrive_too(served):
    client, path = served
    odd = [Packet(START + n, data) for n, data in enumerate((b"", b"\0", b"x" * 13, b"\xff" * 60))]
    for link_type in (1, 101, 113, 239, 276, 147, 65535):
        write_pcap(path, odd, link_type, nanoseconds=True)
        check(client.extcap(), link_type, True, [record(packet) for packet in odd])


@pytest.mark.parametrize("name", sorted(p.name for p in REAL_PCAPS.glob("*.pcap")) or ["(none)"])
def test_real_captures_arrive_unchanged(served, real_pcap, name):
    client, path = served
    source = real_pcap(name)
    path.write_bytes(source.read_bytes())
    link_type, _, packets = read_any_pcap(source)
    assert packets
    nanoseconds = source.read_bytes()[:4] in (b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1")
    # The stream is in time order; packets of one instant stay as they were.
    check(client.extcap(), link_type, nanoseconds,
          sorted((record(packet) for packet in packets), key=lambda one: one[0]))


@pytest.mark.parametrize("link_type, magic, order", [
    (1, "us", []), (101, "ns", ["--big-endian"]), (113, "ns", []), (228, "us", ["--big-endian"]),
    (229, "us", []), (239, "ns", ["--big-endian"]), (276, "us", ["--big-endian"]),
])
def test_what_the_emulator_writes_in_each_form(emulator, link_type, magic, order):
    api = emulator(*INSTANT, "--linktype", link_type, "--magic", magic, *order)
    capture = Client(api).capture(None, "--time-limit", "30")
    pcap_id = requests_of(api, "GET", "/download")[0]["path"].split("/")[-2]
    packets = read_pcap(api.download(pcap_id).body)
    assert packets and packets.link_type == link_type and packets.big_endian == bool(order)
    check(capture, link_type, magic == "ns", [record(packet) for packet in packets])
