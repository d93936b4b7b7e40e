#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the plugin costs tshark: CPU time of paired runs with and without it, in turns.

    tests/bench/plugin_bench.py [--packets 300000] [--pairs 9] [--callgrind]

CPU time (user and system of the process) and not the clock's, so that other load of the machine
counts less; the clock's is printed beside it. With --callgrind, instructions for each packet, from
runs of two lengths under valgrind, so that the start of the program falls out."""

import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
# pylint: disable=wrong-import-position
from descriptions import FULL, SAMPLE, describe
from pcapng import Interface, Packet, Section, tcp, udp, write_pcapng
from wireshark import as_user, environment, open_folder, wireshark_version

START = 1795414800 * 10**9

# Name, arguments of tshark with the plugin, and without it.
PLAIN = ["-T", "fields", "-e", "frame.number"]
CASES = [
    ("no field of ours", PLAIN, PLAIN),
    ("one field", PLAIN + ["-e", "cloudflare.colo"], PLAIN),
    ("as a filter", PLAIN + ["-Y", 'cloudflare.type == "full"'], PLAIN + ["-Y", "frame"]),
    ("statistics, against io,stat", ["-q", "-z", "cloudflare,tree"], ["-q", "-z", "io,stat,0"]),
]


def capture(folder, count):
    """`count` packets, TCP and UDP in turns, from a sample and a full capture."""
    interfaces = [Interface(description=describe(**keys)) for keys in (SAMPLE, FULL)]
    frames = [tcp(source_port=40000 + n, payload=bytes(80)) for n in range(50)]
    frames += [udp(source_port=40000 + n, destination_port=9999, payload=bytes(80))
               for n in range(50)]
    packets = [Packet(frames[n % 100], n // 7 % 2, START + n * 1000) for n in range(count)]
    return write_pcapng(folder / f"{count}.pcapng", Section(interfaces, packets))


def once(path, arguments, env):
    """(CPU seconds, clock seconds) of one run."""
    before = time.monotonic()
    with subprocess.Popen(as_user(["tshark", "-r", path, *arguments]), env=env, cwd="/tmp",
                          stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status
    assert status == 0, status
    return usage.ru_utime + usage.ru_stime, time.monotonic() - before


def measure(path, pairs, with_plugin, without):
    for name, ours, theirs in CASES:
        runs = []
        for pair in range(pairs):
            both = [(ours, with_plugin), (theirs, without)]
            timed = [once(path, *run) for run in (both if pair % 2 == 0 else both[::-1])]
            runs.append(timed if pair % 2 == 0 else timed[::-1])
        medians = [[statistics.median(run[side][kind] for run in runs) for side in (0, 1)]
                   for kind in (0, 1)]
        ratio = statistics.median(run[0][0] / run[1][0] for run in runs)
        print(f"{name:28} CPU {medians[0][0]:.2f} s with, {medians[0][1]:.2f} s without, median of "
              f"{pairs} paired ratios {ratio:.3f}; clock {medians[1][0]:.2f} s, {medians[1][1]:.2f} s",
              flush=True)


def instructions(path, arguments, env):
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "tshark", "-r",
               str(path), *arguments]
    told = subprocess.run(as_user(command), env=env, cwd="/tmp", stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, check=True).stderr
    return int(re.search(r"Collected : (\d+)", told)[1])


def count_instructions(folder, with_plugin, without):
    short, long = (capture(folder, count) for count in (2000, 12000))
    for name, arguments, env in [("without the plugin", PLAIN, without),
                                 ("with it, no field of ours", PLAIN, with_plugin),
                                 ("with it, one field", CASES[1][1], with_plugin)]:
        each = (instructions(long, arguments, env) - instructions(short, arguments, env)) / 10000
        print(f"{name:26} {each:9.0f} instructions for each packet", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--packets", type=int, default=300000)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--callgrind", action="store_true")
    options = parser.parse_args()
    folder = open_folder()
    with_plugin, without = environment(), environment(plugin=False)
    print("Wireshark", ".".join(map(str, wireshark_version())))
    if options.callgrind:
        count_instructions(folder, with_plugin, without)
        return
    measure(capture(folder, options.packets), options.pairs, with_plugin, without)


if __name__ == "__main__":
    main()
