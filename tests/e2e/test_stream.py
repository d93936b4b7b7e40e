# SPDX-License-Identifier: GPL-2.0-or-later
"""The file that comes out: its blocks, its marks, its exit status; and spans of several windows."""

import collections
import json
import os
import re
import subprocess
import time
from datetime import datetime, timezone

import pytest
from capturing import INSTANT, Client, downloads_of, finish, record, requests_of
from emulator import Packet, write_pcap
from packets import A, B, TCP, UDP, ip4, ports

SECOND = 10**9
RECEIVED, DELIVERED, COMMENT = 4, 8, 1  # options of a statistics block


def statistic(interface, option):
    return int.from_bytes(interface.statistics[option], "little")


# ---- the blocks


def test_the_blocks_of_a_capture(emulator):
    api = emulator(*INSTANT)
    capture = Client(api).extcap("udp port 53")
    assert (capture.returncode, capture.stdout, capture.stderr) == (0, "", "")
    section = capture.section
    assert re.fullmatch(r"cloudflaredump \d+\.\d+\.\d+", section.application)
    downloads = downloads_of(api)
    assert len(section.interfaces) == len(downloads) == 2
    delivered = collections.Counter(packet.interface for packet in section.packets)
    for number, (interface, served) in enumerate(zip(section.interfaces, downloads)):
        assert interface.link_type == 101 and interface.snap_length == 262143
        assert interface.name == "cloudflare-sample" and interface.filter == "udp port 53"
        assert f'"request":{number + 1},"requests":2' in interface.description
        assert statistic(interface, RECEIVED) == len(served)
        assert statistic(interface, DELIVERED) == delivered[number]
        assert b"match the filter" in interface.statistics[COMMENT]
    assert not any(packet.comments for packet in section.packets)


def test_other_tools_read_it(client):
    capture = client.tshark("udp port 53")
    told = subprocess.run(["capinfos", "-M", "-T", "-m", "-c", "-E", capture.path], check=True,
                          capture_output=True, text=True, timeout=60)
    assert told.stderr == ""
    head, row = (line.split(",") for line in told.stdout.splitlines())
    values = dict(zip(head, (value.strip('"') for value in row)))
    assert int(values["Number of packets"]) == len(capture.section.packets)
    assert values["File encapsulation"] == "rawip"
    # Capinfos has this, too (-o), but that of Wireshark 4.6.9 then complains about any file.
    assert capture.records == sorted(capture.records, key=lambda record: record[0])


def test_what_wireshark_writes_is_what_we_wrote(emulator):
    """dumpcap passes each block on: the interface's description, filter, and the statistics."""
    api = emulator(*INSTANT)
    end = int(time.time()) - 30
    span = {"start_time": end - 100, "end_time": end}
    through, direct = Client(api).both("tcp port 443", **span)
    for left, right in zip(through.section.interfaces, direct.section.interfaces, strict=True):
        assert re.sub('[0-9a-f]{32}|"submitted":"[^"]*"', "", left.description) == \
            re.sub('[0-9a-f]{32}|"submitted":"[^"]*"', "", right.description)
        assert (left.name, left.filter, left.snap_length) == (right.name, right.filter, 262143)
        assert left.statistics and left.statistics.keys() == right.statistics.keys()


# ---- ends other than good


def test_the_limit_is_reached(emulator):
    api = emulator(*INSTANT)
    client = Client(api)
    capture = client.capture("udp", "--packet-limit", "10", "--max-requests", "1", "--json")
    assert capture.returncode == 4
    assert "the limit of 10 packets was reached" in capture.stderr
    told = json.loads(capture.stdout)
    assert (told["exit_status"], told["received"], told["delivered"]) == (4, 10, 10)
    assert len(told["losses"]) == 2 and told["losses"][1].endswith("% of the time is covered")
    interface, = capture.section.interfaces
    assert '"limit_reached":true' in interface.description and len(capture.section.packets) == 10
    # Fetched again by its id it is the same.
    again = client.capture("udp", "--json", interface="cloudflare-download")
    assert again.returncode == 4 and again.records == capture.records
    assert json.loads(again.stdout)["losses"] == told["losses"]
    assert '"limit_reached":true' in again.section.interfaces[0].description
    by_tshark = client.tshark("udp", "-o", "extcap.cloudflare_sample.packetlimit:10",
                              "-o", "extcap.cloudflare_sample.maxrequests:1")
    assert by_tshark.returncode == 0 and len(by_tshark.records) == 10
    assert "limit of 10 packets was reached" in by_tshark.sentence


@pytest.mark.parametrize("capture_filter, received", [
    ("dst host 203.0.113.250 and dst port 9 and tcp", False), ("tcp[14:2] = 12345", True)])
def test_no_packets(instant_api, capture_filter, received):
    client = Client(instant_api)
    capture = client.capture(capture_filter, "--json")
    assert capture.returncode == 3
    told = json.loads(capture.stdout)
    assert (told["exit_status"], told["delivered"], told["received"] > 0) == (3, 0, received)
    assert ("turn the option local-filter off" if received else "likely causes") in told["verdict"]
    section = capture.section
    assert not section.packets and len(section.interfaces) == 1
    assert statistic(section.interfaces[0], DELIVERED) == 0
    subprocess.run(["capinfos", capture.path], check=True, capture_output=True, timeout=60)
    by_tshark = client.tshark(capture_filter)
    assert by_tshark.returncode == 0 and by_tshark.records == []
    assert "Error" not in by_tshark.stderr


@pytest.fixture
def sixty(tmp_path):
    """A file of sixty packets, and the packets."""
    packets = [Packet(1795414800 * SECOND + n * 1000, ip4(UDP, ports(n, 53, b"\0" * n)))
               for n in range(60)]
    return write_pcap(tmp_path / "sixty.pcap", packets), packets


@pytest.mark.parametrize("lost", [1, 97, 98, 100, 2000, 4000])
def test_a_damaged_download_gives_its_good_packets(emulator, sixty, lost):
    path, packets = sixty
    size = os.path.getsize(path) - lost
    os.truncate(path, size)
    end, good = 24, 0
    while good < 60 and end + 16 + len(packets[good].data) <= size:
        end += 16 + len(packets[good].data)
        good += 1
    assert 0 < good < 60
    client = Client(emulator(*INSTANT, "--serve-as-is", path))
    capture = client.capture("udp")
    assert capture.returncode == 4 and "is cut at byte" in capture.stderr
    assert capture.records == [record(packet) for packet in packets[:good]]
    marks = [packet.comments for packet in capture.section.packets]
    assert all(not mark for mark in marks[:-1])
    assert 'cloudflaredump:{"version":1,"damaged":' in marks[-1][0]
    by_extcap = client.extcap("udp")
    assert by_extcap.stderr.count("\n") == 1 and "is cut at byte" in by_extcap.stderr
    assert by_extcap.records == capture.records


# ---- spans of several windows


def rfc3339(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def long_traffic(tmp_path):
    """25 minutes of packets up to now, many of them exactly where windows may meet: (path, end,
    packets)."""
    end = int(time.time()) // 60 * 60 - 60
    packets = []
    for second in range(end - 1500, end + 1):
        at = second * SECOND
        if second % 60 == 0:
            # The same packet thrice and others of the same instant; and just beside it.
            packets += [Packet(at, ip4(UDP, ports(7, 53)))] * 3
            packets += [Packet(at, ip4(UDP, ports(second % 1000, 53), B, A)),
                        Packet(at, ip4(TCP, ports(8, 80)))]
            packets += [Packet(at + 1000, ip4(UDP, ports(9, 53)))]
        elif second % 60 == 59:
            packets += [Packet(at + 999_999_000, ip4(UDP, ports(10, 53)))]
        elif second % 7 == 0:
            packets += [Packet(at + 500_000_000, ip4(UDP, ports(53, second % 60000)))]
    packets.sort(key=lambda packet: packet.time)
    return write_pcap(tmp_path / "long.pcap", packets), end, packets


@pytest.mark.parametrize("window_ends", ["closed", "open-start", "open-end"])
@pytest.mark.parametrize("requests, capture_filter", [(1, "udp"), (2, "udp port 53")])
def test_windows_join_without_gap_or_duplicate(emulator, long_traffic, window_ends, requests,
                                               capture_filter):
    path, end, packets = long_traffic
    api = emulator(*INSTANT, "--packets", path, "--window-ends", window_ends)
    start = end - 900
    capture = Client(api).capture(
        capture_filter, "--start-time", rfc3339(start), "--end-time", rfc3339(end),
        "--time-limit", "120", "--max-requests", "100", "--requests-per-window", str(requests))
    assert capture.returncode == 0, capture.stderr
    # Whether the very ends of the whole span belong to it is Cloudflare's to say.
    first, last = start * SECOND, end * SECOND
    wanted = [record(p) for p in packets if p.data[9] == UDP
              and first + (window_ends == "open-start") <= p.time <= last - (window_ends == "open-end")]
    assert collections.Counter(capture.records) == collections.Counter(wanted)
    assert [t for t, _, _ in capture.records] == [t for t, _, _ in wanted]
    posts = [post["body"] for post in requests_of(api, "POST")]
    assert len(posts) == 8 * requests
    assert [post["offset_time"] for post in posts] == sorted(post["offset_time"] for post in posts)
    assert sum(post["time_limit"] for post in posts) == 900 * requests
    assert len({json.dumps(post["filter_v1"]) for post in posts}) == requests


def test_a_span_is_paced(emulator, long_traffic):
    path, end, packets = long_traffic
    api = emulator("--packets", path, "--speed", 60, "--job-seconds", 2)
    capture = Client(api, speed=60, instant=False).capture(
        "udp", "--start-time", str(end - 360), "--end-time", str(end), "--time-limit", "120")
    assert capture.returncode == 0
    assert len(capture.section.packets) == sum(
        1 for p in packets if p.data[9] == UDP and end - 360 <= p.time / SECOND <= end)
    posts = requests_of(api, "POST")
    assert [post["status"] for post in posts] == [200] * 3, "no request came too early"


@pytest.mark.parametrize("requests", [1, 2])
def test_half_an_hour(emulator, long_traffic, requests):
    """With nothing set but the times: six windows of five minutes, within --max-requests."""
    path, end, packets = long_traffic
    api = emulator("--packets", path, "--speed", 60, "--job-seconds", 2)
    capture = Client(api, speed=60, instant=False).capture(
        "udp port 53", "--start-time", str(end - 1800), "--end-time", str(end),
        "--requests-per-window", requests)
    assert capture.returncode == 0, capture.stderr
    wanted = [record(p) for p in packets if p.data[9] == UDP and p.time <= end * SECOND]
    assert collections.Counter(capture.records) == collections.Counter(wanted)
    assert [t for t, _, _ in capture.records] == [t for t, _, _ in wanted]
    posts = requests_of(api, "POST")
    assert [post["status"] for post in posts] == [200] * 6 * requests, "one came too early"
    windows = [post["body"]["offset_time"] for post in posts]
    assert windows == [rfc3339(end - 1800 + 300 * n) for n in range(1, 7) for _ in range(requests)]
    sent = [datetime.fromisoformat(post["time"].replace("Z", "+00:00")) for post in posts]
    # A minute of the program's is a second here.
    assert all((later - sooner).total_seconds() > 0.9 for sooner, later in zip(sent, sent[1:]))


def test_a_price_that_is_too_high_is_said(instant_api):
    asked = len(instant_api.log())
    capture = Client(instant_api).capture("udp port 53", "--start-time", "-24h")
    assert capture.returncode == 2
    for word in ("576 requests", "288 windows", "max-requests is 12", "requests-per-window 1"):
        assert word in capture.sentence
    assert len(instant_api.log()) == asked


def test_what_is_joined_is_streamed_at_once(emulator, long_traffic):
    path, end, _ = long_traffic
    api = emulator("--packets", path, "--speed", 30, "--job-seconds", 1)
    client = Client(api, speed=30, instant=False)
    process = client.start(client.capture_command(
        "-", "udp", "--start-time", str(end - 360), "--end-time", str(end), "--time-limit", "120"),
        text=False)
    process.stdout.read(1000)
    assert len(requests_of(api, "GET", "/download")) < 3, "nothing came before the last window"
    finish(process)
    assert process.returncode == 0
