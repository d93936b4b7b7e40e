#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Times the whole program on a folder of k files with 1,000,000 packets of 514 bytes in all, written
to a drained pipe, without a filter, against `cat` of the same files into a drained pipe and, if its
build folder is given, against another build of the program. The runs take turns.

  tests/bench/whole_program.py BUILD [OTHER_BUILD] [--runs N] [--files K]...
"""

import argparse
import os
import pathlib
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time

ID = "00112233445566778899aabbccddeeff"
ACCOUNT = "023e105f4ecef8ad9ca31a8372d0c353"
TOKEN = "cfut_0123456789012345678901234567890123456789abcdef"
PACKETS, SIZE = 1_000_000, 514


def write_files(folder, count, packets=PACKETS):
    """Packets in turn over the files, a microsecond apart."""
    payload = bytes.fromhex("45000202000040004011000 0".replace(" ", "")) + bytes(SIZE - 12)
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)
    paths = []
    for number in range(count):
        path = folder / f"pcap_{ID}_{number:04}.pcap"
        with open(path, "wb") as out:
            out.write(header)
            for i in range(number, packets, count):
                out.write(struct.pack("<IIII", 1_700_000_000 + i // 1_000_000, i % 1_000_000, SIZE,
                                      SIZE) + payload)
        paths.append(str(path))
    return paths


def drained(command, env=None):
    """Seconds of wall time until `command` has ended and its output is drained."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
    buffer = bytearray(1 << 20)
    while process.stdout.readinto(buffer):
        pass
    error = process.stderr.read().decode()
    if process.wait() != 0:
        sys.exit(f"{command[0]} failed: {error}")
    return time.monotonic() - start


class Program:
    """One build of the program with an emulator that knows the capture."""

    def __init__(self, build, work, speed=1000, packets=None):
        self.tool = str(pathlib.Path(build, "bin/cloudflaredump"))
        job = work / "job.json"
        job.write_text('{"result":{"id":"%s","status":"success","type":"full","time_limit":60,'
                       '"system":"magic-transit","packet_limit":10000,"colo_name":"ORD",'
                       '"filter_v1":{}%s},"success":true,"errors":[],"messages":[]}'
                       % (ID, f',"packets_captured":{packets}' if packets else ""))
        self.emulator = subprocess.Popen(
            [str(pathlib.Path(build, "tests/cloudflare-emulator")), "--listen", "127.0.0.1:0",
             "--account", ACCOUNT, "--token", TOKEN, "--answer", f"GET /pcaps/{ID}=200:{job}"],
            stdout=subprocess.PIPE, text=True)
        url = self.emulator.stdout.readline().split("listening on ")[1].split()[0]
        self.env = dict(os.environ, CLOUDFLAREDUMP_SPEED=str(speed), CLOUDFLARE_API_TOKEN=TOKEN,
                        CLOUDFLARE_ACCOUNT_ID=ACCOUNT, CLOUDFLARE_API_BASE_URL=url,
                        HOME=str(work))

    def seconds(self, folder):
        command = [self.tool, "capture", "-q", "-i", "cloudflare-download", "--pcap-id", ID,
                   "--read-from", str(folder), "-w", "-"]
        # Status 4: a million packets are beyond Cloudflare's limit.
        return drained(["/bin/sh", "-c", '"$@" || [ $? = 4 ]', "sh", *command], self.env)

    def stop(self):
        self.emulator.terminate()
        self.emulator.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("other", nargs="?")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--files", type=int, action="append")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        programs = [Program(build, work) for build in (words.build, words.other) if build]
        try:
            for count in words.files or [3, 256, 1500]:
                folder = work / str(count)
                folder.mkdir()
                paths = write_files(folder, count)
                rows = []
                for _ in range(words.runs + 1):
                    rows.append([drained(["/bin/cat", *paths]),
                                 *(program.seconds(folder) for program in programs)])
                rows = rows[1:]
                ours = statistics.median(row[1] / row[0] for row in rows)
                text = f"{count} files: {ours:.2f} times the time of cat"
                if words.other:
                    other = statistics.median(row[1] / row[2] for row in rows)
                    text += f", {other:.2f} times that of the other build"
                print(text + f" ({statistics.median(row[1] for row in rows):.2f} s)", flush=True)
                for path in paths:
                    os.unlink(path)
        finally:
            for program in programs:
                program.stop()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"Peak memory of any process: {peak // 1024} MiB")


if __name__ == "__main__":
    main()
