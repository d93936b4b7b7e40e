#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How long many small files take to fetch when each answer is 50 ms late, side by side as the
product does it and one by one: from a real S3 server, whose own work for each request counts too,
and from a plain server that has next to none, which leaves what the program needs. Not a test.

    tests/bench/fetch_bench.py [BUILD] [--files 300] [--rounds 5]
"""

import argparse
import http.server
import pathlib
import socket
import socketserver
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
from s3_server import S3Server, installed  # noqa: E402

DELAY = 0.05
SIZE = 20_000


class LateProxy(socketserver.ThreadingTCPServer):
    """Passes bytes on; the first byte of each answer is DELAY late."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, port):
        self.target = port
        super().__init__(("127.0.0.1", 0), None)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, client_address):
        with socket.create_connection(("127.0.0.1", self.target)) as server:
            asked = threading.Event()
            threading.Thread(target=self._copy, args=(request, server, asked.set),
                             daemon=True).start()

            def wait():
                if asked.is_set():
                    asked.clear()
                    time.sleep(DELAY)
            self._copy(server, request, wait)

    @staticmethod
    def _copy(source, target, before):
        try:
            while data := source.recv(65536):
                before()
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass


class PlainStore(http.server.ThreadingHTTPServer):
    """A bucket's listing and its objects, each answer DELAY late; signatures are not looked at."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, files):
        keys = [f"pcap_capture_{file:04d}.pcap" for file in range(files)]
        listing = "".join(f"<Contents><Key>{key}</Key><Size>{SIZE}</Size></Contents>"
                          for key in keys)
        listing = f"<ListBucketResult>{listing}</ListBucketResult>".encode()

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                time.sleep(DELAY)
                body = listing if "?" in self.path else bytes(SIZE)
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
                                 + body)

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def timed(probe, environment, at_once):
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        subprocess.run([probe, "fetch", "s3://bench?region=us-east-1", "pcap_capture_", folder,
                        str(at_once)], env=environment, check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - start


def report(name, probe, environment, options):
    many = [timed(probe, environment, 16) for _ in range(options.rounds)]
    single = [timed(probe, environment, 1) for _ in range(max(1, options.rounds // 3))]
    ours, alone = statistics.median(many), statistics.median(single)
    print(f"{name:14} 16 at once  median {ours:6.2f} s  ({min(many):.2f} to {max(many):.2f}); "
          f"one by one {alone:6.2f} s; ratio {alone / ours:5.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", nargs="?", default="build")
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    probe = pathlib.Path(options.build).resolve() / "tests/bucket-probe"
    if not installed():
        sys.exit("the S3 server is not installed; see packaging/install-dependencies")
    print(f"{options.files} files of {SIZE} bytes, each answer {DELAY * 1000:.0f} ms late")
    with S3Server() as server:
        server.create_bucket("bench")
        for file in range(options.files):
            server.put("bench", f"pcap_capture_{file:04d}.pcap", bytes(SIZE))
        with LateProxy(server.port) as proxy:
            environment = server.environment(
                AWS_ENDPOINT_URL_S3=f"http://127.0.0.1:{proxy.server_address[1]}")
            report("real S3 server", probe, environment, options)
            proxy.shutdown()
    with PlainStore(options.files) as store:
        environment["AWS_ENDPOINT_URL_S3"] = f"http://127.0.0.1:{store.server_address[1]}"
        report("plain server", probe, environment, options)
        store.shutdown()


if __name__ == "__main__":
    main()
