# SPDX-License-Identifier: GPL-2.0-or-later
"""An HTTP gateway on loopback in front of an emulator or a store. It passes requests on, answers some
in their place, and can be gone for a while."""

import http.client
import http.server
import threading
import urllib.parse

HTML = [("Content-Type", "text/html")]


class FaultyGateway:
    """`fault(number)` is the status that request `number` (from 1) is answered with, in place of the
    answer of `api` (an Emulator, or anything else with a URL); 0 leaves its answer, None closes the
    connection. With `after` the request is passed on first all the same."""

    def __init__(self, api, fault=lambda number: 0, after=False):
        target = urllib.parse.urlsplit(api.url)
        self.gone = False
        self.requests = 0
        self._lock = threading.Lock()
        gateway = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with gateway._lock:
                    gateway.requests += 1
                    status = None if gateway.gone else fault(gateway.requests)
                if status is None:
                    self.close_connection = True
                else:
                    got, headers, content = self.pass_on(body) if after or not status else (0, [], b"")
                    if status:
                        got, headers, content = status, HTML, b"<html>Bad gateway</html>"
                    self.answer(got, headers, content)

            def pass_on(self, body):
                link = http.client.HTTPConnection(target.hostname, target.port, timeout=60)
                link.request(self.command, self.path, body, dict(self.headers))
                got = link.getresponse()
                content = got.read()
                link.close()
                return got.status, got.getheaders(), content

            def answer(self, status, headers, body):
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

            do_GET = do_POST = do_PUT = handle_any

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}{target.path}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
