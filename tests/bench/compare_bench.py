#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`cloudflaredump compare` against tshark: 1,000,000 packets against 1,200,000 in GRE.

  tests/bench/compare_bench.py BUILD-FOLDER [--packets 1000000] [--tshark-packets 100000]

tshark prints the fields of both files, and a script joins them on what tells packets apart. It is
run on the first --tshark-packets of either file, since it takes minutes, and its time is scaled.
Prints seconds of CPU and of the clock, peak memory and the ratio; exits 1 if compare is not 20
times as fast or takes more than 400 MiB.
"""
import argparse
import os
import random
import struct
import subprocess
import sys
import tempfile
import time

FIELDS = ["ip.src", "ip.dst", "ip.id", "tcp.seq_raw", "tcp.ack_raw", "tcp.len", "udp.length"]


def header(link_type):
    return struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, link_type)


def record(now, data):
    return struct.pack("<IIII", now // 10**6, now % 10**6, len(data), len(data)) + data


def make(folder, count):
    """Writes both files; returns their paths and how many packets are lost."""
    chance = random.Random(1)
    pool = chance.randbytes(1 << 20)
    ethernet = bytes.fromhex("020000000001020000000002") + b"\x08\x00"
    paths = [os.path.join(folder, name) for name in ("cloudflare.pcap", "router.pcap")]
    now = 1_790_000_000_000_000
    lost = 0
    with open(paths[0], "wb") as cloudflare, open(paths[1], "wb") as router:
        cloudflare.write(header(101))
        router.write(header(1))
        for i in range(count):
            now += 60
            flow = chance.randrange(50000)
            size = chance.choice((0, 40, 200, 500, 1400))
            at = chance.randrange(len(pool) - 1500)
            tcp = struct.pack("!HHIIBBHHH", 1024 + flow, 443, i * 1400 & 0xFFFFFFFF, 7, 0x50, 0x18,
                              65535, 0, 0) + pool[at:at + size]
            ip = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(tcp), i & 0xFFFF, 0x4000, 60, 6, 0,
                             0xC6330000 + flow, 0xCB007100 + flow % 200) + tcp
            cloudflare.write(record(now, ip))
            if chance.random() < 0.01:
                lost += 1
            else:
                outer = struct.pack("!BBHHHBBHII", 0x45, 0, len(ip) + 24, i & 0xFFFF, 0, 64, 47, 0,
                                    0xA29F4001, 0xC0000201) + b"\0\0\x08\0" + ip
                router.write(record(now + 8000 + chance.randrange(1000), ethernet + outer))
            if i % 5 == 0:
                other = struct.pack("!BBHHHBBHII", 0x45, 0, 128, i & 0xFFFF, 0, 60, 17, 0,
                                    0x0A000001, 0x0A000002) + struct.pack("!HHHH", 1, 2, 108, 0)
                router.write(record(now + 8000, ethernet + other + pool[at:at + 100]))
    return paths, lost


def run(argv):
    """(stdout, seconds, CPU seconds, peak KiB) of a program."""
    begin = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    out = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, argv
    return out, time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def with_tshark(paths, count):
    """(missing, seconds, CPU seconds) of tshark's fields of both files, joined."""
    clock = cpu = 0
    sides = []
    for path, packets in zip(paths, (count, count * 6 // 5), strict=True):
        words = [word for field in FIELDS for word in ("-e", field)]
        out, seconds, used, _ = run(["tshark", "-r", path, "-c", str(packets), "-n", "-T", "fields",
                                     "-E", "occurrence=l", "-o", "tcp.analyze_sequence_numbers:FALSE",
                                     *words])
        clock, cpu = clock + seconds, cpu + used
        sides.append(out.splitlines())
    begin, used = time.perf_counter(), time.process_time()
    arrived = set(sides[1])
    missing = sum(line not in arrived for line in sides[0])
    return missing, clock + time.perf_counter() - begin, cpu + time.process_time() - used


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--packets", type=int, default=1_000_000)
    parser.add_argument("--tshark-packets", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        paths, lost = make(folder, options.packets)
        tool = os.path.join(options.build, "bin/cloudflaredump")
        out, seconds, cpu, memory = run([tool, "compare", *paths])
        print(f"compare: {seconds:.2f} s, {cpu:.2f} s of CPU, {memory / 1024:.0f} MiB; {lost:,} lost")
        print(out.splitlines()[0])
        # The last moments lie outside of what the router surely covered.
        if not lost - 10 <= int(out.split(" of ")[0].replace(",", "")) <= lost:
            sys.exit("the count of missing packets is wrong")
        count = min(options.tshark_packets, options.packets)
        missing, clock, used = with_tshark(paths, count)
        scale = options.packets / count
        print(f"tshark and a script: {clock * scale:.0f} s, {used * scale:.0f} s of CPU "
              f"({clock:.1f} s for {count:,} packets, {missing:,} missing)")
        print(f"ratio: {clock * scale / seconds:.0f} by the clock, {used * scale / cpu:.0f} by CPU")
        sys.exit(0 if used * scale / cpu >= 20 and memory <= 400 * 1024 else 1)


if __name__ == "__main__":
    main()
