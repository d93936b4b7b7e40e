# SPDX-License-Identifier: GPL-2.0-or-later
"""An HTTP proxy as offices have one, and an https server behind it, both on loopback."""

import base64
import socket
import socketserver
import ssl
import subprocess
import threading


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, handle):
        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                handle(self.request)
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request, client_address):
        pass  # who asks may go at any time

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    @property
    def port(self):
        return self.server_address[1]


def _copy(source, target):
    try:
        while taken := source.recv(1 << 16):
            target.sendall(taken)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def _join(one, other):
    """Passes bytes on in both directions until both have ended."""
    back = threading.Thread(target=_copy, args=(other, one), daemon=True)
    back.start()
    _copy(one, other)
    back.join(60)


class HttpsFront(_Server):
    """An https server for `name` whose answers are those of the http server at `port`.
    `authority` is the file of its certificate."""

    def __init__(self, folder, name, port):
        super().__init__(self._serve)
        self.authority = folder / "cert.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=test", "-addext", f"subjectAltName=DNS:{name}",
                        "-keyout", folder / "key.pem", "-out", self.authority],
                       check=True, capture_output=True)
        self._behind = port
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(self.authority, folder / "key.pem")

    def _serve(self, client):
        with self._tls.wrap_socket(client, server_side=True) as shown, \
                socket.create_connection(("127.0.0.1", self._behind)) as server:
            _join(shown, server)


class ForwardProxy(_Server):
    """Takes CONNECT only. `routes` maps "host:port" to a port of loopback; what it does not name
    is out of reach. `user` is (name, password) of who may use it. `seen` has the heads of all
    requests, `refusal` a status that every CONNECT is answered with."""

    def __init__(self, routes, user=None, refusal=None):
        super().__init__(self._serve)
        self.routes, self.refusal, self.seen = routes, refusal, []
        self._wanted = user and "Basic " + base64.b64encode(":".join(user).encode()).decode()

    def connects(self):
        """["host:port"] of the CONNECTs so far."""
        return [head.split()[1] for head in self.seen if head.startswith("CONNECT ")]

    def _serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            if not (taken := client.recv(4096)):
                return
            head += taken
        text = head.decode("latin-1")
        self.seen.append(text)
        lines = dict(line.split(": ", 1) for line in text.split("\r\n")[1:] if ": " in line)
        method, place = text.split()[:2]
        status = self.refusal
        if self._wanted and lines.get("Proxy-Authorization") != self._wanted:
            status = "407 Proxy Authentication Required"
        elif not status and (method != "CONNECT" or place not in self.routes):
            status = "502 Bad Gateway"
        if status:
            client.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        with socket.create_connection(("127.0.0.1", self.routes[place])) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _join(client, server)
