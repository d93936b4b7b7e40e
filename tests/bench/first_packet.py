#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""From the answer that says "success" to the first packet on the reader's side, in real time.

    tests/bench/first_packet.py [--rounds 5] [--files 40]

Nothing waits on purpose: a sample downloads at once, and a full capture's files are read once they
hold as many packets as Cloudflare counted, without a second look at the bucket.
"""

import argparse
import contextlib
import datetime
import itertools
import pathlib
import statistics
import struct
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
# pylint: disable=wrong-import-position
from capturing import Client, finish, requests_of
from emulator import Emulator, write_pcap
from full_captures import Folder, S3Bucket, numbered
from s3_server import S3Server, installed

ENHANCED_PACKET = 6


def first_packet(stream):
    """The clock when the first packet block of a pcapng stream has arrived; None without one."""
    while len(head := stream.read(8)) == 8:
        kind, length = struct.unpack("<II", head)
        if len(stream.read(length - 8)) < length - 8:
            return None
        if kind == ENHANCED_PACKET:
            return time.time()
    return None


def success_of(api):
    """When the emulator logged the request whose answer said that the capture was over: the last
    one for the capture itself."""
    of_job = [entry for entry in requests_of(api, "GET")
              if len(entry["path"].rsplit("/", 1)[-1]) == 32]
    return datetime.datetime.fromisoformat(of_job[-1]["time"].replace("Z", "+00:00")).timestamp()


def measure(api, client, words):
    process = client.start([client.tool_path, "capture", "-w", "-", *words], text=False, bufsize=0)
    arrived = first_packet(process.stdout)
    _, said = finish(process)
    if arrived is None:
        sys.exit(f"no packet came: {said.decode()}")
    return arrived - success_of(api)


def report(name, seconds):
    print(f"{name:24} median {statistics.median(seconds):6.3f} s  "
          f"({min(seconds):.3f} to {max(seconds):.3f})", flush=True)


def report_full(name, make, packets, options):
    seconds = []
    for _ in range(options.rounds):
        bucket = make()
        with Emulator("--registered", bucket.destination, "--packets", packets, "--parts",
                      options.files, "--job-seconds", 1, environment=bucket.environment) as api:
            client = Client(api, **bucket.environment)
            seconds.append(measure(api, client, [
                "-i", "cloudflare-full", "--colo=ORD", "--time-limit=1",
                f"--destination-conf={bucket.destination}"]))
    report(f"full, {options.files} files, {name}", seconds)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        packets = write_pcap(pathlib.Path(folder) / "in.pcap", numbered(4000), nanoseconds=True)
        seconds = []
        for _ in range(options.rounds):
            with Emulator("--sample-interval", 0, "--job-seconds", 1) as api:
                seconds.append(measure(api, Client(api), ["-i", "cloudflare-sample"]))
        report("sample", seconds)
        buckets = [("folder", Folder)]
        with contextlib.ExitStack() as stack:
            if installed():
                server = stack.enter_context(S3Server())
                names = itertools.count()
                buckets.append(("S3", lambda: S3Bucket(server, f"bench-{next(names)}")))
            for name, make in buckets:
                report_full(name, make, packets, options)


if __name__ == "__main__":
    main()
