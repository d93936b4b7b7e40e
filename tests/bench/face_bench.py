#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How long Wireshark waits for the extcap at its start, side by side with udpdump: medians of 100
runs of each call, taken in turns so that a busy machine is as slow for both.

    tests/bench/face_bench.py [FACE]        default: build/extcap/cloudflaredump

Ends with status 1 if the face takes longer than udpdump."""

import os
import pathlib
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUNS = 100


def udpdump():
    """Wireshark's own, where `tshark -G folders` says the extcaps are."""
    folders = subprocess.run(["tshark", "-G", "folders"], capture_output=True, text=True,
                             check=True).stdout
    for line in folders.splitlines():
        name, _, path = line.partition(":")
        program = pathlib.Path(path.strip()) / "udpdump"
        if "xtcap" in name and program.exists():
            return program
    sys.exit("udpdump is not installed (package wireshark-common).")


def milliseconds(command):
    start = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ, file_actions=[
        (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status = os.waitpid(process, 0)
    assert status == 0, command
    return (time.perf_counter() - start) * 1000


def main():
    face = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build/extcap/cloudflaredump")
    other = str(udpdump())
    slower = False
    for words in (["--extcap-interfaces", "--extcap-version=4.0"], ["--extcap-config"]):
        ours, theirs = [], []
        for _ in range(RUNS):
            config = words == ["--extcap-config"]
            ours.append(milliseconds([face, *words, *(
                ["--extcap-interface", "cloudflare-sample"] if config else [])]))
            theirs.append(milliseconds([other, *words, *(
                ["--extcap-interface", "udpdump"] if config else [])]))
        one, two = statistics.median(ours), statistics.median(theirs)
        slower |= one > two
        print(f"{words[0]}: cloudflaredump {one:.2f} ms, udpdump {two:.2f} ms "
              f"(medians of {RUNS}; smallest {min(ours):.2f} and {min(theirs):.2f})")
    sys.exit(1 if slower else 0)


if __name__ == "__main__":
    main()
