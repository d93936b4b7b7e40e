#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Hundreds of captures in a row in one process, and the parsers over and over: memory and
descriptors stay where they are.

  tests/bench/soak.py [BUILD-FOLDER]

A span of 24 hours in windows of 5 minutes is 288 samples, against an emulator without waits; the
process is looked at all the time. Then each fuzz target's program replays its corpus once and fifty
times. Ends with status 1 if something grows.
"""

import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))
if len(sys.argv) > 1:
    os.environ["CLOUDFLAREDUMP_BUILD"] = str(pathlib.Path(sys.argv[1]).resolve())

from capturing import INSTANT, Client, requests_of  # noqa: E402
from emulator import BUILD, Emulator  # noqa: E402

GROWTH = 4096  # KiB that may come after the first tenth: buffers of the allocator
WINDOWS = 286


def memory(pid):
    """Resident KiB and open descriptors, or None when it has ended."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            resident = next((int(line.split()[1]) for line in file if line.startswith("VmRSS")), None)
        return resident and (resident, len(os.listdir(f"/proc/{pid}/fd")))
    except OSError:
        return None


def captures():
    """One process, so many samples."""
    with Emulator(*INSTANT) as api:
        client = Client(api, plugin=False)
        path = client.new_path()
        process = client.start(client.capture_command(
            path, "udp port 53", "-q", "--start-time", f"-{WINDOWS * 5}m", "--end-time", "-1m",
            "--packet-limit", "200", "--requests-per-window", "1", "--max-requests", "1440"))
        seen = []
        while (now := memory(process.pid)) is not None and process.poll() is None:
            seen.append(now)
            time.sleep(0.01)
        _, err = process.communicate()
        samples = len(requests_of(api, "GET", "/download"))
    seen = [one for one in seen if one[0] > 4000]  # before exec it is Python
    tenth = max(1, len(seen) // 10)
    early = max(kib for kib, _ in seen[:tenth])
    late = max(kib for kib, _ in seen)
    descriptors = max(number for _, number in seen[:tenth]), max(number for _, number in seen)
    print(f"one process, {samples} samples: {early} KiB in the first tenth, {late} KiB at most, "
          f"{seen[-1][0]} KiB at the end; {descriptors[0]} and {descriptors[1]} descriptors")
    good = late - early <= GROWTH and descriptors[1] <= descriptors[0] + 4 and samples >= 280
    if process.returncode not in (0, 4) or not good:
        print(f"BROKEN: status {process.returncode}, {err[-500:]}")
        return False
    return True


def peak(command):
    """(status, largest resident KiB) of a command. What wait4 tells counts Python's own before the
    exec."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        try:
            with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
                text = file.read()
        except OSError:
            continue
        if "VmHWM" in text and "python" not in text.split("\n", 1)[0]:
            most = max(most, int(text.split("VmHWM:")[1].split()[0]))
        time.sleep(0.0005)
    return process.returncode, most


def parsers():
    good = True
    for corpus in sorted((ROOT / "tests/fuzz/corpus").iterdir()):
        program = BUILD / "tests/fuzz" / f"{corpus.name}_fuzz"
        if not program.exists():
            continue
        status, once = peak([program, corpus])
        rounds = 50 if corpus.name not in ("filter", "plugin_file") else 10
        again, many = peak([program, *[corpus] * rounds])
        fine = not status and not again and many - once <= GROWTH
        print(f"{corpus.name}: {once} KiB after once, {many} KiB after {rounds} times"
              + ("" if fine else " BROKEN"), flush=True)
        good = good and fine
    return good


if __name__ == "__main__":
    sys.exit(0 if captures() & parsers() else 1)
