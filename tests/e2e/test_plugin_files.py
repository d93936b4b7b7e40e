# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin on files that other Wireshark tools have made of ours, and on live captures."""

import os
import subprocess

import pytest
from descriptions import FULL, SAMPLE, describe, mark
from pcapng import Interface, Packet, Section, read_pcapng, udp, write_pcap, write_pcapng
from wireshark import environment, open_folder, run, stage, start, tshark

pytestmark = pytest.mark.skipif(stage().plugin_dir is None, reason="the plugin was not built")

SECOND = 10**9
START = 1795414800 * SECOND
FIELDS = ["cloudflare.pcap_id", "cloudflare.type", "cloudflare.colo", "cloudflare.colo.city",
          "cloudflare.file", "cloudflare.request", "cloudflare.filter_v1", "cloudflare.time_limit",
          "cloudflare.capture_filter", "cloudflare.cut", "cloudflare.undecided",
          "cloudflare.damaged", "cloudflare.limit_reached"]


@pytest.fixture
def folder():
    return open_folder()


def shown(path, *options):
    """Time of a packet -> all our fields of it."""
    arguments = [part for name in FIELDS for part in ("-e", name)]
    lines = tshark(["-r", path, *options, "-T", "fields", "-e", "frame.time_epoch",
                    *arguments]).splitlines()
    return dict(line.split("\t", 1) for line in lines)


def edit(*command):
    done = run([str(part) for part in command])
    assert done.returncode == 0, done.stderr


def full_at(path, colo, pcap_id, offset=0, application=None):
    """A full capture of two files with marked packets, 20 packets a second apart."""
    interfaces = [Interface(name=f"cloudflare-{colo}", filter="udp", description=describe(
        **{**FULL, "colo": colo, "pcap_id": pcap_id, "file": file},
        filter_v1__destination_address="203.0.113.7")) for file in (1, 2)]
    def marks(index):
        return {3: [mark(undecided=True)], 7: ["a remark", mark(damaged="17 bytes")],
                19: [mark(limit_reached=True)]}.get(index, [])
    packets = [Packet(udp(payload=bytes([index])), index % 2, START + offset + index * SECOND,
                      200 if index % 3 == 0 else None, marks(index)) for index in range(20)]
    return write_pcapng(path, Section(interfaces, packets, application))


def test_every_field_survives_merging_cutting_and_saving(folder):
    one = full_at(folder / "one.pcapng", "ORD", "1" * 32)
    two = full_at(folder / "two.pcapng", "fra06", "2" * 32, SECOND // 2)
    want = {**shown(one), **shown(two)}
    assert len(want) == 40 and len(set(want.values())) >= 10
    edit("mergecap", "-w", folder / "merged.pcapng", one, two)
    assert shown(folder / "merged.pcapng") == want
    edit("editcap", folder / "merged.pcapng", folder / "cut.pcapng", "1-10", "31")
    kept = shown(folder / "cut.pcapng")
    assert len(kept) == 29 and kept.items() <= want.items()
    edit("tshark", "-r", folder / "cut.pcapng", "-Y", "cloudflare.colo == \"fra06\"", "-w",
         folder / "saved.pcapng")
    saved = shown(folder / "saved.pcapng")
    assert saved and saved == {key: value for key, value in kept.items() if "fra06" in value}
    edit("tshark", "-2", "-r", folder / "saved.pcapng", "-w", folder / "again.pcapng")
    assert shown(folder / "again.pcapng") == saved == shown(folder / "again.pcapng", "-2")


@pytest.mark.parametrize("mode", ["none", "all", "any"])
@pytest.mark.parametrize("snap_length", [65535, 262144, 0])
@pytest.mark.parametrize("ours_first", [True, False], ids=["ours first", "ours second"])
def test_mergecap_never_takes_a_foreign_interface_for_ours(folder, mode, snap_length, ours_first):
    ours = write_pcapng(folder / "ours.pcapng", Section(
        [Interface(description=describe(**SAMPLE))], [Packet(udp(), 0, START + i) for i in (0, 2000)]))
    foreign = write_pcap(folder / "foreign.pcap",
                         [Packet(udp(), 0, START + i) for i in (1000, 3000)], snap_length=snap_length)
    inputs = [ours, foreign] if ours_first else [foreign, ours]
    edit("mergecap", "-I", mode, "-w", folder / "merged.pcapng", *inputs)
    lines = tshark(["-r", folder / "merged.pcapng", "-T", "fields", "-e",
                    "cloudflare.type"]).splitlines()
    assert lines == ["simple", "", "simple", ""]


def test_two_captures_with_equal_descriptions_may_share_an_interface(folder):
    """mergecap joins what is the same; nothing is lost by it."""
    one = full_at(folder / "one.pcapng", "ORD", "1" * 32)
    two = full_at(folder / "two.pcapng", "ORD", "1" * 32, SECOND // 2)
    edit("mergecap", "-I", "any", "-w", folder / "merged.pcapng", one, two)
    assert shown(folder / "merged.pcapng") == {**shown(one), **shown(two)}


def test_foreign_formats_with_interfaces_are_left_alone(folder):
    path = write_pcap(folder / "plain.pcap", [Packet(udp(), 0, START)])
    assert tshark(["-r", path, "-Y", "cloudflare", "-T", "fields", "-e", "frame.number"]) == ""


def feed(fifo, data, pause):
    """Writes `data` into `fifo` in pieces, as a capture in progress does."""
    script = ("import sys,time\nwith open(sys.argv[1],'wb',0) as out:\n"
              " data=open(sys.argv[2],'rb').read()\n"
              " for at in range(0,len(data),500):\n  out.write(data[at:at+500]);time.sleep(%f)\n")
    return subprocess.Popen(["/usr/bin/python3", "-c", script % pause, str(fifo), str(data)])


def test_fields_are_there_while_capturing(folder):
    source = full_at(folder / "source.pcapng", "ORD", "1" * 32)
    fifo = folder / "fifo"
    os.mkfifo(fifo)
    fifo.chmod(0o666)
    reader = start(["tshark", "-i", str(fifo), "-T", "fields", "-e", "frame.time_epoch",
                    *[part for name in FIELDS for part in ("-e", name)]], environment())
    feeder = feed(fifo, source, 0.02)
    out, _ = reader.communicate(timeout=60)
    feeder.wait(timeout=10)
    assert dict(line.split("\t", 1) for line in out.splitlines()) == shown(source)


def test_saved_while_capturing_is_the_same(folder):
    source = full_at(folder / "source.pcapng", "ORD", "1" * 32)
    fifo = folder / "fifo"
    os.mkfifo(fifo)
    fifo.chmod(0o666)
    reader = start(["tshark", "-q", "-i", str(fifo), "-w", str(folder / "live.pcapng")],
                   environment())
    feeder = feed(fifo, source, 0)
    assert reader.wait(timeout=60) == 0
    feeder.wait(timeout=10)
    assert shown(folder / "live.pcapng") == shown(source)
    blocks = read_pcapng(folder / "live.pcapng")[0].interfaces
    assert [block.snap_length for block in blocks] == [262143, 262143]
