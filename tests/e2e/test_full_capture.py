# SPDX-License-Identifier: GPL-2.0-or-later
"""Full captures from the request to the merged stream: every packet of every part, once."""

import itertools

import packets as p
import pytest
import wireshark
from capturing import requests_of
from emulator import ACCOUNT, Packet, read_pcap, write_pcap
from full_captures import (DOWNLOAD, FULL, QUICK, Folder, FullClient, S3Bucket, check_nowhere,
                           check_whole, emulator_of, ids_of, posts)
from s3_server import SECRET_KEY

pytestmark = pytest.mark.skipif(wireshark.stage().plugin_dir is None,
                                reason="the plugin was not built")


# ---- the ways to ask for one

@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_the_tool_and_tshark_and_a_download_give_the_same(emulator, recorded, request, kind):
    bucket = Folder() if kind == "folder" else S3Bucket(request.getfixturevalue("s3"), "whole")
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--parts", 3,
                      "--part-magics", "ns,us,ns-be")
    client = FullClient(api, bucket)
    for capture, interface in itertools.product((client.full, client.full_tshark),
                                                (FULL, "cloudflare-ORD")):
        captured = capture(interface=interface)
        assert captured.returncode == 0, captured.stderr
        pcap_id = ids_of(api)[0]
        objects = bucket.read(pcap_id)
        assert len(objects) == 3
        check_whole(captured, objects)
    by_id, latest = client.download(pcap_id), client.download()
    folder = ["-o", f"extcap.cloudflare_download.readfrom:{bucket.path}"] if kind == "folder" else []
    tshark = client.tshark(None, *folder, interface=DOWNLOAD)
    for captured in (by_id, latest, tshark):
        assert captured.returncode == 0, captured.stderr
        check_whole(captured, objects)
    assert by_id.path.read_bytes() == latest.path.read_bytes()
    assert len(posts(api)) == 4
    assert [i.name for i in by_id.section.interfaces] == [DOWNLOAD] * 3
    assert {entry["body"]["destination_conf"] for entry in posts(api)} == {bucket.destination}


@pytest.mark.parametrize("scheme, query", [("gs", None), ("r2", f"?account-id={ACCOUNT}")])
def test_buckets_of_other_makes(emulator, recorded, s3, scheme, query):
    bucket = S3Bucket(s3, f"made-{scheme}", scheme, "dir", query)
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--show-keys")
    client = FullClient(api, bucket)
    captured = client.full()
    assert captured.returncode == 0, captured.stderr
    check_whole(captured, bucket.read())
    for again in (client.download(), client.download(ids_of(api)[0])):
        check_whole(again, bucket.read())
    check_nowhere(client, [SECRET_KEY], captured.stderr, again.stderr)


def test_it_is_read_elsewhere(emulator, recorded):
    """A bucket that is not ours to read, but synced to a folder."""
    bucket, copy = Folder(), Folder()
    api = emulator("--registered", "s3://theirs?region=us-east-1", *QUICK)
    done = FullClient(api, bucket).full(destination_conf="s3://theirs?region=us-east-1",
                                        read_from=copy.path, max_wait=30)
    # The emulator has no such bucket to write to: what it says is passed on.
    assert done.returncode == 1 and "AWS_ENDPOINT_URL_S3" in done.sentence
    api = emulator_of(emulator, bucket, "--packets", recorded())
    client = FullClient(api, bucket)
    assert client.full().returncode == 0
    for name, data in bucket.read().items():
        (copy.path / name).write_bytes(data)
        (bucket.path / name).unlink()
    captured = client.download(None, f"--read-from={copy.path}")
    assert captured.returncode == 0, captured.stderr
    check_whole(captured, copy.read())


# ---- sizes and forms

@pytest.mark.parametrize("count", [1, 7, 300, 1500])
def test_any_number_of_parts_with_256_descriptors(emulator, recorded, count):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(4000), "--parts", count)
    client = FullClient(api, bucket)
    captured = client.full(prefix=["prlimit", "--nofile=256:256"])
    assert captured.returncode == 0, captured.stderr
    assert len(bucket.read()) == count
    check_whole(captured, bucket.read())


def test_300_parts_of_an_s3_bucket_with_256_descriptors(emulator, recorded, s3):
    bucket = S3Bucket(s3, "many")
    api = emulator_of(emulator, bucket, "--packets", recorded(2000), "--parts", 300)
    client = FullClient(api, bucket)
    captured = client.full(prefix=["prlimit", "--nofile=256:256"])
    assert captured.returncode == 0, captured.stderr
    check_whole(captured, bucket.read())


def test_link_types_and_precisions_stay_apart(emulator, recorded):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--parts", 8,
                      "--part-linktypes", "1,101,113,276", "--part-magics", "us,ns,us-be,ns-be",
                      "--part-sizes", "skewed")
    captured = FullClient(api, bucket).full("udp dst port 53")
    assert captured.returncode == 0, captured.stderr
    check_whole(captured, bucket.read())
    links = {key: read_pcap(data).link_type for key, data in bucket.read().items()}
    for interface in captured.section.interfaces:
        assert interface.link_type == next(links[key] for key in links
                                           if key in interface.description)
    assert len(captured.section.interfaces) == 8


@pytest.mark.parametrize("name", ["{machine}/x pcap_{id}+&%.pcap", "a=b;c | d/{id}/{machine} ü.pcap",
                                  "{id}{machine}.pcap"])
@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_objects_of_any_name(emulator, recorded, request, kind, name):
    bucket = (Folder() if kind == "folder"
              else S3Bucket(request.getfixturevalue("s3"), f"names-{len(name)}"))
    api = emulator_of(emulator, bucket, "--packets", recorded(100), "--part-name", name)
    captured = FullClient(api, bucket).full()
    assert captured.returncode == 0, captured.stderr
    check_whole(captured, bucket.read())


def test_originals_are_kept_untouched(emulator, recorded):
    bucket, kept = Folder(), Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--parts", 4)
    captured = FullClient(api, bucket).full(keep_originals=kept.path)
    assert captured.returncode == 0, captured.stderr
    assert kept.read() == bucket.read()


def test_originals_are_whole_where_the_merge_gave_up(emulator, recorded):
    bucket, kept = Folder(), Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--parts", 1)
    client = FullClient(api, bucket)
    assert client.full().returncode == 0
    pcap_id = ids_of(api)[0]
    whole = next(iter(bucket.read(pcap_id).values()))
    for number, start in enumerate((whole[:24] + b"\xff" * 16, b"\x1f\x8b\x08\x00" + bytes(20))):
        file = bucket.path / f"pcap_{pcap_id}_damaged{number}.pcap"
        file.write_bytes(start + bytes(5_000_000))
        file.chmod(0o644)
    done = client.download(pcap_id, f"--keep-originals={kept.path}")
    assert done.returncode == 4
    assert kept.read() == bucket.read(pcap_id)


# ---- filters and limits

def mixed(tmp_path):
    """TCP and UDP, to and from 203.0.113.7."""
    packets = []
    for n in range(400):
        there = n % 2 == 0
        ports = (1000 + n, 443) if there else (443, 1000 + n)
        addresses = (p.A, p.B) if there else (p.B, p.A)
        packets.append(Packet(10**18 + n * 1000, p.ip4(p.TCP if n % 3 else p.UDP, p.ports(*ports),
                                                       *addresses)))
    return write_pcap(tmp_path / "mixed.pcap", packets)


BROAD = "host 203.0.113.7 and tcp port 443"


@pytest.mark.parametrize("by", ["tool", "tshark"])
def test_a_broad_filter_is_refused_with_the_narrower_ones(emulator, by):
    bucket = Folder()
    api = emulator_of(emulator, bucket)
    client = FullClient(api, bucket)
    done = (client.full if by == "tool" else client.full_tshark)(BROAD)
    assert done.returncode == (2 if by == "tool" else 1), done.stderr
    for narrower in ("dst host 203.0.113.7 and tcp dst port 443",
                     "src host 203.0.113.7 and tcp src port 443"):
        assert narrower in done.sentence
    assert "set the option if-broad to warn" in done.sentence
    assert posts(api) == [] and not done.path.exists()


def test_the_narrower_filters_run(emulator):
    bucket = Folder()
    api = emulator_of(emulator, bucket)
    sentence = FullClient(api, bucket).full(BROAD).sentence
    offered = sentence.split("narrower filters that work: ")[1].split(";")[0].split(", or ")
    assert len(offered) >= 2
    client = FullClient(emulator_of(emulator, bucket, "--no-packets-result", "success"), bucket)
    for one in offered:
        assert client.full(one, time_limit=1).returncode in (0, 3)


def test_a_broad_filter_runs_with_a_warning(emulator, tmp_path):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", mixed(tmp_path))
    captured = FullClient(api, bucket).full(BROAD, if_broad="warn")
    assert captured.returncode == 0, captured.stderr
    assert "other traffic" in captured.stderr
    assert posts(api)[0]["body"]["filter_v1"] == {"protocol": 6}
    packets = [q for data in bucket.read().values() for q in read_pcap(data)]
    wanted = {q.data for q in packets if q.data[9] == p.TCP}
    assert {data for _, data, _ in captured.records} == wanted and wanted


def test_what_one_request_cannot_say_is_filtered_here(emulator, tmp_path):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", mixed(tmp_path))
    captured = FullClient(api, bucket).full("dst host 203.0.113.7 and "
                                            "(src port 1000 or src port 1004)")
    assert captured.returncode == 0, captured.stderr
    assert posts(api)[0]["body"]["filter_v1"] == {"destination_address": "203.0.113.7"}
    assert [data[20:22] for _, data, _ in captured.records] == [b"\x03\xe8", b"\x03\xec"]


def test_a_limit_that_was_reached_is_said(emulator, recorded):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(500))
    captured = FullClient(api, bucket).full(packet_limit=100, time_limit=60)
    assert captured.returncode == 4
    assert len(captured.records) == 100 and "limit of 100 packets" in captured.stderr
    assert [bool(packet.comments) for packet in captured.section.packets].count(True) == 1
    assert "limit_reached" in captured.section.packets[-1].comments[0]


def test_a_limit_of_bytes_that_was_reached_is_said(emulator, recorded):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(500))
    captured = FullClient(api, bucket).full(byte_limit=5000, time_limit=60)
    assert captured.returncode == 4 and "limit of 5,000 bytes was reached" in captured.stderr
    assert 0 < len(captured.records) < 500
    assert "limit_reached" in captured.section.packets[-1].comments[0]
    whole = FullClient(api, bucket).full(byte_limit=1000000, time_limit=2)
    assert whole.returncode == 0, whole.stderr


def test_originals_do_not_go_where_the_files_are_read(emulator, recorded):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded())
    client = FullClient(api, bucket)
    for folder in (bucket.path, bucket.path / "kept", f"{bucket.path}/../{bucket.path.name}/x/y"):
        done = client.full(keep_originals=folder)
        assert done.returncode == 2 and "the option keep-originals" in done.sentence
    assert posts(api) == []


@pytest.mark.parametrize("options", [{"time_limit": 86401}, {"time_limit": 0}, {"packet_limit": 0},
                                     {"byte_limit": 1000000001}, {"colo": "Chicago"},
                                     {"colo": None}, {"destination_conf": None},
                                     {"destination_conf": "s3://bucket"},
                                     {"destination_conf": "ftp://bucket"}])
def test_what_cannot_be_is_refused_before_the_request(emulator, options):
    bucket = Folder()
    api = emulator_of(emulator, bucket)
    done = FullClient(api, bucket).full(**options)
    assert done.returncode in (1, 2) and done.sentence and api.log() == []


@pytest.mark.parametrize("field, strict", [("colo", ()), ("colo_name", ()), ("both", ()),
                                           ("colo", ("--colo-strict",)),
                                           ("colo_name", ("--colo-strict",))])
def test_either_name_of_the_data_center(emulator, recorded, field, strict):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(50), "--colo-field", field, *strict)
    captured = FullClient(api, bucket).full(interface="cloudflare-ord02")
    assert captured.returncode == 0, captured.stderr
    check_whole(captured, bucket.read())
    tried = [{name for name in entry["body"] if name.startswith("colo")} for entry in posts(api)]
    assert tried == [{"colo", "colo_name"}] + [{field}] * len(strict)
    assert '"colo":"ord02"' in captured.section.interfaces[0].description


@pytest.mark.parametrize("words", [{"interface": "cloudflare-ord"},
                                   {"interface": "cloudflare-full", "colo": "ord"}])
def test_a_code_in_small_letters_is_the_data_center(emulator, recorded, words):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(50))
    captured = FullClient(api, bucket).full(**words)
    assert captured.returncode == 0, captured.stderr
    assert posts(api)[0]["body"]["colo"] == "ORD"


# ---- captures without packets, and failures

@pytest.mark.parametrize("result", ["failed", "success"])
def test_a_capture_that_no_packet_matched_is_empty(emulator, recorded, result):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--packets", recorded(), "--no-packets-result", result)
    client = FullClient(api, bucket)
    for captured in (client.full("dst host 192.0.2.99"), client.download()):
        assert captured.returncode == 3, captured.stderr
        assert captured.records == [] and "likely causes" in captured.stderr
        assert len(captured.section.interfaces) == 1
    assert {"failed": " failed, no packets ", "success": " success "}[result] in client.tool("list").stdout
    shown = client.full_tshark("dst host 192.0.2.99")
    assert shown.returncode == 0 and shown.records == []


def test_a_capture_that_failed_says_why(emulator):
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--job-result", "failed")
    client = FullClient(api, bucket)
    done = client.full()
    assert done.returncode == 1 and not done.path.exists()
    assert f"capture {ids_of(api)[0]} failed" in done.sentence
    assert client.download().returncode == 1
    shown = client.full_tshark()
    assert shown.returncode == 1 and " failed" in shown.sentence


def test_the_refusal_of_the_api_is_shown_as_it_is(emulator, tmp_path):
    body = tmp_path / "refusal.json"
    body.write_text('{"success":false,"errors":[{"code":1017,"message":"time_limit must be at most '
                    '300"}],"messages":[],"result":null}')
    bucket = Folder()
    api = emulator_of(emulator, bucket, "--answer", f"POST /pcaps=400:{body}")
    done = FullClient(api, bucket).full(time_limit=301)
    assert done.returncode == 1 and "time_limit must be at most 300" in done.sentence
    assert len(requests_of(api, "POST")) == 1
