# SPDX-License-Identifier: GPL-2.0-or-later
"""Statistics, preferences and the Wireshark profile of the plugin."""

import re
import shutil

import pytest
from descriptions import FULL, SAMPLE, describe
from pcapng import Interface, Packet, Section, tcp, udp, write_pcapng
from wireshark import ROOT, environment, open_folder, run_tshark, stage, tshark, wireshark_version

pytestmark = pytest.mark.skipif(stage().plugin_dir is None, reason="the plugin was not built")

START = 1795414800 * 10**9
STEP = 10**7


def capture(*descriptions, count=10):
    """A file in which the interfaces take turns; packets have 100, 101 … bytes on the wire."""
    interfaces = [Interface(description=text) for text in descriptions]
    packets = [Packet(udp(payload=bytes(50)), index % len(interfaces), START + index * STEP,
                      100 + index) for index in range(count)]
    return write_pcapng(open_folder() / "capture.pcapng", Section(interfaces, packets))


def statistics(path, display_filter=""):
    """Path of node names -> its row of columns."""
    out = tshark(["-q", "-z", f"cloudflare,tree{display_filter}", "-r", path])
    rows, above = {}, []
    for line in out.splitlines():
        found = re.match(r"( *)(.+?)  +(\d+)(?: +(.*))?$", line)
        if not found:
            continue
        above = above[:len(found[1])] + [found[2]]
        rows["/".join(above)] = [int(found[3]), *(found[4] or "").split()]
    return rows


def test_tree_counts_packets_and_bytes():
    path = capture(describe(**SAMPLE, request=1, requests=2, filter_v1__source_address="192.0.2.1"),
                   describe(**FULL), describe(**{**FULL, "file": 2}, object="b.pcap"), "eth0",
                   count=40)
    rows = statistics(path)
    sample, full = SAMPLE["pcap_id"], FULL["pcap_id"]
    counts = {
        "": 30,
        "/By data center": 30,
        "/By data center/ORD (Chicago, United States)": 20,
        "/By data center/All data centers (sample)": 10,
        f"/By capture and file/{sample}/File 1": 10,
        f"/By capture and file/{full}": 20,
        f"/By capture and file/{full}/File 1 of 2": 10,
        f"/By capture and file/{full}/File 2 of 2: b.pcap": 10,
        f'/By request/{sample}/Request 1 of 2: source_address 192.0.2.1': 10,
        f"/By request/{full}/Request 1: everything": 20,
    }
    for name, count in counts.items():
        assert rows["Packets" + name][0] == count, name
    lengths = [100 + index for index in range(40)]
    assert rows["Bytes"][0] == sum(n for i, n in enumerate(lengths) if i % 4 != 3)
    assert rows["Bytes/By data center/All data centers (sample)"][0] == sum(lengths[0::4])
    assert rows[f"Bytes/By capture and file/{full}/File 2 of 2: b.pcap"][0] == sum(lengths[2::4])


def test_windows_of_live_captures_share_a_node():
    windows = [describe(**{**SAMPLE, "pcap_id": str(number) * 32}, window=number, request=request,
                        requests=2) for number in (1, 2, 3) for request in (1, 2)]
    rows = statistics(capture(*windows, describe(**SAMPLE), count=70))
    window = "Window {}, up to 2026-11-23T06:20:00Z"
    counts = {
        "/By capture and file/Live samples": 60,
        **{f"/By capture and file/Live samples/{window.format(number)}": 20
           for number in (1, 2, 3)},
        f"/By capture and file/{SAMPLE['pcap_id']}/File 1": 10,
        "/By request/Live samples/Request 1 of 2: everything": 30,
    }
    for name, count in counts.items():
        assert rows["Packets" + name][0] == count, name


def test_a_node_names_two_thousand_and_sums_the_rest():
    """Wireshark walks along all nodes for each new one: 20,000 did not come to an end."""
    many = [describe(**{**FULL, "pcap_id": f"{number:032x}"}) for number in range(4000)]
    files = [describe(**{**FULL, "file": number}) for number in range(4000)]
    rows = statistics(capture(*many, count=8000))
    named = [name for name in rows if re.fullmatch("Packets/By capture and file/[^/]*", name)]
    assert len(named) == 2001
    others = "/By capture and file/All others"
    assert rows["Packets"][0] == 8000 and rows["Packets" + others][0] == 4000
    assert rows["Bytes" + others][0] == sum(
        100 + index for index in range(8000) if index % 4000 >= 2000)
    rows = statistics(capture(*files, count=4000))
    by_file = f"Packets/By capture and file/{FULL['pcap_id']}/"
    assert rows[by_file + "All others"][0] == 2000 and rows[by_file + "File 1999 of 2"][0] == 1


def test_rates_are_of_full_captures_only():
    full = statistics(capture(describe(**FULL)))
    # Count, average, least, most, rate, share, burst rate, burst start.
    assert len(full["Packets"]) == 8 and float(full["Packets"][4]) == pytest.approx(10 / 90, 0.01)
    sample = statistics(capture(describe(**SAMPLE)))
    assert len(sample["Packets"]) == 7 and sample["Packets"][5:] == ["-", "-"]
    mixed = capture(describe(**SAMPLE), describe(**FULL))
    both = statistics(mixed)
    assert len(both["Packets"]) == 7 and both["Packets"][5:] == ["-", "-"]
    assert both["Packets/By data center/All data centers (sample)"][5:] == ["-", "-"]
    of_full = statistics(mixed, ',cloudflare.type=="full"')
    assert len(of_full["Packets"]) == 8 and of_full["Packets"][0] == 5


def test_bytes_beyond_31_bits_stay_at_the_largest_number():
    interfaces = [Interface(description=describe(**FULL))]
    packets = [Packet(udp(), 0, START + index, 2**31 - 1) for index in range(3)]
    path = write_pcapng(open_folder() / "huge.pcapng", Section(interfaces, packets))
    assert statistics(path)["Bytes"][0] == 2**31 - 1


def test_tree_of_a_foreign_file_is_empty():
    assert statistics(capture("eth0")) == {}


def preference(name, value):
    return ["-o", f"cloudflare.{name}:{value}"]


def test_info_column_is_left_alone_unless_asked():
    path = capture(describe(**SAMPLE), describe(**FULL), "eth0")
    plain = tshark(["-r", path])
    assert plain == run_tshark(["-r", path], environment(plugin=False)).stdout
    lines = tshark(["-r", path, *preference("show_summary", "TRUE")]).splitlines()
    assert [line.rpartition(" [Cloudflare ")[2] for line in lines[:2]] == ["sample]", "ORD]"]
    assert lines[2] == plain.splitlines()[2]


def test_tree_can_be_hidden_and_fields_still_used():
    path = capture(describe(**FULL))
    assert "Cloudflare ORD (Chicago), full capture, file 1 of 2" in tshark(["-r", path, "-V"])
    hidden = preference("show_tree", "FALSE")
    assert "Cloudflare ORD (" not in tshark(["-r", path, "-V", *hidden]).replace(
        describe(**FULL), "")
    assert len(tshark(["-r", path, *hidden, "-Y", 'cloudflare.colo == "ORD"']).splitlines()) == 10


def test_preferences_are_listed_with_their_defaults():
    listed = tshark(["-G", "currentprefs"])
    assert "#cloudflare.show_tree: TRUE" in listed
    assert "#cloudflare.show_summary: FALSE" in listed


@pytest.fixture
def with_profile():
    """An environment whose home has the profile where Wireshark imports it to."""
    home = open_folder()
    source = ROOT / "packaging/wireshark-profile/Cloudflare"
    profile = home / ".config/wireshark/profiles/Cloudflare"
    shutil.copytree(source, profile)
    for path in [home, *home.rglob("*")]:
        path.chmod(0o777 if path.is_dir() else 0o666)
    return environment(home=home)


def test_profile_shows_where_packets_come_from(with_profile):
    path = capture(describe(**SAMPLE), describe(**FULL))
    lines = tshark(["-C", "Cloudflare", "-r", path], with_profile).splitlines()
    assert "sample" in lines[0] or "simple" in lines[0]
    assert "ORD" in lines[1] and "Chicago" in lines[1]


def test_profile_turns_tcp_sequence_analysis_off(with_profile):
    packets = [Packet(tcp(sequence=number), 0, START + index * STEP)
               for index, number in enumerate([1, 5000, 1, 1])]
    path = write_pcapng(open_folder() / "tcp.pcapng",
                        Section([Interface(description=describe(**SAMPLE))], packets))
    suspicions = ["-r", path, "-Y", "tcp.analysis.flags", "-T", "fields", "-e", "frame.number"]
    assert tshark(suspicions) != ""
    assert tshark(["-C", "Cloudflare", *suspicions], with_profile) == ""


def test_profile_colors_by_kind_of_capture(with_profile):
    path = capture(describe(**SAMPLE), describe(**FULL), describe(**FULL, residual_mismatch=True),
                   "eth0", describe(**{**SAMPLE, "limit_reached": True}), count=5)
    done = run_tshark(["-C", "Cloudflare", "--color", "-r", path, "-T", "fields", "-e",
                       "frame.coloring_rule.name"], with_profile)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["Cloudflare: sample", "Cloudflare: full capture",
                                        "Cloudflare: not decided by the filter", "",
                                        "Cloudflare: sample"]


COLUMN = 'gui.column.format:"No","%m","Colo","%Cus:cloudflare.colo"'


@pytest.mark.parametrize("words, wanted", [
    (["-T", "fields", "-e", "cloudflare.colo"], "ORD"),
    (["-Tfields", "-ne", "cloudflare.colo"], "ORD"),
    (["-T", "fields", "-e", "cloudflare"], "Cloudflare ORD (Chicago), full capture, file 1 of 2"),
    (["-T", "fields", "-e", "frame.number", "-Y", 'cloudflare.colo == "ORD"'], "1"),
    (["-T", "fields", "-e", "frame.number", "-2", "-R", 'cloudflare.colo == "ORD"'], "1"),
    pytest.param(["-T", "fields", "-e", "_ws.col.Colo", "-o", COLUMN], "ORD",
                 marks=pytest.mark.skipif(wireshark_version() >= (4, 2),
                                          reason="later, columns that -o makes are no fields")),
    (["-o", COLUMN], "1 ORD"),
    (["-T", "fields", "-e", "frame.number", "-z", "io,stat,0,cloudflare.colo"], "1"),
], ids=lambda words: " ".join(words) if isinstance(words, list) else None)
def test_a_field_is_there_however_it_is_asked_for(words, wanted):
    """Where tshark prints named fields only, ours cost nothing unless they are among them."""
    lines = tshark(["-r", capture(describe(**FULL)), *words]).splitlines()
    assert lines[0].strip() == wanted, lines
    counted = [line for line in lines if re.match(r"\|.*\|\s+10 \|\s+1[01][0-9]{2} \|", line)]
    assert bool(counted) == ("-z" in words), lines


def test_findings_are_said_where_only_named_fields_are_printed():
    lines = tshark(["-r", capture(describe(**SAMPLE)), "-T", "fields", "-e",
                    "_ws.expert.message"]).splitlines()
    assert "sample" in lines[0] and len(lines) == 10
