#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What hostile servers, buckets, files and filters cost: peak memory (with child processes), seconds
to the sentence, and milliseconds from SIGTERM to the end, for one build or for two side by side.

  tests/bench/hostile_inputs.py BUILD [OTHER-BUILD [CASE…]]

A run has 4 GiB of address space and a minute and a half, one of OTHER-BUILD half a minute. SIGTERM
comes at a quarter, half and three quarters of the time to the sentence; the longest of the three
counts. Ends with status 1 if BUILD passes a bound.
"""

import contextlib
import gzip
import http.server
import itertools
import json
import os
import pathlib
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

MEMORY_LIMIT = 4 << 30
LONGEST, LONGEST_OF_OTHER = 90, 30  # seconds
PEAK, TO_SENTENCE, TO_END = 256 << 20, 30, 0.3  # what BUILD may need

ID = "66802ca5668e47a2b82c2e6746e45037"
JOB = {"id": ID, "submitted": "2026-11-26T10:00:00Z", "packet_limit": 1000, "time_limit": 60,
       "status": "success", "type": "simple", "system": "magic-transit", "colo_name": ""}
OK = {"success": True, "errors": [], "messages": []}
FULL = ["capture", "-i", "cloudflare-full", "--colo=ORD", "--time-limit=1", "--byte-limit=1000000",
        "--destination-conf=s3://pcaps/d?region=us-east-1"]
READ = ["capture", "-i", "cloudflare-download", f"--pcap-id={ID}",
        "--read-from=s3://pcaps/d?region=us-east-1"]
SAMPLE = ["capture", "-i", "cloudflare-sample", "--sample-interval=0", "--max-requests=1"]


class PlayedServer:
    """`answer(method, path)` yields the bytes of a whole answer, head included."""

    def __init__(self, answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def play(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.close_connection = True
                try:
                    for piece in answer(self.command, self.path):
                        self.wfile.write(piece)
                except OSError:
                    pass  # the client had enough

            do_GET = do_POST = do_PUT = play

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def plain(body, status="200 OK", headers=""):
    if not isinstance(body, bytes):
        body = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    yield (f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n"
           "Connection: close\r\n\r\n").encode() + body


def chunked(pieces, end=(b"0\r\n\r\n",)):
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    for piece in pieces:
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield from end


def forever(piece, pause=0.0):
    while True:
        yield piece
        time.sleep(pause)


def pcap_head():
    return struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 262144, 101)


def packets(count, captured=0, length=60):
    return struct.pack("<IIII", 1795414800, 0, captured, length) * count


def listing(contents, truncated="", start=""):
    return (f'<?xml version="1.0"?>{start}<ListBucketResult><Name>pcaps</Name>'
            f"<IsTruncated>{'true' if truncated else 'false'}</IsTruncated>{truncated}{contents}"
            "</ListBucketResult>")


def entry(key, size=24):
    return f"<Contents><Key>{key}</Key><Size>{size}</Size></Contents>"


def token(text):
    return f"<NextContinuationToken>{text}</NextContinuationToken>"


class Case:
    """`words` for the tool (or the extcap in Wireshark's folder), the servers' answers, more
    environment, what to put into the home first, and bounds of its own. A stop has a longer one
    (`end`) where the capture is stopped at Cloudflare (3 s) or files are on their way (stop-wait)."""

    def __init__(self, words, api=None, store=None, prepare=None, speed=1, program="bin",
                 most=TO_SENTENCE, environment=None, peak=PEAK, end=TO_END):
        self.end = end
        self.words, self.api, self.store, self.prepare = words, api, store, prepare
        self.speed, self.program, self.most, self.peak = speed, program, most, peak
        self.environment = environment or {}


def on_api(body):
    """An API whose every answer is `body()`."""
    return lambda _method, _path: body()


def sample(download):
    """An API with one sample, whose download is `download()`."""
    def answer(method, path):
        if path.endswith("/download"):
            return download()
        job = {**JOB, "status": "success"}
        return plain({**OK, "result": job if method == "POST" or ID in path else [job]})
    return answer


def bucket(page, read=lambda: plain(b""), **fields):
    """A full capture that has ended, and a store whose listings are `page(number)`: 0 for the first,
    then one more than the token or the last key has."""
    job = {**JOB, "type": "full", "colo_name": "ORD", "byte_limit": 1000000,
           "destination_conf": "s3://pcaps/d?region=us-east-1", **fields}

    def store(_method, path):
        if "list-type" in path:
            asked = re.search(r"continuation-token=t(\d+)|start-after=[^&]*_(\d{6})_", path)
            return page(int(asked[1] or asked[2]) + 1 if asked else 0)
        return read()
    return {"api": lambda _m, path: plain({**OK, "result": job if ID in path else [job]}),
            "store": store}


def ports(count):
    return " or ".join(f"port {n + 1}" for n in range(count))


def keys_of(number):
    return "".join(entry(f"d/pcap_{ID}_{number:06}_{n:04}.pcap") for n in range(1000))


def make_fifo(*parts):
    def prepare(home):
        path = home.joinpath(*parts)
        path.parent.mkdir(parents=True, exist_ok=True)
        os.mkfifo(path, 0o600)
    return prepare


def state_of(size):
    def prepare(home):
        path = home / ".local/state/cloudflaredump/captures.json"
        path.parent.mkdir(parents=True)
        with open(path, "wb") as file:
            file.truncate(size)
    return prepare


def tool_that(script):
    """A played `aws` first on PATH."""
    def prepare(home):
        (home / "bin").mkdir()
        (home / "bin/aws").write_text("#!/bin/sh\n" + script)
        (home / "bin/aws").chmod(0o755)
        (home / ".aws").mkdir()
        (home / ".aws/config").write_text("[profile p]\nsso_account_id = 1\nregion = us-east-1\n")
    return prepare


def bomb():
    zeros = pcap_head() + packets(1 << 20)
    return gzip.compress(zeros, 1)[:-8] + gzip.compress(bytes(1 << 24), 9) * 600


def page_of_objects(count):
    """Pages of 1,000 up to `count` objects, each a header."""
    def page(number):
        last = (number + 1) * 1000 >= count
        return plain(listing(keys_of(number), "" if last else token(f"t{number}")))
    return page


TEN_THOUSAND = " ".join(f'a{n}="{n}"' for n in range(10000))
LAUGHS = ('<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
    f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9)) + "]>")

# Those of the review first.
CASES = {
    "sample: a trailer without an end": Case(
        SAMPLE, sample(lambda: chunked([pcap_head()],
                                       itertools.chain([b"0\r\n"], forever(b"X: " + b"a" * 1000 + b"\r\n"))))),
    "list: 8 MB of zeros in an array": Case(
        ["list"], on_api(lambda: plain('{"success":true,"result":[' + "0," * 4_000_000 + "0]}"))),
    "list: 60,000 captures": Case(
        ["list"], on_api(lambda: plain({**OK, "result": [JOB] * 60000}))),
    "list: captures that are texts": Case(
        ["list"], on_api(lambda: plain({**OK, "result": ["x"] * 500}))),
    "sample: 64 MiB of packets without bytes": Case(
        SAMPLE, sample(lambda: plain(pcap_head() + packets((64 << 20) // 16 - 8))), most=60),
    "bucket: 16,000 files": Case(
        READ, **bucket(page_of_objects(16000), lambda: plain(pcap_head())), peak=64 << 20, most=60,
        end=20),
    "bucket: 17,000 files": Case(READ, **bucket(page_of_objects(17000)), peak=64 << 20),
    "bucket: a tag with 10,000 attributes": Case(
        READ, **bucket(lambda _: plain(listing(f"<Contents {TEN_THOUSAND}></Contents>" * 30)))),
    "bucket: a DTD": Case(
        READ, **bucket(lambda _: plain(listing(entry("&j;"), start=LAUGHS)))),
    "bucket: 5 MB of character references": Case(
        READ, **bucket(lambda _: plain(listing(entry("&#65;" * 1_000_000))))),
    "typing: 600 ports": Case(
        ["--extcap-interface", "cloudflare-sample", "--extcap-capture-filter", ports(600)],
        program="extcap", peak=600 << 20),
    "capture: 2,000 ports": Case(
        [*SAMPLE, "-f", ports(2000)], sample(lambda: plain(pcap_head())), peak=600 << 20),
    "bucket: a listing without an end": Case(
        [*READ, "--max-wait=10"],
        **bucket(lambda n: plain(listing(keys_of(n), token(f"t{n}"))))),
    "full: a time_limit of 30 years": Case(
        [*FULL, "--max-wait=30"], speed=10, end=3,
        api=lambda m, _: plain({**OK, "result": {
            **JOB, "type": "full", "colo_name": "ORD", "status": "running",
            "time_limit": 10**9, "byte_limit": 10**6,
            "destination_conf": "s3://pcaps/d?region=us-east-1"} if m == "POST" else []}),
        store=lambda *_: plain(listing(""))),
    "list: a byte every 15 s (10 times as fast)": Case(
        ["list"], on_api(lambda: chunked([], forever(b"1\r\n \r\n", 1.5))), speed=10),
    "bucket: files of 100 TB": Case(
        READ, **bucket(lambda _: plain(listing("".join(
            entry(f"d/pcap_{ID}_{n}.pcap", 10**13) for n in range(10)))))),
    "bucket: a gzip file of 10 GB of zeros": Case(
        READ, **bucket(lambda _: plain(listing(entry(f"d/pcap_{ID}.pcap.gz", len(BOMB)))),
                       lambda: plain(BOMB)), most=60),
    "configuration file: a FIFO": Case(
        ["list"], on_api(lambda: plain({**OK, "result": []})),
        prepare=make_fifo(".config/cloudflaredump/config.ini")),
    "log: a FIFO": Case(
        ["list", "--log-file=fifo"], on_api(lambda: plain({**OK, "result": []})),
        prepare=make_fifo("fifo")),
    "AWS's credentials file: a FIFO": Case(
        [*READ, "--aws-profile=p"], **bucket(lambda _: plain(listing(""))),
        prepare=make_fifo(".aws/credentials"), environment={"AWS_ACCESS_KEY_ID": None}),
    # Ten more, and some.
    "list: headers without an end": Case(
        ["list"], on_api(lambda: itertools.chain([b"HTTP/1.1 200 OK\r\n"],
                                                 forever(b"X-A: " + b"a" * 1000 + b"\r\n")))),
    "list: one header line without an end": Case(
        ["list"], on_api(lambda: itertools.chain([b"HTTP/1.1 200 OK\r\nX-A: "],
                                                 forever(b"a" * 65536)))),
    "sample: one trailer line without an end": Case(
        SAMPLE, sample(lambda: chunked([pcap_head()],
                                       itertools.chain([b"0\r\nX: "], forever(b"a" * 65536))))),
    "list: 100 Continue forever": Case(
        ["list"], on_api(lambda: forever(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000))),
    "list: a chunk extension without an end (10 times as fast)": Case(
        ["list"], on_api(lambda: chunked([], itertools.chain([b"5;x="], forever(b"a" * 65536)))),
        speed=10),
    "list: 4,000,000 nested arrays": Case(
        ["list"], on_api(lambda: plain("[" * 4_000_000))),
    "list: an error message of 8 MB": Case(
        ["list"], on_api(lambda: plain({"success": False, "result": None, "messages": [], "errors": [
            {"code": 1, "message": "\\u202e{x}" * 800_000}]}, "400 Bad Request"))),
    "list: an error message that repeats the token 200,000 times": Case(
        ["list"], on_api(lambda: plain({"success": False, "result": None, "messages": [], "errors": [
            {"code": 1, "message": "t" * 8_000_000}]}, "400 Bad Request"))),
    "list: 429 with Retry-After of 30 years": Case(
        ["list", "--max-wait=5"], on_api(lambda: plain(
            {}, "429 Too Many Requests", "Retry-After: 999999999\r\n")), most=65),
    "list: redirects in a circle": Case(
        ["list"], on_api(lambda: plain("", "302 Found", "Location: /client/v4\r\n"))),
    "sample: a packet of 4 GiB": Case(
        SAMPLE, sample(lambda: plain(pcap_head() + packets(1, 0xffffffff, 0xffffffff) + bytes(99)))),
    "sample: a body longer than declared": Case(
        SAMPLE, sample(lambda: chunked([pcap_head()], forever(b"10000\r\n" + bytes(65536) + b"\r\n")))),
    "bucket: 100,000 nested tags": Case(
        READ, **bucket(lambda _: plain(listing("<a>" * 100_000)))),
    "bucket: the same page again and again": Case(
        READ, **bucket(lambda _: plain(listing(entry(f"d/pcap_{ID}.pcap"), token("same"))))),
    "bucket: pages without objects": Case(
        [*READ, "--max-wait=10"], **bucket(lambda n: plain(listing("", token(f"t{n}"))))),
    "filter: 30,000 parentheses": Case(
        ["explain", "(" * 30_000 + "tcp" + ")" * 30_000], peak=600 << 20),
    "filter: 128 KB of networks": Case(
        ["explain", " or ".join(f"net 10.{n // 256}.{n % 256}.0/24" for n in range(5000))],
        peak=600 << 20),
    "filter: not of ors of ands": Case(
        ["explain", " and ".join(f"not (host 1.2.3.{n} or (tcp port {n} and net 10.{n}.0.0/16))"
                                 for n in range(200))], peak=600 << 20),
    "state: a file of 1 TB": Case(
        ["capture", "-i", "cloudflare-download", "--pcap-id=latest"],
        on_api(lambda: plain({**OK, "result": []})), prepare=state_of(1 << 40)),
    "aws prints without an end": Case(
        [*READ, "--aws-profile=p"], **bucket(lambda _: plain(listing(""))),
        prepare=tool_that("exec yes"), environment={"AWS_ACCESS_KEY_ID": None}),
    "aws ignores SIGTERM and sleeps": Case(
        [*READ, "--aws-profile=p"], **bucket(lambda _: plain(listing(""))), most=65,
        prepare=tool_that("trap '' TERM; exec sleep 100"), environment={"AWS_ACCESS_KEY_ID": None}),
}


# Starts the program and measures it: a child of this process would begin with its peak.
WATCHER = """
import json, os, resource, sys, time
pid = os.fork()
if pid == 0:
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]),) * 2)
    os.execv(sys.argv[2], sys.argv[2:])
print(pid, flush=True)
_, status, usage = os.wait4(pid, 0)
print(json.dumps([time.monotonic(), os.waitstatus_to_exitcode(status), usage.ru_maxrss << 10]))
"""


def over(watcher, seconds):
    """Whether the program ends within `seconds`."""
    return bool(select.select([watcher.stdout], [], [], seconds)[0])


class Run:
    """One run of a case with the programs of `build`: SIGTERM after `stop_after` seconds, if told."""

    def __init__(self, build, case, longest, stop_after=None):
        home = pathlib.Path(tempfile.mkdtemp(prefix="cloudflaredump-hostile-"))
        servers = [PlayedServer(answer) if answer else None for answer in (case.api, case.store)]
        try:
            if case.prepare:
                case.prepare(home)
            self.measure(build, case, home, servers, longest, stop_after)
        finally:
            for server in filter(None, servers):
                server.close()
            shutil.rmtree(home)

    def measure(self, build, case, home, servers, longest, stop_after):
        variables = {
            "HOME": str(home), "PATH": f"{home}/bin:{os.environ['PATH']}", "LC_ALL": "C.UTF-8",
            "CLOUDFLARE_ACCOUNT_ID": "0123456789abcdef0123456789abcdef",
            "CLOUDFLARE_API_TOKEN": "t" * 40, "AWS_ACCESS_KEY_ID": "AKIAX",
            "AWS_SECRET_ACCESS_KEY": "s", "AWS_EC2_METADATA_DISABLED": "true",
            "CLOUDFLAREDUMP_SPEED": str(case.speed), **case.environment}
        for name, server in zip(("CLOUDFLARE_API_BASE_URL", "AWS_ENDPOINT_URL"), servers):
            if server:
                variables[name] = server.url
        writes = ["-w", "out.pcapng"] if "capture" in case.words else []
        with open(home / "said", "w+b") as said:
            watcher = subprocess.Popen(
                [sys.executable, "-S", "-E", "-c", WATCHER, str(MEMORY_LIMIT),
                 build / case.program / "cloudflaredump", *case.words, *writes], cwd=home,
                env={k: v for k, v in variables.items() if v is not None}, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=said, start_new_session=True)
            pid = int(watcher.stdout.readline())
            begun, stopped = time.monotonic(), None
            if stop_after is not None and not over(watcher, stop_after):
                stopped = time.monotonic()
                with contextlib.suppress(ProcessLookupError):  # it may end at this very moment
                    os.kill(pid, signal.SIGTERM)
            if not over(watcher, longest):
                os.kill(pid, signal.SIGKILL)
            ended, self.status, self.peak = json.loads(watcher.stdout.readlines()[-1])
            watcher.wait()
            self.seconds = ended - begun
            self.ended_after = None if stopped is None else max(0.0, ended - stopped)
            said.seek(0)
            self.said = said.read().decode(errors="replace").strip().splitlines()


def figures(build, case, longest):
    whole = Run(build, case, longest)
    ends = []
    if whole.seconds > 0.05:
        ends = [Run(build, case, longest, min(whole.seconds, 20) * part).ended_after
                for part in (0.25, 0.5, 0.75)]
    return whole, max((end for end in ends if end is not None), default=0.0)


def cells(whole, end):
    took = "—" if whole.status == -signal.SIGKILL else f"{whole.seconds:.2f}"
    return f"{whole.peak / 2**20:.0f} | {took} | {end * 1000:.0f}"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    builds = [pathlib.Path(word).resolve() for word in sys.argv[1:3]]
    wanted = sys.argv[3:]
    names = ["now", "before"][:len(builds)]
    columns = [f"{name}: {what}" for name in names for what in ("MiB", "s", "SIGTERM, ms")]
    print("| input | " + " | ".join(columns) + " |\n|---|" + "---:|" * len(columns), flush=True)
    broken = []
    for name, case in CASES.items():
        if wanted and not any(word in name for word in wanted):
            continue
        results = [figures(build, case, longest)
                   for build, longest in zip(builds, (LONGEST, LONGEST_OF_OTHER))]
        whole, end = results[0]
        print(f"| {name} | " + " | ".join(cells(*result) for result in results) + " |", flush=True)
        print(f"  status {whole.status}: " + " / ".join(whole.said[-2:])[:400], file=sys.stderr,
              flush=True)
        if whole.peak > case.peak or whole.seconds > case.most or end > case.end:
            broken.append(name)
    for name in broken:
        print(f"over its bound: {name}")
    sys.exit(bool(broken))


BOMB = bomb()

if __name__ == "__main__":
    main()
