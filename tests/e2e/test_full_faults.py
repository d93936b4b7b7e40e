# SPDX-License-Identifier: GPL-2.0-or-later
"""Parts that are damaged, late, empty or changed: the rest arrives whole, and the loss is marked."""

import collections
import random
import struct

import pytest
import wireshark
from capturing import record
from cutting_proxy import CuttingProxy
from emulator import read_pcap
from full_captures import (Folder, FullClient, S3Bucket, check_rest, check_whole,
                           emulator_of, ids_of, merged, tshark_fields)

pytestmark = pytest.mark.skipif(wireshark.stage().plugin_dir is None,
                                reason="the plugin was not built")


@pytest.fixture(params=["folder", "s3"])
def bucket(request):
    if request.param == "folder":
        return Folder()
    return S3Bucket(request.getfixturevalue("s3"), f"faults-{abs(hash(request.node.name))}")


def whole_part(data):
    """The packets of a part, which may be cut or garbled: as many as can be read."""
    for end in range(len(data), 23, -1):
        try:
            return [record(packet) for packet in read_pcap(data[:end])]
        except (AssertionError, struct.error):
            continue
    return []


def marks_of(captured):
    """[(number of the packet, object, what was lost)] of the packets that carry a mark."""
    shown = tshark_fields(captured, "frame.number", "cloudflare.object", "cloudflare.damaged")
    return [(int(number), key, text) for number, key, text in shown if text]


@pytest.mark.parametrize("option, said", [("--damaged-part", "is cut at byte"),
                                          ("--garbled-part", "is damaged at byte")])
def test_a_damaged_part_gives_what_is_before_the_damage(emulator, bucket, recorded, option, said):
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--parts", 4, option)
    client = FullClient(api, bucket)
    captured = client.full()
    assert captured.returncode == 4, captured.stderr
    objects = bucket.read()
    bad = sorted(objects)[0 if option == "--damaged-part" else -1]
    expected = [one for data in objects.values() for one in whole_part(data)]
    assert len(expected) < 300
    check_rest(captured, expected)
    # The mark is on the last good packet of that part, and nowhere else.
    (marked,) = marks_of(captured)
    of_bad = [int(number) for number, key in tshark_fields(captured, "frame.number",
                                                           "cloudflare.object") if key == bad]
    assert marked[0] == max(of_bad) and bad in marked[2] and said in marked[2]
    assert captured.stderr.count(said) == 1 and bad in captured.stderr
    shown = client.full_tshark()
    assert shown.returncode == 0 and len(marks_of(shown)) == 1
    again = client.download(ids_of(api)[0])
    assert again.returncode == 4 and len(marks_of(again)) == 1


def test_a_part_without_any_good_packet_is_named_on_another(emulator, bucket, recorded):
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--parts", 3, "--not-pcap-part",
                      "--zero-part")
    captured = FullClient(api, bucket).full()
    assert captured.returncode == 4, captured.stderr
    objects = bucket.read()
    assert len(objects) == 5
    check_rest(captured, [one for data in objects.values() for one in whole_part(data)])
    assert len(captured.records) == 300
    lost = " ".join(text for _, _, text in marks_of(captured))
    bad = [key for key, data in objects.items() if not whole_part(data)]
    assert len(bad) == 2
    for key in bad:
        assert lost.count(key) == 1 and captured.stderr.count(key) == 1
    assert "not a pcap file" in lost and "is empty" in lost


def test_an_empty_part_is_no_loss(emulator, bucket, recorded):
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--parts", 3, "--empty-part")
    captured = FullClient(api, bucket).full()
    assert captured.returncode == 0, captured.stderr
    check_whole(captured, bucket.read())
    assert len(captured.section.interfaces) == 4


def test_late_parts_are_delivered_whole_after_the_others(emulator, recorded):
    bucket = Folder()
    # The listing is settled after 5 s, then the packets are short of what Cloudflare counted.
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--parts", 5, "--late-parts", 2,
                      "--late-seconds", 10)
    captured = FullClient(api, bucket, speed=20).full()
    objects = bucket.read()
    assert len(objects) == 5
    assert collections.Counter(captured.records) == collections.Counter(
        one for _, one in merged(objects)), captured.stderr
    shown = tshark_fields(captured, "cloudflare.object", "cloudflare.late")
    assert {key for key, _ in shown} == set(objects)
    late = {key for key, flag in shown if flag in ("1", "True")}
    if late:  # they may have come before the listing was settled
        first = next(n for n, (key, _) in enumerate(shown) if key in late)
        assert all(key in late for key, _ in shown[first:])
    assert captured.returncode == 0


def test_parts_that_never_come_are_counted(emulator, recorded):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--parts", 5, "--late-parts", 2,
                      "--late-seconds", 100000)
    captured = FullClient(api, bucket).full(max_wait=30)
    assert captured.returncode == 4, captured.stderr
    assert 0 < len(captured.records) < 300
    check_rest(captured, [one for _, one in merged(bucket.read())])
    assert f"Cloudflare captured 300 packets, but {len(captured.records)} were found" in (
        captured.stderr)


# ---- connections

def test_connections_that_break_anywhere_resume(emulator, s3, recorded):
    bucket = S3Bucket(s3, "broken")
    api = emulator_of(emulator, bucket, "--packets", recorded(3000, size=700), "--parts", 12)
    client = FullClient(api, bucket)
    assert client.full().returncode == 0
    chance = random.Random(4)
    with CuttingProxy(s3.port, lambda n: chance.randrange(1, 150_000) if n <= 90 else None) as proxy:
        client.env["AWS_ENDPOINT_URL_S3"] = proxy.url
        captured = client.download(ids_of(api)[0], "--log-file=/tmp/chg.log", "--log-level=debug")
        assert proxy.cuts >= 12
    assert captured.returncode == 0, captured.stderr
    check_whole(captured, bucket.read())


def test_every_byte_of_a_small_part(emulator, s3, recorded):
    """The first answer with the part's bytes breaks off after each number of them."""
    bucket = S3Bucket(s3, "bytes")
    api = emulator_of(emulator, bucket, "--packets", recorded(3), "--parts", 1)
    client = FullClient(api, bucket)
    assert client.full().returncode == 0
    ((_, data),) = bucket.read().items()
    pcap_id = ids_of(api)[0]
    for cut in range(1, len(data) + 500, 17):
        # The listings use connection 1; a part's head is some 400 bytes long.
        with CuttingProxy(s3.port, lambda n, cut=cut: cut if n == 2 else None) as proxy:
            client.env["AWS_ENDPOINT_URL_S3"] = proxy.url
            captured = client.download(pcap_id)
        assert captured.returncode == 0, (cut, captured.stderr)
        assert captured.records == [one for _, one in merged(bucket.read())], cut


def test_an_object_that_changes_meanwhile_is_got_as_it_is_then(emulator, s3, recorded):
    bucket = S3Bucket(s3, "changing")
    api = emulator_of(emulator, bucket, "--packets", recorded(1500, size=1000), "--parts", 2,
                      "--part-sizes", "skewed")
    client = FullClient(api, bucket)
    assert client.full().returncode == 0
    objects = bucket.read()
    large = max(objects, key=lambda key: len(objects[key]))

    def change():
        s3.put("changing", large, objects[large][:-1] + b"!")

    with CuttingProxy(s3.port, lambda n: 600_000, on_cut=change) as proxy:
        client.env["AWS_ENDPOINT_URL_S3"] = proxy.url
        captured = client.download(ids_of(api)[0])
        assert proxy.cuts >= 1
    assert captured.returncode == 0, captured.stderr
    assert bucket.read() != objects
    assert collections.Counter(captured.records) == collections.Counter(
        record(packet) for data in bucket.read().values() for packet in read_pcap(data))
    assert marks_of(captured) == []