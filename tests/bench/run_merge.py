#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Our merge against mergecap: the same files to a drained FIFO, as pcapng, in alternating runs.

  tests/bench/run_merge.py BUILD-FOLDER [--files 3 32 256 1500] [--pairs 9] [--packets 1000000]

The files hold packets of 514 bytes at random times, in tmpfs (/dev/shm). mergecap runs with 4096
descriptors (it opens all files at once), ours with 256. Prints medians, the ratio, peak memory.
"""
import argparse
import multiprocessing
import os
import random
import resource
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time

PACKET_SIZE = 514


def make_files(folder, count, packets):
    """`packets` packets in order of time at random over `count` files."""
    chance = random.Random(count)
    body = chance.randbytes(PACKET_SIZE)
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    files = [bytearray(header) for _ in range(count)]
    now = 1_790_000_000_000_000
    for _ in range(packets):
        now += chance.randrange(100)
        record = struct.pack("<IIII", now // 1_000_000, now % 1_000_000, PACKET_SIZE, PACKET_SIZE)
        buffer = files[chance.randrange(count)]
        buffer += record
        buffer += body
    for number, buffer in enumerate(files):
        with open(os.path.join(folder, f"pcap_{number:05}.pcap"), "wb") as file:
            file.write(buffer)


def limit_descriptors(count):
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(count, 4096)))
    return limit


def drain(argv, descriptors, fifo):
    """Seconds until all that `argv` writes to `fifo` was read, and its peak memory in KiB."""
    begin = time.perf_counter()
    reader = subprocess.Popen(["dd", f"if={fifo}", "of=/dev/null", "bs=1M", "status=none"])
    writer = os.open(fifo, os.O_WRONLY)
    process = subprocess.Popen(argv, stdout=writer, stderr=subprocess.PIPE,
                               preexec_fn=limit_descriptors(descriptors))
    os.close(writer)
    errors = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = status
    reader.wait()
    seconds = time.perf_counter() - begin
    if status != 0:
        sys.exit(f"{argv[0]} failed: {errors}")
    return seconds, usage.ru_maxrss


def same_packets(ours, theirs, paths):
    """Whether both streams hold the same times and lengths in the same order."""
    def listing(argv, descriptors):
        merge = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                 preexec_fn=limit_descriptors(descriptors))
        fields = subprocess.run(
            ["tshark", "-n", "-r", "-", "-T", "fields", "-e", "frame.time_epoch", "-e",
             "frame.len"], stdin=merge.stdout, stdout=subprocess.PIPE, check=True).stdout
        merge.wait()
        return fields
    return listing(ours, 256) == listing(theirs + paths, 4096)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build")
    parser.add_argument("--files", type=int, nargs="+", default=[3, 32, 256, 1500])
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--verify", action="store_true",
                        help="compare what tshark reads in both streams (slow)")
    parser.add_argument("--store", action="store_true",
                        help="take the files into a store first, as those of a bucket are")
    options = parser.parse_args()
    program = os.path.join(options.build, "tests/bench/merge_bench")
    store = ["--store"] if options.store else []
    mergecap = shutil.which("mergecap") or sys.exit("mergecap is not installed")
    print(f"{options.packets} packets of {PACKET_SIZE} bytes, medians of {options.pairs} "
          "alternating pairs")
    print(f"{'files':>6} {'ours s':>8} {'mergecap s':>11} {'ratio':>6} {'ours MiB/s':>11} "
          f"{'ours peak MiB':>14} {'mergecap peak MiB':>18}")
    for count in options.files:
        with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
            inputs = os.path.join(folder, "inputs")
            os.mkdir(inputs)
            # In a process of its own: a child's peak memory begins with that of its parent.
            maker = multiprocessing.Process(target=make_files,
                                            args=(inputs, count, options.packets))
            maker.start()
            maker.join()
            paths = sorted(entry.path for entry in os.scandir(inputs))
            fifo = os.path.join(folder, "fifo")
            os.mkfifo(fifo)
            ours, theirs = [], []
            for _ in range(options.pairs):
                ours.append(drain([program, *store, inputs], 256, fifo))
                theirs.append(drain([mergecap, "-w", "-"] + paths, 4096, fifo))
            our_time = statistics.median(seconds for seconds, _ in ours)
            their_time = statistics.median(seconds for seconds, _ in theirs)
            total = sum(os.path.getsize(path) for path in paths)
            print(f"{count:>6} {our_time:>8.3f} {their_time:>11.3f} "
                  f"{their_time / our_time:>6.2f} {total / our_time / 2**20:>11.0f} "
                  f"{max(kib for _, kib in ours) / 1024:>14.1f} "
                  f"{max(kib for _, kib in theirs) / 1024:>18.1f}", flush=True)
            if options.verify:
                same = same_packets([program, *store, inputs], [mergecap, "-w", "-"], paths)
                print(f"       tshark reads the same packets in both: {'yes' if same else 'NO'}")


if __name__ == "__main__":
    main()
