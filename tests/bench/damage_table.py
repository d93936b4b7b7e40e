#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is kept of damaged pcap files, ours and mergecap's side by side.

  tests/bench/damage_table.py BUILD-FOLDER

Each case is merged with one whole file. A packet is good if it lies before the damage; ours must
give every good packet of both files, no other, and a comment in the stream where something is lost.
Ends with status 1 if it does not.
"""
import os
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../e2e"))
import pcapng  # noqa: E402

START = 1_790_000_000


def header(magic=0xA1B2C3D4, snap_length=65535):
    return struct.pack("<IHHiIII", magic, 2, 4, 0, 0, snap_length, 101)


def data(name):
    return name.encode().ljust(60, b".")


def record(second, name, fraction=0):
    body = data(name)
    return struct.pack("<IIII", START + second, fraction, len(body), len(body)) + body


FIVE = [record(2 * n, f"a{n}") for n in range(5)]
ALL = ["a0", "a1", "a2", "a3", "a4"]


def absurd(length):
    return struct.pack("<IIII", START + 5, 0, length, 60)


# Name, bytes, names of the good packets, whether something is lost.
CASES = [
    ("whole", header() + b"".join(FIVE), ALL, False),
    ("cut last record", (header() + b"".join(FIVE))[:-3], ALL[:4], True),
    ("cut record header", header() + b"".join(FIVE) + record(10, "a5")[:7], ALL, True),
    ("cut file header", header()[:10], [], True),
    ("absurd caplen", header() + b"".join(FIVE[:3]) + absurd(0xFFFFFFF0) + b"".join(FIVE[3:]),
     ALL[:3], True),
    ("caplen beyond the end", header() + b"".join(FIVE) + absurd(200_000) + b"rest", ALL, True),
    ("zero-filled tail", header() + b"".join(FIVE) + bytes(4096), ALL, True),
    ("wrong magic", b"\x12\x34\x56\x78" + header()[4:] + b"".join(FIVE), [], True),
    ("HTML instead of pcap", b"<html><body>503</body></html>", [], True),
    ("empty file", b"", [], True),
    ("header only", header(), [], False),
    ("swapped precision", header() + b"".join(record(2 * n, f"a{n}", 900_000_000)
                                              for n in range(5)), ALL, False),
    ("trailing garbage", header() + b"".join(FIVE) + b"\xee" * 37, ALL, True),
    ("huge snaplen", header(snap_length=0xFFFFFFFF) + b"".join(FIVE), ALL, False),
    ("snaplen 0", header(snap_length=0) + b"".join(FIVE), ALL, False),
    ("out-of-order times", header() + b"".join(FIVE[n] for n in (0, 2, 1, 4, 3)), ALL, False),
    ("empty packet", header() + FIVE[0] + struct.pack("<IIII", START + 1, 0, 0, 60) + FIVE[1],
     ["a0", "", "a1"], False),
]
WHOLE = header() + b"".join(record(2 * n + 1, f"b{n}") for n in range(3))
WHOLE_NAMES = ["b0", "b1", "b2"]


def merged(argv, path):
    """(packets' names in order, comments, exit status) of a merge that writes to `path`."""
    with open(path, "wb") as out:
        process = subprocess.run(argv, stdout=out, stderr=subprocess.PIPE, check=False)
    try:
        sections = pcapng.read_pcapng(path)
    except (ValueError, struct.error):
        sections = []
    packets = [packet for section in sections for packet in section.packets]
    names = [packet.data.rstrip(b".").decode(errors="replace") for packet in packets]
    comments = [comment for packet in packets for comment in packet.comments]
    ordered = all(a.time <= b.time for a, b in zip(packets, packets[1:]))
    return names, comments, process.returncode, ordered


def kept(names, good):
    """'5/5', with what does not belong there."""
    count = sum(1 for name in good if name in names)
    foreign = len(names) - sum(1 for name in names if name in good)
    return f"{count}/{len(good)}" + (f" +{foreign} false" if foreign else "")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = os.path.join(sys.argv[1], "tests/bench/merge_bench")
    mergecap = shutil.which("mergecap") or sys.exit("mergecap is not installed")
    print(f"{'case':<22} | {'ours':<6} {'order':<5} {'marked':<6} | mergecap     order status")
    wrong = []
    for name, content, good, lossy in CASES:
        with tempfile.TemporaryDirectory() as folder:
            inputs = os.path.join(folder, "inputs")
            os.mkdir(inputs)
            paths = [os.path.join(inputs, name) for name in ("a.pcap", "b.pcap")]
            for path, data in zip(paths, (content, WHOLE)):
                with open(path, "wb") as file:
                    file.write(data)
            out = os.path.join(folder, "out.pcapng")
            everything = good + WHOLE_NAMES
            names, comments, status, ordered = merged([program, inputs], out)
            if (status, sorted(names), bool(comments), ordered) != (
                    0, sorted(everything), lossy, True):
                wrong.append((name, names, comments))
            ours = kept(names, everything)
            marked = "yes" if comments else "-"
            theirs, _, status, their_order = merged([mergecap, "-w", "-"] + paths, out)
            print(f"{name:<22} | {ours:<6} {'yes' if ordered else 'NO':<5} {marked:<6} | "
                  f"{kept(theirs, everything):<12} {'yes' if their_order else 'NO':<5} {status}")
    for case in wrong:
        print("WRONG:", *case)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
