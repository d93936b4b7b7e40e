# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP servers on loopback that are played, and keep every byte of what they were asked."""

import http.server
import threading
import urllib.parse


class PlayedServer:
    """`answers` gives (status, body) for a method and a path without its query; None for a 404.
    `asked` has the request line and headers of each request, in order."""

    def __init__(self, answers):
        self.asked = []
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode(errors="replace")
                server.asked.append(f"{self.requestline}\n{self.headers}{body}")
                path = urllib.parse.unquote(self.path.partition("?")[0])
                status, content = answers(self.command, path) or (404, b"")
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_POST = answer

            def log_message(self, *_):
                pass

        self._http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._http.server_close()

    @property
    def text(self):
        return "\n".join(self.asked)


def bucket_of(objects):
    """Answers of a bucket with `objects`, {key: bytes}, whoever asks."""
    def answer(_method, path):
        bucket, _, key = path.lstrip("/").partition("/")
        if key:
            return (200, objects[key]) if key in objects else None
        contents = "".join(f"<Contents><Key>{key}</Key><Size>{len(body)}</Size></Contents>"
                           for key, body in objects.items())
        return 200, (f"<ListBucketResult><Name>{bucket}</Name>{contents}"
                     "<IsTruncated>false</IsTruncated></ListBucketResult>").encode()
    return answer
