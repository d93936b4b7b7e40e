# SPDX-License-Identifier: GPL-2.0-or-later
"""A TCP proxy on loopback that passes bytes on as they are, and breaks connections on demand."""

import select
import socket
import socketserver
import struct
import threading

RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time


class CuttingProxy:
    """`cut(number)` says after how many bytes from the server connection `number` (from 1) is reset;
    None lets it be. `on_cut()` is called before each reset."""

    def __init__(self, port, cut, on_cut=lambda: None):
        self.cuts = 0
        self._port = port
        self._cut = cut
        self._on_cut = on_cut
        self._lock = threading.Lock()
        self._number = 0
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with socket.create_connection(("127.0.0.1", proxy._port)) as server:
                    proxy._pass_on(self.request, server)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True

            def shutdown_request(self, request):
                self.close_request(request)  # no shutdown first: a reset must stay one

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def _pass_on(self, client, server):
        with self._lock:
            self._number += 1
            left = self._cut(self._number)
        try:
            while True:
                ready, _, _ = select.select([client, server], [], [])
                if client in ready:
                    asked = client.recv(65536)
                    if not asked:
                        return
                    server.sendall(asked)
                if server in ready:
                    answered = server.recv(65536 if left is None else min(65536, left))
                    if not answered:
                        return
                    client.sendall(answered)
                    if left is not None:
                        left -= len(answered)
                        if left == 0:
                            break
        except OSError:
            return
        with self._lock:
            self.cuts += 1
            self._on_cut()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
