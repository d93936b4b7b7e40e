# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of a full capture whose packets do not match the filter that Cloudflare tested already: it
sees them otherwise than we do (encapsulated, say), so none is thrown away, and that is said. A
single match shows that both see the same, and the others go."""

import json

import packets as p
import pytest
from capturing import requests_of
from emulator import Packet, write_pcap
from full_captures import Folder, FullClient, emulator_of, numbered, tshark_fields

PCAP_ID = "0123456789abcdef0123456789abcdef"
EXACT = "udp and dst host 192.0.2.53 and dst port 53"
ASKED = {"destination_address": "192.0.2.53", "destination_port": 53, "protocol": 17}


@pytest.fixture
def captured(emulator, tmp_path):
    """`captured([packets of a part, …], **options)`: a full capture with EXACT that brings these,
    with the bytes `rest` behind the packets of each."""
    def capture(parts, rest=b"", **options):
        bucket = Folder()
        for number, packets in enumerate(parts):
            file = bucket.path / f"pcap_{PCAP_ID}_{number}.pcap"
            write_pcap(file, packets, nanoseconds=True)
            file.write_bytes(file.read_bytes() + rest)
            file.chmod(0o644)
        answer = tmp_path / "job.json"
        answer.write_text(json.dumps({"success": True, "errors": [], "messages": [], "result": {
            "id": PCAP_ID, "type": "full", "status": "success", "system": "magic-transit",
            "submitted": "2026-11-23T06:00:00Z", "time_limit": 2, "colo_name": "ORD",
            "destination_conf": bucket.destination, "filter_v1": ASKED}}))
        api = emulator_of(emulator, bucket, "--answer", f"POST /pcaps=200:{answer}",
                          "--answer", f"GET /{PCAP_ID}=200:{answer}")
        done = FullClient(api, bucket).full(EXACT, **options)
        (post,) = requests_of(api, "POST", "/pcaps")
        asked = post["body"] if isinstance(post["body"], dict) else json.loads(post["body"])
        assert asked["filter_v1"] == ASKED
        return done
    return capture


def matching(time):
    return Packet(time, p.ip4(p.UDP, p.ports(1111, 53, b"match"), destination="192.0.2.53"))


def test_what_nothing_matches_is_delivered_whole(captured):
    parts = [numbered(40, step=2000), numbered(30, step=3000)]
    done = captured(parts)
    assert done.returncode == 0, done.stderr
    assert len(done.records) == 70
    assert [record[0] for record in done.records] == sorted(record[0] for record in done.records)
    assert "do not match it here" in done.stderr and "with the option local-filter off" in done.stderr
    assert "0 match the filter, 70 do not" in done.stderr
    assert set(tshark_fields(done, "cloudflare.residual_mismatch")) <= {("True",), ("1",)}


def test_losses_are_marked_where_they_are(captured):
    done = captured([numbered(3), numbered(2, step=5000)], rest=b"\xff" * 40)
    assert done.returncode == 4 and len(done.records) == 5
    marked = [number for number, packet in enumerate(done.section.packets)
              if any("damaged" in comment for comment in packet.comments)]
    assert marked == [3, 4], "the last good packet of each part"


def test_one_match_shows_that_the_filter_is_right(captured):
    first, second = numbered(40, step=2000), numbered(30, step=3000)
    match = matching(second[20].time + 1)
    done = captured([first, second[:21] + [match] + second[21:]])
    assert done.returncode == 0, done.stderr
    assert [record[0] for record in done.records] == [match.time]
    assert "do not match it here" not in done.stderr
    assert "71 packets received, 1 matches the filter, from" in done.stderr
    assert tshark_fields(done, "cloudflare.residual_mismatch") == [("",)]


def test_without_the_local_filter_all_is_delivered(captured):
    done = captured([[*numbered(40, step=2000), matching(2 * 10**18)]], local_filter="off")
    assert done.returncode == 0, done.stderr
    assert len(done.records) == 41
    assert "1 matches the filter, 40 do not" in done.stderr
    assert "do not match it here" not in done.stderr


def test_more_than_is_held_back_is_delivered(captured):
    """Rejected packets wait for a match only up to a bound of memory."""
    many = numbered(300, size=60000)
    done = captured([many])
    assert done.returncode == 0, done.stderr
    assert len(done.records) == len(many)
    assert "do not match it here" in done.stderr
