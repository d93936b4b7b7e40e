# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin's expert information, its packet marks and what it makes of broken descriptions."""

import itertools
import random

import pytest
from descriptions import FULL, SAMPLE, SEPARATOR, describe, mark
from pcapng import Interface, Packet, Section, udp, write_pcapng
from wireshark import iso_time, open_folder, run_tshark, stage, tshark, wireshark_version

pytestmark = pytest.mark.skipif(stage().plugin_dir is None, reason="the plugin was not built")

START = 1795414800 * 10**9


def capture(descriptions, packets):
    """A file with one interface for each description; packets are (interface, more) pairs."""
    interfaces = [Interface(description=text) for text in descriptions]
    written = [Packet(udp(payload=bytes(40)), number, START + index, **more)
               for index, (number, more) in enumerate(packets)]
    return write_pcapng(open_folder() / "capture.pcapng", Section(interfaces, written))


def frames(path, display_filter, *options):
    """The numbers of the packets that `display_filter` shows."""
    return [int(number) for number in
            tshark(["-r", path, *options, "-Y", display_filter, "-T", "fields", "-e",
                    "frame.number"]).split()]


@pytest.mark.parametrize("passes", [[], ["-2"]], ids=["one pass", "two passes"])
def test_each_finding_is_said_where_it_is_due(passes):
    path = capture(
        [describe(**SAMPLE, request=1), describe(**SAMPLE, request=2, residual_mismatch=True),
         describe(**FULL, limit_reached=True),
         describe(**{**FULL, "file": 2}, late=True, end_uncertain=True, left_out="object")],
        [(0, {}), (0, {"original_length": 500}), (0, {"original_length": 500}),
         (1, {"original_length": 500}),
         (2, {}), (2, {}),
         (3, {}), (3, {"comments": [mark(undecided=True)]}),
         (3, {"comments": [mark(undecided=True), "a remark"]}),
         (3, {"comments": [mark(damaged="the end of the file")]}),
         (3, {"comments": [mark(limit_reached=True)]})])
    want = {"sampled": [1], "cut": [2, 4], "residual_mismatch": [4], "limit_reached": [5, 11],
            "late": [7], "end_uncertain": [7], "left_out": [7], "undecided": [8, 9],
            "damaged": [10], "malformed": [], "other_section": []}
    got = {name: frames(path, f"cloudflare.expert.{name}", *passes) for name in want}
    assert got == want
    assert frames(path, "cloudflare.cut", *passes) == [2, 3, 4]


def test_a_mismatch_is_said_of_the_capture():
    path = capture([describe(**SAMPLE, residual_mismatch=True)] * 2, [(0, {}), (1, {}), (0, {})])
    assert frames(path, "cloudflare.expert.residual_mismatch") == [1]
    assert frames(path, "cloudflare.residual_mismatch == True") == [1, 2, 3]


def test_live_windows_are_one_sample_with_limits_of_their_own():
    path = capture([describe(**{**SAMPLE, "pcap_id": str(number) * 32}, window=number,
                             limit_reached=number != 2, coverage__share=41)
                    for number in (1, 2, 3)], [(0, {}), (0, {}), (1, {}), (2, {}), (2, {})])
    assert frames(path, "cloudflare.expert.sampled") == [1]
    assert frames(path, "cloudflare.expert.limit_reached") == [1, 4]
    assert frames(path, "cloudflare.window == 2") == [3]


def test_findings_are_told_by_tshark_z_expert():
    path = capture([describe(**SAMPLE)], [(0, {"original_length": 900})] * 3)
    told = tshark(["-q", "-z", "expert", "-r", path])
    assert told.count("Cloudflare") == 2
    assert "This capture is a sample" in told and "Packets were cut" in told


def test_findings_are_found_by_wiresharks_own_filter():
    path = capture([describe(**SAMPLE)], [(0, {}), (0, {})])
    assert 1 in frames(path, '_ws.expert.message contains "capture is a sample"')


def test_marks_are_shown_on_their_packets_only():
    words = "the last 100 bytes, at 17"
    path = capture([describe(**FULL)], [(0, {}), (0, {"comments": [
        mark(damaged=words, limit_reached=True, coverage__first="2026-11-23T06:20:00Z",
             coverage__last="2026-11-23T06:21:00Z")]}), (0, {})])
    lines = tshark(["-r", path, "-T", "fields", "-e", "cloudflare.damaged", "-e",
                    "cloudflare.coverage.first", "-e", "cloudflare.coverage.last"]).splitlines()
    assert lines[0] == lines[2] == "\t\t"
    first, last = "Nov 23, 2026 06:20:00.000000000 UTC", "Nov 23, 2026 06:21:00.000000000 UTC"
    assert lines[1] in (f"{words}\t{first}\t{last}",
                        f"{words}\t{iso_time(first)}\t{iso_time(last)}")


def test_only_the_first_comments_are_looked_at():
    """Ours is written first. Wireshark walks from the first comment to each one that is asked for,
    so all of 100,000 would take it minutes."""
    first = [mark(undecided=True)] + ["x"] * 100_000
    late = ["x"] * 100_000 + [mark(undecided=True)]
    path = capture([describe(**FULL)], [(0, {"comments": first}), (0, {"comments": late})])
    lines = tshark(["-r", path, "-T", "fields", "-e", "cloudflare.undecided"]).splitlines()
    assert lines[0] in ("True", "1") and lines[1] == ""


def test_marks_on_foreign_interfaces_are_left_alone():
    path = capture(["The first network card"], [(0, {"comments": [mark(undecided=True)]})])
    assert frames(path, "cloudflare") == []


MALFORMED = [SEPARATOR + machine for machine in (
    "", "{}", "[]", "7", '{"version":1', '{"version":1}x', '{"version":"1"}', '{"version":0}',
    '{"type":"full"}', '{"version":1,"type":7}', '{"version":1,"time_limit":99999999999}',
    '{"version":1,"late":"perhaps"}', '{"version":1,"type":"full","type":"simple"}',
    '{"version":1,"type":"\\u0000"}', '{"version":1,"filter_v1":{"protocol":256}}',
    '{"version":1,"type":"full","object":"' + "o" * 5000 + '"}', '{"version":1,"type":"\\ud800"}',
    "1;type=full")]


@pytest.mark.parametrize("machine", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_description_gives_a_note_and_nothing_else(machine):
    path = capture([machine, "eth0"], [(0, {}), (0, {}), (1, {})])
    assert frames(path, "cloudflare.expert.malformed") == [1]
    shown = tshark(["-r", path, "-T", "fields", "-e", "cloudflare.type", "-e", "cloudflare.colo",
                    "-e", "cloudflare.filter_v1"])
    assert shown.split() == []
    assert "Expert Info (Note/Malformed)" in tshark(["-r", path, "-V"])


def test_malformed_comment_gives_a_note():
    path = capture([describe(**FULL)],
                   [(0, {}), (0, {"comments": [mark(undecided="maybe")]})])
    assert frames(path, "cloudflare.expert.malformed") == [2]
    assert frames(path, "cloudflare.undecided") == []


def test_text_that_is_no_time_is_named():
    path = capture([describe(**{**SAMPLE, "offset_time": "yesterday"}, submitted="now")],
                   [(0, {}), (0, {})])
    assert frames(path, "cloudflare.expert.malformed") == [1]
    assert "does not have a time in submitted, offset_time" in tshark(["-r", path, "-V"])
    assert frames(path, 'cloudflare.type == "simple"') == [1, 2]


def test_unknown_keys_and_later_versions_are_tolerated():
    path = capture([describe(version=7, type="full", something__new=[1])], [(0, {})])
    assert frames(path, 'cloudflare.type == "full"') == [1]
    assert frames(path, "cloudflare.expert.malformed") == []


def test_hostile_text_stays_text():
    hostile = "%s%n\x1b[31m\n\t}{ü\u202e" + "x" * 200
    path = capture([describe(type=hostile, pcap_id=hostile, object=hostile, colo=hostile,
                             error_message=hostile, capture_filter=hostile)],
                   [(0, {"comments": [mark(damaged=hostile)]})])
    for options in (["-V"], ["-T", "json"], ["-T", "fields", "-e", "cloudflare.object"],
                    ["-T", "pdml"], ["-q", "-z", "cloudflare,tree"]):
        out = run_tshark(["-r", path, *options], text=False)
        assert (out.returncode, out.stderr) == (0, b"")
        assert b"\x1b" not in out.stdout
        out.stdout.decode("utf-8")


def test_damaged_descriptions_never_stop_wireshark():
    """Every cut, and many random changes, as the interfaces of a few files."""
    whole = describe(**SAMPLE, filter_v1__source_address="192.0.2.1", late=True, file=1)
    chance = random.Random(20261123)
    def changed():
        text = bytearray(whole.encode())
        for _ in range(chance.randint(1, 6)):
            text[chance.randrange(len(text))] = chance.randrange(256)
        return bytes(text)
    texts = [whole.encode()[:end] for end in range(len(whole))] + [changed() for _ in range(600)]
    for batch in itertools.batched(texts, 300) if hasattr(itertools, "batched") else \
            [texts[at:at + 300] for at in range(0, len(texts), 300)]:
        path = capture(list(batch), [(number, {}) for number in range(len(batch))])
        done = run_tshark(["-r", path, "-V"], text=False)
        assert (done.returncode, done.stderr) == (0, b"")


def test_sections_keep_their_interfaces_apart():
    path = open_folder() / "sections.pcapng"
    sections = [Section([Interface(description=text)], [Packet(udp(), 0, START), Packet(udp(), 0, START)])
                for text in (describe(**SAMPLE), describe(**FULL), "The first network card")]
    write_pcapng(path, sections)
    lines = tshark(["-r", path, "-T", "fields", "-e", "cloudflare.type"]).splitlines()
    note = frames(path, "cloudflare.expert.other_section")
    if wireshark_version() >= (4, 4):
        assert (lines, note) == (["simple"] * 2 + ["full"] * 2 + [""] * 2, [])
    else:  # 4.0 cannot be asked: better nothing, said once, than another capture's description.
        assert (lines, note) == (["simple"] * 2 + [""] * 4, [3])
