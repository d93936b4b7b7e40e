#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A day of cloudflare-live in fast time: memory, size and opening time beside the same packets in a
file with one interface.
    tests/bench/live_day.py [BUILD [WINDOWS]]   1440 windows of a minute unless told otherwise"""

import os
import pathlib
import statistics
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build").resolve()
WINDOWS = int(sys.argv[2]) if len(sys.argv) > 2 else 1440
os.environ["CLOUDFLAREDUMP_BUILD"] = str(BUILD)
sys.path.insert(0, str(ROOT / "tests/e2e"))
# pylint: disable=wrong-import-position
from capturing import Client
from emulator import Emulator
from pcapng import Interface, Section, read_pcapng, write_pcapng

ROUNDS = 5
SPEED = 600


def captured(client, path):
    """(seconds, peak memory in KiB) of a live capture into `path`."""
    begun = time.monotonic()
    process = client.start(client.capture_command(
        path, None, "-q", "--start-time=-24h", "--time-limit=60", f"--max-requests={WINDOWS}",
        interface="cloudflare-live"))
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"the capture ended with {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - begun, usage.ru_maxrss


def plain(path, made):
    """Writes the packets of `path` to `made`, in one interface."""
    section = read_pcapng(path)[0]
    for packet in section.packets:
        packet.interface, packet.comments = 0, []
    write_pcapng(made, [Section([Interface(link_type=101)], section.packets)])
    return section


def open_time(client, path):
    """Seconds that tshark, with the plugin, takes to dissect it."""
    done = client.run(["tshark", "-r", path, "-Y", "frame.number == 0"])
    if done.returncode:
        sys.exit(done.stderr)
    return done.seconds


def main():
    with Emulator("--speed", SPEED, "--job-seconds", 1) as api:
        client = Client(api, speed=SPEED, instant=False)
        live, one = client.new_path("live.pcapng"), client.new_path("one.pcapng")
        seconds, memory = captured(client, live)
        section = plain(live, one)
        sizes = [os.stat(path).st_size for path in (live, one)]
        times = [[open_time(client, path) for path in (live, one)] for _ in range(ROUNDS)]
        ratio = statistics.median(a / b for a, b in times)
        print(f"{len(section.interfaces)} windows, {len(section.packets):,} packets, captured in "
              f"{seconds:.0f} s: peak memory {memory / 1024:.0f} MiB; {sizes[0]:,} bytes are "
              f"{sizes[0] / sizes[1]:.3f} times the {sizes[1]:,} of one interface; tshark opens it in "
              f"{statistics.median(a for a, _ in times):.2f} s, {ratio:.2f} times as long as that.")


main()
